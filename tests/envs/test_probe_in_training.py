"""What hindsight, demonstrations and training make of what was detected or declared."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import is_one_line, point_expert
from named import build_named, id_of, spec_of

from headstart.agents.config import DDPGConfig
from headstart.data.hindsight import HindsightSampler
from headstart.data.replay import EpisodeReplay
from headstart.demos.record import collect_demos
from headstart.demos.storage import load_demos, save_demos
from headstart.envs.goal_env import GoalReward
from headstart.envs.task import TaskConfig
from headstart.errors import InputError, RunError
from headstart.rollout.exploration import GREEDY, Exploration
from headstart.rollout.job import Constant, EpisodeJob, run_episode
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.config import (
    CycleConfig,
    EvaluationConfig,
    TrainConfig,
    WarmStartConfig,
)
from headstart.training.evaluation import evaluate
from headstart.training.observer import Observer

RANDOM = Exploration(random_action=1.0)
CONFIG = TrainConfig(
    env_steps=3000,
    batch_size=128,
    agent=DDPGConfig(hidden_sizes=(64, 64), tau=0.02, action_l2=0.1, q_filter_from=0),
    warm_start=WarmStartConfig(bc_updates=0, episodes=10, critic_updates=0),
    cycle=CycleConfig(episodes=4, updates_per_step=0.35),
    exploration=Exploration(noise=0.2, random_action=0.2),
    evaluation=EvaluationConfig(every=3000, episodes=50),
)
SHORT = replace(
    CONFIG,
    env_steps=200,
    warm_start=WarmStartConfig(bc_updates=0, episodes=2, critic_updates=0),
    cycle=CycleConfig(episodes=2, updates=5),
    evaluation=EvaluationConfig(every=200, episodes=2),
)


def still(observation):
    return np.zeros(2, np.float32)


def leftward(observation):
    return np.array([-1.0, 0.0], np.float32)


def episodes_of(name, count, *, policy=still, exploration=RANDOM):
    env, keys = build_named(name), spec_of(name).reward_info_keys
    jobs = [EpisodeJob(policy, 0, "test", index, exploration, keys) for index in range(count)]
    return [run_episode(env, job) for job in jobs]


def sampler_of(name, episodes, relabel_fraction=0.8, seed=0):
    return HindsightSampler(
        EpisodeReplay.from_episodes(episodes),
        GoalReward(build_named(name)),
        relabel_fraction=relabel_fraction,
        rng=np.random.default_rng(seed),
    )


@pytest.mark.parametrize(
    "name",
    [
        "Costly", "RewardVector", "RewardNotANumber", "StepVector", "NotAGoal", "WideGoal",
        "Misshapen", "Lacking", "ForceVector", "Phase", "UnknownKey",
        "DenseSilent", "Constant", "OwnGoal",
    ],
)  # fmt: skip
def test_training_refuses_in_one_line_what_it_would_learn_wrong(name):
    with pytest.raises(InputError, match=f"^(envs.defective:)?{name}-v0: ") as caught:
        train(id_of(name), SHORT)
    assert is_one_line(str(caught.value))


def test_networks_that_would_not_see_where_they_are_are_refused():
    her = SHORT.with_(**{"agent.goal_input": "absolute"})
    with pytest.raises(InputError, match=r"Blind-v0 lacks the achieved goal: pass --agent\.goal-"):
        train(id_of("Blind"), her)
    assert train(id_of("Blind"), SHORT).progress.updates > 0
    assert train(id_of("Reach"), her).progress.updates > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "task", "refusal"),
    [
        ("Bumpy", {}, "step paid"),
        ("Bumpy", {"unexplained_reward": "add"}, None),
        ("Bumpy", {"unexplained_reward": "ignore"}, None),
        ("Reach", {"reward_range": (0.0, 1.0)}, "outside of the declared reward_range"),
        ("EndsUnsaid", {}, None),
    ],
)
def test_what_episodes_show_is_acted_upon_in_training(name, task, refusal):
    config = replace(SHORT, env_steps=2000, task=TaskConfig(**task))
    if refusal is None:
        assert train(id_of(name), config).progress.updates > 0
    else:
        with pytest.raises((InputError, RunError), match=refusal):
            train(id_of(name), config)


def test_a_resumed_run_knows_what_its_episodes_have_shown(tmp_path):
    name, out = id_of("StopsSilently"), tmp_path / "run"
    train(name, SHORT, out=out)
    seen: list[object] = []

    class Watch(Observer):
        def progressed(self, progress):
            if not seen:
                newest = max(out.glob("checkpoints/*/state.json"))
                seen.append(json.loads(newest.read_text())["facts"])

    resume(out, replace(SHORT, env_steps=300), observers=[Watch()])
    facts = {"terminates": True, "reward_range": [-1.0, 0.0]}
    assert seen == [facts | {"longest": 30, "latest_end": 30}]


@pytest.mark.parametrize("name", ["OneGoal", "OneNorm", "ForceAtGoal"])
def test_a_reward_for_one_goal_serves_batches_row_by_row(name):
    env, reward = build_named(name), GoalReward(build_named(name))
    rng = np.random.default_rng(0)
    achieved, desired = rng.uniform(-1.0, 1.0, (2, 200, 2)).astype(np.float32)
    achieved[::2] = desired[::2]
    force = rng.uniform(0.0, 2.0, (200, 1)).astype(np.float32)
    computed, _ = reward(achieved, desired, force[:, : len(reward.spec.reward_info_keys)])
    expected = [
        env.unwrapped.compute_reward(*row, {"force": value})
        for *row, (value,) in zip(achieved, desired, force, strict=True)
    ]
    np.testing.assert_array_equal(computed, expected)
    assert set(computed.tolist()) == {-1.0, 0.0}


def force_of(action):
    return np.linalg.norm(action, axis=-1)


def test_what_the_reward_reads_is_kept_from_the_step_to_the_relabelled_row():
    episodes = episodes_of("Force", 20)
    for episode in episodes:
        assert episode.reward_infos.shape == (30, 1)
        np.testing.assert_allclose(episode.reward_infos[:, 0], force_of(episode.actions), rtol=1e-6)
    batch = sampler_of("Force", episodes).sample(512)
    near = np.linalg.norm(batch.next_achieved_goal - batch.desired_goal, axis=1) <= 0.5
    gentle = force_of(batch.action) < 1.0
    np.testing.assert_array_equal(batch.reward, np.where(near & gentle, 0.0, -1.0))
    # Both conditions decide, each for many rows.
    assert (near & ~gentle).sum() > 50
    assert (gentle & ~near).sum() > 20
    assert (near & gentle).sum() > 50


def gentle_expert(observation):
    return 0.6 * point_expert(observation)


def test_what_the_reward_reads_goes_to_the_demo_file_and_back_and_into_training(tmp_path):
    demos = collect_demos(id_of("Force"), gentle_expert, episodes=4)
    save_demos(tmp_path / "demos.npz", demos)
    loaded = load_demos(tmp_path / "demos.npz")
    assert loaded.episodes == demos.episodes
    assert loaded.header["reward_info_keys"] == ["force"]
    for episode in loaded.episodes:
        np.testing.assert_allclose(episode.reward_infos[:, 0], force_of(episode.actions), rtol=1e-6)
    assert train(id_of("Force"), SHORT, demos=loaded).progress.updates > 0


def test_demonstrations_that_keep_too_little_are_refused():
    demos = replace(collect_demos(id_of("Reach"), gentle_expert, episodes=2), env_id="Force-v0")
    with pytest.raises(InputError, match=r"reads \['force'\] of info, .* keep \[\]"):
        train(id_of("Force"), SHORT, demos=demos)


@pytest.mark.usefixtures("forked_collectors")
def test_collectors_keep_what_the_reward_reads(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
    # Not one of this file, which a collector does not import.
    expert = Constant(np.array([0.3, -0.2], np.float32))
    here, there = (
        collect_demos(id_of("Force"), expert, episodes=2, collectors=collectors, keep_failures=True)
        for collectors in (0, 1)
    )
    assert there.episodes == here.episodes
    assert there.episodes[0].reward_infos.shape == (30, 1)


COLUMNS = ("observations", "achieved_goals", "desired_goals", "actions", "terminated")


def test_stored_episodes_are_unharmed_by_a_reward_that_writes_to_its_arguments():
    episodes = episodes_of("Scribbling", 5)
    sampler = sampler_of("Scribbling", episodes)
    before = {name: getattr(sampler.replay, name).copy() for name in COLUMNS}
    sampler.sample(512)
    for name, column in before.items():
        np.testing.assert_array_equal(getattr(sampler.replay, name), column)


def test_a_batch_is_unharmed_by_a_reward_that_writes_to_its_arguments():
    spoiled = sampler_of("Scribbling", episodes_of("Scribbling", 5)).sample(64)
    sound = sampler_of("Reach", episodes_of("Reach", 5)).sample(64)
    np.testing.assert_array_equal(spoiled.next_achieved_goal, sound.next_achieved_goal)


def test_a_fall_ends_the_episode_whatever_the_goal():
    episodes = episodes_of("Falling", 6, policy=leftward, exploration=GREEDY)
    lengths = [len(episode) for episode in episodes]
    assert len(set(lengths)) > 1
    assert max(lengths) <= 21
    sampler = sampler_of("Falling", episodes, relabel_fraction=1.0)
    assert sampler.replay.num_transitions == sum(lengths)
    batch = sampler.sample(512)
    fell = batch.next_achieved_goal[:, 0] <= -1.0
    np.testing.assert_array_equal(batch.terminated, fell.astype(np.float32))
    assert 5 < fell.sum() < 500


def test_a_fall_and_an_end_at_the_goal_are_distinguished():
    episodes = [
        *episodes_of("CliffReach", 30, policy=leftward, exploration=GREEDY),
        *episodes_of("CliffReach", 30, policy=point_expert, exploration=GREEDY),
    ]
    batch = sampler_of("CliffReach", episodes).sample(2000)
    at_goal = np.linalg.norm(batch.next_achieved_goal - batch.desired_goal, axis=1) <= 0.5
    fell = batch.next_achieved_goal[:, 0] <= -1.0
    np.testing.assert_array_equal(batch.terminated, (at_goal | fell).astype(np.float32))
    assert (fell & ~at_goal).sum() > 3
    assert (at_goal & ~fell).sum() > 100


def test_an_end_that_is_declared_is_computed_for_every_goal():
    episodes = episodes_of("Ending", 40)
    assert len({len(episode) for episode in episodes}) > 2
    for episode in episodes:
        np.testing.assert_array_equal(episode.terminated[:-1], False)
        assert episode.terminated[-1] == episode.success
    batch = sampler_of("Ending", episodes).sample(1000)
    np.testing.assert_array_equal(batch.terminated, (batch.reward == 0.0).astype(np.float32))
    at_goal = np.linalg.norm(batch.next_achieved_goal - batch.desired_goal, axis=1) <= 0.5
    np.testing.assert_array_equal(batch.reward == 0.0, at_goal)


@pytest.mark.slow
def test_an_environment_that_ends_at_its_goal_is_learned():
    result = train(id_of("EndingExact"), replace(CONFIG, env_steps=1200))
    assert result.evaluation.success_rate > 0.8
    lengths: list[int] = []
    evaluate(
        result.policy,
        id_of("EndingExact"),
        episodes=30,
        on_episode=lambda episode: lengths.append(len(episode)),
    )
    assert min(lengths) < 15


@pytest.mark.slow
def test_actions_with_bounds_of_their_own_are_learned():
    result = train(id_of("Lopsided"), replace(CONFIG, env_steps=1500))
    assert result.evaluation.success_rate > 0.8
    actions: list[np.ndarray] = []
    # The environment itself asserts that each action is inside.
    evaluate(
        result.policy,
        id_of("Lopsided"),
        episodes=50,
        on_episode=lambda episode: actions.append(episode.actions),
    )
    taken = np.concatenate(actions)
    low, high = np.array([-0.1, -2.0]), np.array([0.3, 5.0])
    assert (taken.min(axis=0) < low + 0.05 * (high - low)).all()
    assert (taken.max(axis=0) > high - 0.05 * (high - low)).all()


def far_out(observation):
    sign = np.where(observation["desired_goal"] > observation["achieved_goal"], 1.0, -1.0)
    return (100.0 * sign).astype(np.float32)


@pytest.mark.parametrize("exploration", [GREEDY, Exploration(noise=5.0), RANDOM])
@pytest.mark.parametrize("name", ["Lopsided", "LopsidedDouble"])
def test_no_action_leaves_the_bounds(name, exploration):
    # The environment asserts it.
    assert len(episodes_of(name, 5, policy=far_out, exploration=exploration)) == 5
