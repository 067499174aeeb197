import importlib
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from builders import is_one_line, point_expert
from gymnasium import spaces

import headstart as hs
from headstart.data.strategies import final
from headstart.demos.experts import expert_for
from headstart.envs.toy import PointReach

pytest.importorskip("stable_baselines3")

from stable_baselines3 import DDPG, SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecNormalize

from headstart.integrations.sb3 import DemoHerReplayBuffer

POINT, BITS = "PointReach-v0", "BitFlip-v0"
STEPS = 30  # of an episode of PointReach
MARK = 0.75


TILTED = spaces.Box(np.float32([-0.5, 0.0]), np.float32([1.5, 4.0]))


class Changed(PointReach):
    """PointReach with other actions, more to see, or a goal that moves."""

    def __init__(self, action_space=None, camera=False, restless=False):
        super().__init__()
        self.action_space = action_space or self.action_space
        self.restless = restless
        if camera:
            self.observation_space["camera"] = spaces.Box(0.0, 1.0, (3,))

    def step(self, action):
        _, *outcome = super().step(action)
        if self.restless:
            self._goal = self.np_random.uniform(-1.0, 1.0, 2)
        return self._observe(), *outcome


class Priced(PointReach):
    """PointReach whose reward reads of ``info`` what the action costs."""

    def step(self, action):
        cost = float(np.abs(action).sum())
        observation, reward, *outcome, info = super().step(action)
        return observation, reward - cost, *outcome, info | {"cost": cost}

    def compute_reward(self, achieved_goal, desired_goal, info):
        return super().compute_reward(achieved_goal, desired_goal, info) - info.get("cost", 0.0)


gym.register("Priced-v0", entry_point=Priced, max_episode_steps=STEPS)
for name, changes in {
    "Tilted-v0": {"action_space": TILTED},
    "Stepwise-v0": {"action_space": spaces.Discrete(4)},
    "Talkative-v0": {"camera": True},
    "Restless-v0": {"restless": True},
}.items():
    gym.register(name, entry_point=Changed, max_episode_steps=STEPS, kwargs=changes)


@pytest.fixture(scope="module")
def demos():
    return hs.collect_demos(POINT, point_expert, episodes=20)


def envs(env_id=POINT, count=1, kind=DummyVecEnv):
    return kind([lambda: hs.make_env(env_id)] * count)


def model(env, algorithm=DDPG, *, settings=None, **buffer):
    """An algorithm that only collects, with random actions, unless told otherwise."""
    defaults = {"buffer_size": 5000, "learning_starts": 10**6, "seed": 0, "device": "cpu"}
    return algorithm(
        "MultiInputPolicy",
        env,
        policy_kwargs={"net_arch": [32, 32]},
        replay_buffer_class=DemoHerReplayBuffer,
        replay_buffer_kwargs=buffer,
        **{**defaults, **(settings or {})},
    )


def rows(learner, count=512):
    """A batch as arrays: observation, action, next observation, done, reward."""
    batch = learner.replay_buffer.sample(count)
    before = {key: value.numpy() for key, value in batch.observations.items()}
    after = {key: value.numpy() for key, value in batch.next_observations.items()}
    assert batch.dones.shape == batch.rewards.shape == (count, 1)
    dones, rewards = batch.dones.numpy()[:, 0], batch.rewards.numpy()[:, 0]
    return before, batch.actions.numpy(), after, dones, rewards


def assert_is_point_reach(learner):
    """Every row is a step of PointReach, rewarded for the goal that it shows."""
    before, action, after, dones, rewards = rows(learner)
    moved = np.clip(before["observation"] + 0.1 * action, -1.0, 1.0)
    np.testing.assert_allclose(after["observation"], moved, atol=1e-6)
    for observation in (before, after):
        assert set(observation) == {"observation", "achieved_goal", "desired_goal"}
        np.testing.assert_array_equal(observation["observation"], observation["achieved_goal"])
    np.testing.assert_array_equal(before["desired_goal"], after["desired_goal"])
    expected = PointReach().compute_reward(after["achieved_goal"], after["desired_goal"], {})
    np.testing.assert_array_equal(rewards, expected)
    assert not dones.any()


def marked(demos):
    """Demonstrations that can be told from experience."""
    return hs.DemoSet(
        POINT,
        tuple(
            replace(episode, observations=np.full_like(episode.observations, MARK))
            for episode in demos.episodes
        ),
    )


def demo_rows(learner, count):
    return int((rows(learner, count)[0]["observation"] == MARK).all(axis=1).sum())


def train_point_reach(**buffer):
    noise = NormalActionNoise(np.zeros(2), np.full(2, 0.3))
    settings = {"learning_rate": 3e-3, "batch_size": 64, "gamma": 0.9, "tau": 0.05}
    rhythm = {"learning_starts": 600, "train_freq": 30, "gradient_steps": 30}
    settings |= {**rhythm, "action_noise": noise}
    learner = model(envs(), settings=settings, **buffer).learn(2000)

    def greedy(observation):
        return learner.predict(observation, deterministic=True)[0]

    return hs.evaluate(greedy, POINT, episodes=50).success_rate


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
    learner = model(envs(), demos=marked(demos), demo_fraction=fraction).learn(STEPS)
    assert {demo_rows(learner, 100) for _ in range(5)} == {expected}


def test_before_the_first_episode_ends_batches_are_demonstrations_alone(demos):
    learner = model(envs(), demos=marked(demos), demo_fraction=0.1).learn(STEPS - 1)
    assert demo_rows(learner, 100) == 100


def test_without_demonstrations_and_episodes_the_error_says_what_to_do():
    learner = model(envs(count=2)).learn(40)
    with pytest.raises(RuntimeError, match="set learning_starts to 60 or more, or give demos"):
        learner.replay_buffer.sample(8)


@pytest.mark.parametrize(
    ("kind", "count"), [(DummyVecEnv, 1), (DummyVecEnv, 3), (SubprocVecEnv, 2)]
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


def test_an_episode_cut_by_learn_stays_an_episode_of_its_own():
    learner = model(envs()).learn(40)
    assert learner.replay_buffer.size() == STEPS
    learner.learn(40)
    assert learner.replay_buffer.size() == STEPS + 10 + STEPS
    assert_is_point_reach(learner)
    learner.learn(20, reset_num_timesteps=False)
    assert learner.replay_buffer.size() == STEPS + 10 + 2 * STEPS


def test_the_oldest_episodes_are_forgotten(demos):
    learner = model(envs(), settings={"buffer_size": 100}, demos=demos).learn(3 * STEPS)
    buffer = learner.replay_buffer
    assert (buffer.size(), buffer.pos, buffer.full) == (3 * STEPS, 3 * STEPS, False)
    learner.learn(STEPS, reset_num_timesteps=False)
    assert (buffer.size(), buffer.pos, buffer.full) == (3 * STEPS, 3 * STEPS, True)
    buffer.reset()
    assert (buffer.size(), buffer.pos, buffer.full) == (0, 0, False)
    assert_is_point_reach(learner)


def test_a_seed_decides_what_is_drawn():
    def first_rows(seed):
        return rows(model(envs(), settings={"seed": seed}).learn(STEPS), 64)[1]

    np.testing.assert_array_equal(first_rows(1), first_rows(1))
    assert not np.array_equal(first_rows(1), first_rows(2))


def test_a_saved_buffer_goes_on_in_another_model(tmp_path, demos):
    settings = {"buffer_size": 200}
    model(envs(), settings=settings, demos=marked(demos)).learn(70).save_replay_buffer(
        tmp_path / "buffer"
    )
    learner = model(envs())
    learner.load_replay_buffer(tmp_path / "buffer")
    assert learner.replay_buffer.size() == 70
    assert demo_rows(learner, 100) == 50
    learner.learn(5 * STEPS)
    assert learner.replay_buffer.full


def test_a_loaded_buffer_finishes_its_episode_and_relabels_old_and_new_ones(tmp_path):
    learner = model(envs(), relabel_fraction=1.0, strategy=final).learn(70)
    learner.save_replay_buffer(tmp_path / "buffer")
    learner.load_replay_buffer(tmp_path / "buffer", truncate_last_traj=False)
    assert learner.replay_buffer.size() == 2 * STEPS
    learner.learn(2 * STEPS + 20, reset_num_timesteps=False)
    assert learner.replay_buffer.size() == 5 * STEPS
    assert_is_point_reach(learner)
    assert len(np.unique(rows(learner)[0]["desired_goal"], axis=0)) == 5


def test_a_buffer_is_not_loaded_into_another_environment(tmp_path):
    model(envs()).save_replay_buffer(tmp_path / "buffer")
    with pytest.raises(hs.InputError, match="BitFlip-v0"):
        model(envs(BITS)).load_replay_buffer(tmp_path / "buffer")


def test_a_saved_model_finds_its_demonstrations_again(tmp_path, demos):
    hs.save_demos(tmp_path / "demos.npz", demos)
    model(envs(), demos=tmp_path / "demos.npz").save(tmp_path / "model")
    assert_is_point_reach(DDPG.load(tmp_path / "model", env=envs()))


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


@pytest.mark.mujoco
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


@pytest.mark.parametrize(
    ("env_id", "buffer", "told"),
    [
        (POINT, {"demos": "missing.npz"}, "missing.npz: no such demo file"),
        (POINT, {"demos": [1, 2]}, "demos must be a demo file or a DemoSet, got list"),
        (POINT, {"demos": hs.DemoSet(POINT, ())}, "demos must hold at least one episode"),
        (POINT, {"demo_fraction": 1.0}, r"demo_fraction must lie in \[0, 1\), got 1.0"),
        (POINT, {"relabel_fraction": 2}, r"relabel_fraction must lie in \[0, 1\], got 2"),
        (POINT, {"strategy": "future"}, "strategy must be a function.*, got future"),
        (POINT, {"buffer_size": 30}, "buffer_size must exceed the episode's 30, got 30"),
        (POINT, {"optimize_memory_usage": True}, "optimize_memory_usage must be False, got True"),
        ("Talkative-v0", {}, "Talkative-v0: observations must have the keys .* no other"),
        ("Stepwise-v0", {}, "Stepwise-v0: actions must be continuous"),
        ("Pendulum-v1", {}, "Pendulum-v1 is not a goal environment"),
    ],
)
def test_bad_input_is_told_in_one_line(env_id, buffer, told):
    env = gym.make(env_id, disable_env_checker=True)
    assert_refused(env, told, **buffer)


def assert_refused(env, told, **buffer):
    arguments = {"buffer_size": 1000, "env": DummyVecEnv([lambda: env]), **buffer}
    with pytest.raises(ValueError, match=told) as caught:
        DemoHerReplayBuffer(
            observation_space=env.observation_space, action_space=env.action_space, **arguments
        )
    assert is_one_line(str(caught.value))


def test_demonstrations_of_another_environment_are_refused(demos):
    told = "the demonstrations are of PointReach-v0, not of BitFlip-v0"
    assert_refused(hs.make_env(BITS), told, demos=demos)


def test_an_environment_without_an_id_is_refused():
    assert_refused(PointReach(), "has no spec: give it an id with gymnasium.register")


def test_wrappers_that_change_the_task_are_refused_and_others_are_not():
    harmless = gym.wrappers.RecordEpisodeStatistics(hs.make_env(POINT))
    assert model(harmless).learn(STEPS).replay_buffer.size() == STEPS
    rescaled = gym.wrappers.RescaleAction(hs.make_env(POINT), np.float32(-2), np.float32(2))
    assert_refused(rescaled, "PointReach-v0: a wrapper changes the observations or actions")
    rewarded = gym.wrappers.TransformReward(hs.make_env(POINT), lambda reward: reward + 1.0)
    with pytest.raises(hs.InputError, match="gave reward 0, compute_reward says -1"):
        model(rewarded).learn(STEPS)


def test_a_goal_that_moves_is_refused():
    with pytest.raises(hs.InputError, match="Restless-v0: the goal changes within the episode"):
        model(envs("Restless-v0")).learn(STEPS)


def test_without_stable_baselines3_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    monkeypatch.delitem(sys.modules, "headstart.integrations.sb3")
    with pytest.raises(ImportError, match=r"pip install -e '\.\[sb3\]'"):
        importlib.import_module("headstart.integrations.sb3")
