"""Learning with Stable-Baselines3 from our replay: what its batches hold."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import headstart as hs
from headstart.data.strategies import final
from headstart.demos.experts import expert_for
from headstart.envs.toy import PointReach

pytest.importorskip("stable_baselines3")

from sb3_models import (
    BITS,
    POINT,
    STEPS,
    TILTED,
    assert_is_point_reach,
    demo_rows,
    envs,
    mark_demos,
    model,
    rows,
)
from stable_baselines3 import DDPG, SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecNormalize


def train_point_reach(**buffer):
    noise = NormalActionNoise(np.zeros(2), np.full(2, 0.3))
    settings = {"learning_rate": 3e-3, "batch_size": 64, "gamma": 0.9, "tau": 0.05}
    rhythm = {"learning_starts": 600, "train_freq": 30, "gradient_steps": 30}
    settings |= {**rhythm, "action_noise": noise}
    learner = model(envs(), settings=settings, **buffer).learn(1500)

    def greedy(observation):
        return learner.predict(observation, deterministic=True)[0]

    return hs.evaluate(greedy, POINT, episodes=50).success_rate


@pytest.mark.slow
def test_demonstrations_and_hindsight_make_point_reach_learnable(demos):
    assert train_point_reach(demos=demos) > 0.9
    assert train_point_reach(relabel_fraction=0.0) < 0.1


@pytest.mark.parametrize("algorithm", [DDPG, TD3, SAC])
def test_algorithms_learn_from_demonstrations_before_the_first_episode_ends(algorithm, demos):
    settings = {"learning_starts": 0, "batch_size": 16}
    learner = model(envs(), algorithm, settings=settings, demos=demos)
    old = [parameter.clone() for parameter in learner.critic.parameters()]
    learner.learn(10)
    assert learner.replay_buffer.size() == 0
    assert learner._n_updates >= 9
    changed = [
        not torch.equal(*pair) for pair in zip(old, learner.critic.parameters(), strict=True)
    ]
    assert all(changed)
    assert_is_point_reach(learner)


@pytest.mark.parametrize(("fraction", "expected"), [(0.5, 50), (0.25, 25), (0.0, 0)])
def test_demonstrations_are_an_exact_share_of_every_batch(fraction, expected, demos):
    learner = model(envs(), demos=mark_demos(demos), demo_fraction=fraction).learn(STEPS)
    assert {demo_rows(learner, 100) for _ in range(5)} == {expected}


def test_before_the_first_episode_ends_batches_are_demonstrations_alone(demos):
    learner = model(envs(), demos=mark_demos(demos), demo_fraction=0.1).learn(STEPS - 1)
    assert demo_rows(learner, 100) == 100


def test_without_demonstrations_and_episodes_the_error_says_what_to_do():
    learner = model(envs(count=2)).learn(40)
    with pytest.raises(RuntimeError, match="set learning_starts to 60 or more, or give demos"):
        learner.replay_buffer.sample(8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (DummyVecEnv, 1),
        (DummyVecEnv, 3),
        (SubprocVecEnv, 2),
    ],
)
def test_rows_are_steps_of_the_env_rewarded_for_the_goal_they_show(kind, count, demos):
    env = envs(count=count, kind=kind)
    learner = model(env, demos=demos, demo_fraction=0.25).learn(3 * STEPS * count)
    assert learner.replay_buffer.size() == 3 * STEPS * count
    assert_is_point_reach(learner)
    env.close()


def test_a_share_of_the_goals_was_achieved_later(demos):
    learner = model(envs(), relabel_fraction=0.5, strategy=final).learn(4 * STEPS)
    goals = rows(learner, 2000)[0]["desired_goal"]
    found, counts = np.unique(goals, axis=0, return_counts=True)
    # Four episodes with one goal and one final state each.
    assert len(found) == 8
    assert (counts > 150).all()


def test_reaching_a_goal_ends_the_bootstrap_and_a_time_limit_does_not():
    learner = model(envs(BITS, 2)).learn(400)
    _, _, after, dones, rewards = rows(learner, 2000)
    reached = (after["achieved_goal"] == after["desired_goal"]).all(axis=1)
    assert 0.1 < reached.mean() < 0.9
    np.testing.assert_array_equal(dones, reached)
    np.testing.assert_array_equal(rewards, np.where(reached, 0.0, -1.0))


def test_what_a_reward_reads_of_info_is_kept():
    before, action, after, _, rewards = rows(model(envs("Priced-v0")).learn(2 * STEPS))
    cost = np.abs(action).sum(axis=1)
    expected = PointReach().compute_reward(after["achieved_goal"], before["desired_goal"], {})
    np.testing.assert_allclose(rewards, expected - cost, atol=1e-5)


def test_demonstrated_actions_are_scaled_as_the_policy_scales_its_own():
    low, high = TILTED.low, TILTED.high
    rng = np.random.default_rng(0)
    expert = lambda _: rng.choice([low, high, (low + high) / 2.0])  # noqa: E731
    demos = hs.collect_demos("Tilted-v0", expert, episodes=2, keep_failures=True)
    learner = model(envs("Tilted-v0"), demos=demos)
    _, action, *_ = rows(learner)
    assert set(np.unique(action)) == {-1.0, 0.0, 1.0}
    own = {tuple(row) for episode in demos.episodes for row in episode.actions}
    assert {tuple(learner.policy.unscale_action(row)) for row in action} == own
    before, action, after, *_ = rows(model(envs("Tilted-v0")).learn(2 * STEPS))
    moved = before["observation"] + 0.1 * learner.policy.unscale_action(action)
    np.testing.assert_allclose(after["observation"], np.clip(moved, -1.0, 1.0), atol=1e-6)


def test_a_seed_decides_what_is_drawn():
    def first_rows(seed):
        return rows(model(envs(), settings={"seed": seed}).learn(STEPS), 64)[1]

    np.testing.assert_array_equal(first_rows(1), first_rows(1))
    assert not np.array_equal(first_rows(1), first_rows(2))


def test_what_vec_normalize_learns_is_applied_to_what_is_sampled(demos):
    env = VecNormalize(envs(), gamma=0.9)
    learner = model(env, settings={"learning_starts": 50, "batch_size": 16}, demos=demos).learn(100)
    buffer = learner.replay_buffer
    state = buffer._rng.bit_generator.state
    plain = buffer.sample(64)
    buffer._rng.bit_generator.state = state
    scaled = buffer.sample(64, env=env)
    for name, raw in (("observations", plain.observations), ("next_observations", plain[2])):
        expected = env.normalize_obs({key: value.numpy() for key, value in raw.items()})
        for key, value in getattr(scaled, name).items():
            np.testing.assert_allclose(value, expected[key])
    np.testing.assert_allclose(scaled.rewards, env.normalize_reward(plain.rewards.numpy()))


@pytest.mark.slow
def test_fetch_reach_with_demonstrations():
    env_id = "FetchReach-v4"
    demos = hs.collect_demos(env_id, expert_for(env_id), episodes=2)
    settings = {"learning_starts": 90, "batch_size": 32, "gradient_steps": 2}
    learner = model(gym.make(env_id), SAC, settings=settings, demos=demos).learn(120)
    assert learner.replay_buffer.size() == 100
    assert learner._n_updates >= 30
    before, action, after, dones, rewards = rows(learner)
    expected = hs.make_env(env_id).get_wrapper_attr("compute_reward")
    np.testing.assert_array_equal(
        rewards, expected(after["achieved_goal"], before["desired_goal"], {})
    )
    assert set(np.unique(rewards)) == {-1.0, 0.0}
    assert np.abs(action).max() <= 1.0
    assert not dones.any()
