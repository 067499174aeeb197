"""What is collected, by whom and when: collectors change nothing, and cycles what they promise."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from builders import stored_rows
from small_runs import POINT, SMALL, Diary, Noted, weights_of

from headstart.demos.experts import expert_for
from headstart.demos.record import collect_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.policy import load_policy
from headstart.rollout.exploration import GREEDY
from headstart.rollout.job import ROLLOUT
from headstart.runs.train import train
from headstart.training.assembly import build_trainer
from headstart.training.config import CycleConfig, WarmStartConfig


@pytest.fixture(scope="module")
def reach_demos():
    return collect_demos("FetchReach-v4", expert_for("FetchReach-v4"), episodes=4)


def without_clocks(row):
    return {name: value for name, value in row.items() if not name.endswith("seconds")}


def outcome(env_id, config, demos, directory, collectors):
    """Everything that a run writes and returns, clocks aside."""
    result = train(env_id, config, demos=demos, out=directory, collectors=collectors)
    lines = (directory / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    saved = sorted((directory / "policies").iterdir())
    return {
        "rows": [without_clocks(json.loads(line)) for line in lines],
        "evaluation": result.evaluation,
        "weights": weights_of(result.policy).tobytes(),
        "saved": {path.name: weights_of(load_policy(path)).tobytes() for path in saved},
    }


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
@pytest.mark.parametrize(("ahead", "counts"), [(True, (0, 1, 2, 3)), (False, (0, 2))])
def test_collectors_change_nothing_bit_for_bit(tmp_path, reach_demos, ahead, counts):
    evaluation = replace(SMALL.evaluation, episodes=2)
    cycle = replace(SMALL.cycle, ahead=ahead)
    config = replace(SMALL, env_steps=400, evaluation=evaluation, cycle=cycle)
    expected, *others = [
        outcome("FetchReach-v4", config, reach_demos, tmp_path / str(count), count)
        for count in counts
    ]
    assert len(expected["rows"]) >= 3
    assert expected["rows"][-1]["time/env_steps"] >= 400
    assert expected["rows"][-1]["time/updates"] >= 15
    for other in others:
        assert other == expected


@pytest.mark.slow
@pytest.mark.usefixtures("forked_collectors")
@pytest.mark.parametrize(("ahead", "counts"), [(True, (1, 2, 4)), (False, (2,))])
def test_collectors_change_nothing_on_a_toy_task_without_demonstrations(tmp_path, ahead, counts):
    config = replace(SMALL, cycle=replace(SMALL.cycle, ahead=ahead))
    expected = outcome(POINT, config, None, tmp_path / "0", 0)
    for count in counts:
        assert outcome(POINT, config, None, tmp_path / str(count), count) == expected


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path, point_demos):
    first = outcome(POINT, SMALL, point_demos, tmp_path / "first", 0)
    assert outcome(POINT, SMALL, point_demos, tmp_path / "second", 0) == first
    other = outcome(POINT, replace(SMALL, seed=1), point_demos, tmp_path / "other", 0)
    assert other["weights"] != first["weights"]
    assert other["rows"] != first["rows"]


def rollout_jobs(config):
    spec, env = GoalSpec.from_env(make_env(POINT)), make_env(POINT)
    with Noted(POINT) as executor:
        reward = GoalReward(env)
        trainer = build_trainer(config, spec, None, executor, reward, ())
        trainer.run()
        return [job for job in executor.jobs if job.stream == "rollout"], trainer.replay


def test_updates_follow_env_steps_and_fractions_carry_over():
    cycle = CycleConfig(episodes=1, updates_per_step=0.11)
    diary = Diary()
    progress = train(POINT, replace(SMALL, cycle=cycle), observers=[diary]).progress
    # Two of ten episodes belong to the warm start; 30 steps x 0.11 = 3.3 updates a cycle.
    cycles = [updates for phase, _, updates in diary.phases if phase == "training"]
    assert cycles == [3, 6, 9, 13, 16, 19, 23, 26]
    assert progress.updates == 26


def test_episodes_of_any_length_earn_their_updates():
    config = replace(SMALL, cycle=CycleConfig(episodes=3, updates_per_step=0.5), env_steps=100)
    progress = train("BitFlip-v0,num_bits=2", config).progress
    assert progress.env_steps < 8 * progress.episodes  # some of them ended early
    assert progress.updates == (progress.env_steps - progress.warm_start_env_steps) // 2


@pytest.mark.parametrize("ahead", [True, False])
def test_every_cycle_collects_new_episodes(ahead):
    jobs, replay = rollout_jobs(replace(SMALL, cycle=replace(SMALL.cycle, ahead=ahead)))
    assert [job.index for job in jobs] == list(range(10))
    assert replay.num_episodes == 10
    assert len(np.unique(replay.desired_goals[stored_rows(replay)], axis=0)) == 10


@pytest.mark.parametrize(
    ("ahead", "is_newer"), [(True, [False, True, True]), (False, [True, True, True])]
)
def test_collecting_ahead_acts_with_the_policy_from_before_the_updates(ahead, is_newer):
    config = replace(
        SMALL,
        env_steps=240,
        warm_start=WarmStartConfig(bc_updates=0, episodes=0, critic_updates=0),
        cycle=replace(SMALL.cycle, ahead=ahead),
    )
    jobs, _ = rollout_jobs(config)
    first_of_cycle = [job.policy.layers[0][0] for job in jobs[::2]]
    changed = [not np.array_equal(*pair) for pair in pairwise(first_of_cycle)]
    assert changed == is_newer


def test_greedy_episodes_are_what_the_policy_does_and_evaluations_always_are(point_demos):
    config = SMALL.with_({"exploration.greedy_episodes": 0.5})
    executor, noisy = Noted(POINT), replace(SMALL.exploration, greedy_episodes=0.5)
    train(POINT, config, demos=point_demos, executor=executor)
    jobs = [job for job in executor.jobs if job.stream == ROLLOUT]
    assert {job.exploration for job in executor.jobs if job.stream != ROLLOUT} == {GREEDY}
    assert {job.exploration for job in jobs} == {GREEDY, noisy}
    again = Noted(POINT)
    train(POINT, config, demos=point_demos, executor=again)
    assert [job.exploration for job in again.jobs] == [job.exploration for job in executor.jobs]
