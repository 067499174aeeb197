import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from builders import point_expert, stored_rows

from headstart.agents.ddpg import DDPG, DDPGConfig
from headstart.data.batch import Batch
from headstart.demos.experts import expert_for
from headstart.demos.record import collect_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.policy import load_policy
from headstart.presets import PRESETS
from headstart.rollout.executors import SerialExecutor
from headstart.training.config import (
    CycleConfig,
    DemosConfig,
    EvaluationConfig,
    TrainConfig,
    WarmStartConfig,
)
from headstart.training.evaluation import evaluate
from headstart.training.train import build_trainer, train
from headstart.training.trainer import Observer

POINT = "PointReach-v0"
SMALL = TrainConfig(
    env_steps=300,
    batch_size=32,
    agent=DDPGConfig(hidden_sizes=(16, 16), q_filter_from=5),
    demos=DemosConfig(fraction=0.25),
    warm_start=WarmStartConfig(bc_updates=20, episodes=2, critic_updates=10),
    cycle=CycleConfig(episodes=2, updates=5),
    evaluation=EvaluationConfig(every=100, episodes=4),
)


@pytest.fixture(scope="module")
def point_demos():
    return collect_demos(POINT, point_expert, episodes=5)


@pytest.fixture(scope="module")
def reach_demos():
    return collect_demos("FetchReach-v4", expert_for("FetchReach-v4"), episodes=4)


class Diary(Observer):
    """Keeps what a trainer reports."""

    def __init__(self):
        self.phases, self.rows, self.policies, self.results = [], [], [], []

    def progressed(self, progress):
        self.phases.append((progress.phase, progress.env_steps, progress.updates))

    def evaluated(self, policy, result, metrics):
        self.policies.append(policy)
        self.results.append(result)
        self.rows.append(metrics)


def without_clocks(row):
    return {name: value for name, value in row.items() if not name.endswith("seconds")}


def weights_of(policy):
    layers = [array.ravel() for layer in policy.layers for array in layer]
    return np.concatenate([*layers, policy.mean, policy.std])


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


@pytest.mark.mujoco
@pytest.mark.parametrize("ahead", [True, False])
def test_collectors_change_nothing_bit_for_bit(tmp_path, reach_demos, ahead):
    config = replace(SMALL, env_steps=400, cycle=replace(SMALL.cycle, ahead=ahead))
    counts = [0, 1, 2, 4] if ahead else [0, 2]
    expected, *others = [
        outcome("FetchReach-v4", config, reach_demos, tmp_path / str(count), count)
        for count in counts
    ]
    assert len(expected["rows"]) >= 3
    assert expected["rows"][-1]["time/env_steps"] >= 400
    assert expected["rows"][-1]["time/updates"] >= 15
    for other in others:
        assert other == expected


def test_collectors_change_nothing_on_a_toy_task_without_demonstrations(tmp_path):
    expected = outcome(POINT, SMALL, None, tmp_path / "0", 0)
    assert outcome(POINT, SMALL, None, tmp_path / "3", 3) == expected


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path, point_demos):
    first = outcome(POINT, SMALL, point_demos, tmp_path / "first", 0)
    assert outcome(POINT, SMALL, point_demos, tmp_path / "second", 0) == first
    other = outcome(POINT, replace(SMALL, seed=1), point_demos, tmp_path / "other", 0)
    assert other["weights"] != first["weights"]
    assert other["rows"] != first["rows"]


def initial_policy(config, env_id):
    spec = GoalSpec.from_env(make_env(env_id))
    env = make_env(env_id)
    with SerialExecutor(env_id) as executor:
        reward = GoalReward(env, spec)
        return build_trainer(config, spec, None, executor, reward, ()).agent.policy(deployed=True)


@pytest.mark.parametrize("deploy", ["averaged", "online"])
@pytest.mark.parametrize("target_update", ["update", "cycle"])
def test_training_updates_and_changes_the_policy(deploy, target_update):
    agent = replace(SMALL.agent, deploy=deploy, target_update=target_update)
    config = replace(SMALL, agent=agent)
    result = train(POINT, config)
    assert result.progress.updates > 0
    assert result.progress.env_steps >= 300
    before = initial_policy(config, POINT)
    for (weight, bias), (old_weight, old_bias) in zip(
        result.policy.layers, before.layers, strict=True
    ):
        assert not np.array_equal(weight, old_weight)
        assert not np.array_equal(bias, old_bias)
    assert not np.array_equal(result.policy.mean, before.mean)


def test_progress_adds_up(point_demos):
    diary = Diary()
    result = train(POINT, SMALL, demos=point_demos, observers=[diary])
    progress = result.progress
    assert progress.episodes * 30 == progress.env_steps == 300
    # Two of ten episodes belong to the warm start; the others come in cycles of two.
    assert progress.updates == 4 * SMALL.cycle.updates
    assert progress.warm_start_updates == 20 + 10
    row = diary.rows[-1]
    assert row["time/env_steps"] == 300
    assert row["time/updates"] == progress.updates
    assert row["time/episodes"] == 10


def test_every_evaluation_has_its_row_of_metrics(point_demos):
    diary = Diary()
    result = train(POINT, SMALL, demos=point_demos, observers=[diary])
    # Due at 100, 200 and 300; cycles end at 120, 180, 240 and 300.
    assert [row["time/env_steps"] for row in diary.rows] == [120, 240, 300]
    assert diary.results[-1] == result.evaluation
    expected = {
        "eval/success_rate",
        "eval/mean_q",
        "rollout/success_rate",
        "train/critic_loss",
        "train/actor_loss",
        "train/bc_loss",
        "train/q_filter_pass_rate",
        "train/mean_q",
        "time/env_steps",
        "time/episodes",
        "time/updates",
        "time/wall_seconds",
    }
    for row, evaluation in zip(diary.rows, diary.results, strict=True):
        assert expected <= row.keys()
        assert np.isfinite(list(row.values())).all()
        assert row["eval/success_rate"] == evaluation.success_rate
    seconds = [row["time/wall_seconds"] for row in diary.rows]
    assert seconds == sorted(seconds)


def test_the_last_evaluation_can_be_repeated_with_the_policy_alone():
    result = train(POINT, replace(SMALL, seed=3))
    again = evaluate(result.policy, POINT, episodes=SMALL.evaluation.episodes, seed=3)
    assert again == result.evaluation


def test_phases_come_in_order(point_demos):
    config = replace(
        SMALL, warm_start=WarmStartConfig(bc_updates=100, episodes=2, critic_updates=50)
    )
    diary = Diary()
    train(POINT, config, demos=point_demos, observers=[diary])
    phases = [phase for phase, _, _ in diary.phases]
    assert phases[:3] == ["cloning demonstrations"] * 2 + ["teaching the critics"]
    assert set(phases[3:]) == {"training", "evaluating"}
    # An evaluation follows updates, never another evaluation; the run ends with one.
    assert phases[3] == "training"
    assert phases[-1] == "evaluating"
    assert ("evaluating", "evaluating") not in pairwise(phases)


def test_training_stops_once_the_target_is_reached(point_demos):
    config = replace(
        SMALL,
        env_steps=6000,
        target_success=0.9,
        warm_start=WarmStartConfig(bc_updates=1500, episodes=2, critic_updates=10),
        agent=DDPGConfig(hidden_sizes=(64, 64), tau=0.05),
        evaluation=EvaluationConfig(every=100, episodes=20),
    )
    demos = collect_demos(POINT, point_expert, episodes=30)
    result = train(POINT, config, demos=demos)
    assert result.evaluation.success_rate >= 0.9
    assert result.progress.env_steps < 3000


def test_no_more_steps_are_taken_than_a_cycle_beyond_the_limit():
    for env_steps in (1, 299, 300, 301):
        result = train(POINT, replace(SMALL, env_steps=env_steps))
        assert env_steps <= max(result.progress.env_steps, env_steps)
        assert result.progress.env_steps < env_steps + 2 * 30


def test_a_warm_start_that_uses_up_all_steps_still_ends_with_an_evaluation():
    config = replace(
        SMALL,
        env_steps=30,
        warm_start=WarmStartConfig(bc_updates=0, episodes=3, critic_updates=5),
    )
    result = train(POINT, config)
    assert result.progress.updates == 0
    assert result.evaluation.episodes == 4


def test_without_demonstrations_the_warm_start_collects_blindly():
    diary = Diary()
    spec, env = GoalSpec.from_env(make_env(POINT)), make_env(POINT)
    with SerialExecutor(POINT) as executor:
        reward = GoalReward(env)
        trainer = build_trainer(SMALL, spec, None, executor, reward, [diary])
        trainer._warm_start()
    actions = trainer.replay.actions[stored_rows(trainer.replay)]
    assert len(actions) == 60
    # Uniform over [-1, 1]: mean 0 and deviation 0.577.
    np.testing.assert_allclose(actions.std(axis=0), 0.577, atol=0.1)


@pytest.mark.parametrize("bc_weight", [0.0, 1.0])
@pytest.mark.parametrize("q_filter", [True, False])
def test_every_use_of_demonstrations_runs(point_demos, bc_weight, q_filter):
    diary = Diary()
    agent = replace(SMALL.agent, bc_weight=bc_weight, q_filter=q_filter, q_filter_from=0)
    result = train(POINT, replace(SMALL, agent=agent), demos=point_demos, observers=[diary])
    assert result.progress.updates > 0
    last = diary.rows[-1]
    assert ("train/q_filter_pass_rate" in last) == (bc_weight > 0)
    if bc_weight and not q_filter:
        assert last["train/q_filter_pass_rate"] == 1.0


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_trains(point_demos, name):
    preset = PRESETS[name]
    config = replace(
        preset,
        env_steps=300,
        demos=replace(preset.demos, num_episodes=None),
        agent=replace(preset.agent, hidden_sizes=(16, 16)),
        warm_start=replace(
            preset.warm_start,
            bc_updates=min(preset.warm_start.bc_updates, 10),
            episodes=min(preset.warm_start.episodes, 2),
            critic_updates=min(preset.warm_start.critic_updates, 10),
        ),
        cycle=replace(preset.cycle, updates=3),
        evaluation=EvaluationConfig(every=1000, episodes=2),
    )
    demos = None if name == "her" else point_demos
    assert train(POINT, config, demos=demos).progress.updates > 0


def test_an_env_that_terminates_can_be_trained_on():
    result = train("BitFlip-v0", replace(SMALL, env_steps=200))
    assert result.progress.updates > 0
    assert result.progress.env_steps >= 200


def test_only_as_many_demonstrations_as_asked_are_used(tmp_path, point_demos):
    config = replace(SMALL, demos=DemosConfig(fraction=0.25, num_episodes=2))
    train(POINT, config, demos=point_demos, out=tmp_path)
    record = json.loads((tmp_path / "config.json").read_text())
    assert record["demos"]["episodes"] == 2
    fewer = replace(point_demos, episodes=point_demos.episodes[:2])
    one, two = (
        train(POINT, replace(SMALL, env_steps=60, demos=c), demos=d).policy
        for c, d in [(config.demos, point_demos), (SMALL.demos, fewer)]
    )
    np.testing.assert_array_equal(weights_of(one), weights_of(two))


def test_demonstrations_of_another_env_are_refused_before_anything_is_written(
    tmp_path, point_demos
):
    with pytest.raises(InputError, match="PointReach-v0, not of BitFlip-v0"):
        train("BitFlip-v0", SMALL, demos=point_demos, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_replay_too_small_for_an_episode_is_told_in_words_before_training(tmp_path):
    with pytest.raises(InputError, match=r"replay_capacity.*10"):
        train(POINT, replace(SMALL, replay_capacity=10), out=tmp_path / "run")


def test_a_used_directory_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="already holds files"):
        train(POINT, SMALL, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_small_replay_forgets_and_training_goes_on():
    result = train(POINT, replace(SMALL, replay_capacity=70))
    assert result.progress.episodes == 10


class Noted(SerialExecutor):
    """An executor that keeps the jobs it is given."""

    def __init__(self, env_id):
        super().__init__(env_id)
        self.jobs = []

    def submit(self, jobs):
        self.jobs += jobs
        return super().submit(jobs)


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


class Batches(DDPG):
    """An agent that keeps the batches it learns from."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.batches: list[Batch] = []

    def update(self, batch):
        self.batches.append(batch)
        return super().update(batch)


def test_batches_hold_the_promised_share_of_demonstrations(point_demos):
    spec, env = GoalSpec.from_env(make_env(POINT)), make_env(POINT)
    with SerialExecutor(POINT) as executor:
        reward = GoalReward(env)
        trainer = build_trainer(SMALL, spec, point_demos, executor, reward, ())
        trainer.agent = Batches(
            SMALL.agent,
            observation_dim=spec.observation_dim,
            goal_dim=spec.goal_dim,
            action_low=spec.action_low,
            action_high=spec.action_high,
            reward_range=spec.reward_range,
            seed=0,
        )
        trainer.run()
    batches = trainer.agent.batches
    assert len(batches) == trainer.progress.updates
    assert {len(batch) for batch in batches} == {32}
    assert {int(batch.is_demo.sum()) for batch in batches} == {8}
    actions = {tuple(row) for episode in point_demos.episodes for row in episode.actions.tolist()}
    for batch in batches:
        assert all(tuple(row) in actions for row in batch.action[batch.is_demo == 1].tolist())
