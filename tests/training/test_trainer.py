"""A run of training, from its warm start to its last evaluation."""

import itertools
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from builders import point_expert, point_policy
from small_runs import POINT, SMALL, Diary, Noted, weights_of

from headstart.agents.ddpg import DDPGConfig
from headstart.demos.record import collect_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.presets import PRESETS
from headstart.rollout.executors import SerialExecutor
from headstart.rollout.job import VALIDATION
from headstart.runs.preparation import prepare_run
from headstart.runs.train import train
from headstart.training.assembly import build_trainer
from headstart.training.config import EvaluationConfig, WarmStartConfig
from headstart.training.evaluation import run_evaluation, summarize


def initial_policy(config, env_id):
    spec = GoalSpec.from_env(make_env(env_id))
    env = make_env(env_id)
    with SerialExecutor(env_id) as executor:
        reward = GoalReward(env, spec)
        return build_trainer(config, spec, None, executor, reward, ()).agent.policy(deployed=True)


@pytest.mark.slow
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
    with SerialExecutor(POINT) as executor:
        trials = run_evaluation(executor, result.policy, episodes=4, seed=3, stream=VALIDATION)
    assert summarize(POINT, 3, *trials) == result.evaluation


def test_the_best_policy_is_chosen_on_goals_that_no_evaluation_reports():
    with Noted(POINT) as executor:
        env = make_env(POINT)
        spec = GoalSpec.from_env(env)
        trainer = build_trainer(SMALL, spec, None, executor, GoalReward(env, spec), ())
        trainer.run()
        chosen_on = {job.env_seed for job in executor.jobs if job.stream != "rollout"}
        learned_from = {job.env_seed for job in executor.jobs if job.stream == "rollout"}
    with Noted(f"{POINT},max_episode_steps=1") as executor:
        run_evaluation(executor, point_policy(), episodes=500, seed=SMALL.seed)
        reported = {job.env_seed for job in executor.jobs}
    assert (len(chosen_on), len(learned_from), len(reported)) == (4, 10, 500)
    assert not reported & (chosen_on | learned_from)
    assert not chosen_on & learned_from


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
            bc_updates=10 if preset.warm_start.bc_updates is None else 0,
            episodes=min(preset.warm_start.episodes or 2, 2),
            critic_updates=min(preset.warm_start.critic_updates, 10),
        ),
        cycle=replace(preset.cycle, updates=3, updates_per_step=None),
        evaluation=EvaluationConfig(every=1000, episodes=2),
    )
    demos = None if name == "her" else point_demos
    assert train(POINT, config, demos=demos).progress.updates > 0


def test_an_env_that_terminates_can_be_trained_on():
    result = train("BitFlip-v0", replace(SMALL, env_steps=200))
    assert result.progress.updates > 0
    assert result.progress.env_steps >= 200


def test_a_replay_too_small_for_an_episode_is_reported_in_words_before_training(tmp_path):
    with pytest.raises(InputError, match=r"replay_capacity.*10"):
        train(POINT, replace(SMALL, replay_capacity=10), out=tmp_path / "run")


def test_a_used_directory_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="already holds files"):
        train(POINT, SMALL, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_small_replay_forgets_and_training_continues():
    result = train(POINT, replace(SMALL, replay_capacity=70))
    assert result.progress.episodes == 10


def test_a_trainer_that_is_asked_to_stop_ends_where_it_can_be_saved_and_may_run_on(point_demos):
    expected = train(POINT, SMALL, demos=point_demos)
    with prepare_run(POINT, SMALL, point_demos, 0, None, []) as (trainer, _):
        moments, stops = itertools.count(), 0
        trainer.should_stop = lambda: next(moments) % 6 == 5
        while not trainer.run():
            stops += 1
            assert trainer.progress.env_steps == trainer.replay.num_added * 30
            assert stops < 100
        assert stops >= 3
        assert trainer.state.last_result == expected.evaluation
        policy = trainer.agent.policy(deployed=True)
    np.testing.assert_array_equal(weights_of(policy), weights_of(expected.policy))
