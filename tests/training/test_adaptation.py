"""Settings that are left open: what they become by the length of the run and of its episodes."""

import json
from dataclasses import replace
from itertools import product

import gymnasium as gym
import numpy as np
import pytest
from small_runs import POINT, SMALL, Diary

from headstart.cli.parser import default_collectors
from headstart.cli.running import most_at_once
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.envs.toy import PointReach
from headstart.errors import InputError
from headstart.presets import FAST, PRESETS
from headstart.runs.record import read_record
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.adaptation import adapt, adapt_to_demos, keep_adapted
from headstart.training.config import CycleConfig, EvaluationConfig, TrainConfig, WarmStartConfig

POINT_SPEC = GoalSpec.from_env(make_env(POINT))
HORIZONS = (1, 10, 30, 50, 80, 100, 300, 700, 1000, 5000, 20_000)
LENGTHS = (1, 100, 1000, 3000, 15_000, 60_000, 1_000_000)


def spec_of(horizon):
    return replace(POINT_SPEC, max_episode_steps=horizon)


def adapt_fast(horizon, env_steps=15_000, **settings):
    return adapt(replace(FAST, env_steps=env_steps, **settings), spec_of(horizon))


def test_a_fetch_task_keeps_what_its_numbers_were_measured_with():
    config = adapt_fast(50)
    assert config.warm_start.episodes == 20
    assert config.cycle == CycleConfig(episodes=2, updates_per_step=0.5)
    assert config.evaluation == EvaluationConfig(every=2000, episodes=50)


@pytest.mark.parametrize(
    ("horizon", "discount", "combination", "fraction"),
    [(10, 0.98, "min", 0.8), (80, 0.9875, "min", 0.8), (300, 0.99, "mean", 0.5)],
)
def test_goals_that_are_far_take_a_longer_discount_where_nothing_shows_the_way(
    horizon, discount, combination, fraction, point_demos
):
    config = adapt_to_demos(FAST, spec_of(horizon), ())
    assert (config.agent.discount, config.agent.target_combination) == (discount, combination)
    assert config.hindsight.relabel_fraction == fraction
    given = {"agent.discount": 0.9, "agent.target_combination": "min"}
    assert adapt_to_demos(FAST.with_(given), spec_of(horizon), ()).agent.discount == 0.9
    shown = adapt_to_demos(FAST, spec_of(horizon), point_demos.episodes)
    assert (shown.agent.discount, shown.agent.target_combination) == (0.98, "min")


def test_goals_that_are_near_take_a_short_discount_where_nothing_shows_the_way(point_demos):
    near = replace(spec_of(50), goals_near=True)
    assert adapt_to_demos(FAST, near, ()).agent.discount == 0.9
    assert adapt_to_demos(FAST, near, point_demos.episodes).agent.discount == 0.98
    assert adapt_to_demos(FAST.with_({"agent.discount": 0.97}), near, ()).agent.discount == 0.97


@pytest.mark.parametrize(("horizon", "env_steps"), product(HORIZONS, LENGTHS))
def test_whatever_the_horizon_the_warm_start_leaves_updates_and_evaluations_end(horizon, env_steps):
    config = adapt_fast(horizon, env_steps)
    warm_start, evaluation = config.warm_start.episodes, config.evaluation
    assert 1 <= warm_start <= 20
    if horizon < env_steps:
        assert warm_start * horizon < env_steps
    assert warm_start == 20 or (warm_start + 1) * horizon > min(6000, 0.75 * env_steps)
    assert 1 <= evaluation.episodes <= 50
    evaluations = max(1, env_steps // evaluation.every)
    spent = evaluations * evaluation.episodes * horizon
    assert spent <= 2 * max(env_steps, 2000, horizon)
    # Episodes below ten are given up last.
    assert evaluations == 1 or evaluation.episodes >= 10 or evaluation.every == 2000
    assert evaluations >= 4 or evaluation.every == 2000 or 4 * 10 * horizon > 2 * env_steps


@pytest.mark.parametrize(
    ("horizon", "every", "episodes"),
    [(100, 2500, 50), (300, 3750, 25), (700, 3750, 10), (1000, 5000, 10), (5000, 15_000, 6)],
)
def test_evaluations_are_given_up_before_episodes_below_ten(horizon, every, episodes):
    assert adapt_fast(horizon).evaluation == EvaluationConfig(every=every, episodes=episodes)
    assert adapt_fast(horizon, 0).evaluation == adapt_fast(horizon).evaluation


def test_the_ant_maze_of_700_steps_is_not_evaluated_for_longer_than_it_is_trained():
    config = adapt_fast(700)
    evaluations = 15_000 // config.evaluation.every
    assert evaluations == 4
    assert evaluations * config.evaluation.episodes * 700 <= 2 * 15_000
    assert config.warm_start.episodes * 700 < 15_000 / 2


def test_what_is_given_stays_as_it_is():
    given = replace(
        SMALL,
        warm_start=WarmStartConfig(episodes=17, episodes_in_doubt=40),
        evaluation=EvaluationConfig(every=7, episodes=3),
        cycle=CycleConfig(updates_per_step=0.25),
    )
    assert adapt(given, spec_of(5000)) == given
    for name in ("nair2018", "her"):
        assert adapt(PRESETS[name], spec_of(5000)) == PRESETS[name]
    few = adapt_fast(5000, evaluation=EvaluationConfig(episodes=2)).evaluation
    assert few == EvaluationConfig(every=5000, episodes=2)
    often = adapt_fast(5000, evaluation=EvaluationConfig(every=100)).evaluation
    assert often == EvaluationConfig(every=100, episodes=1)
    many = adapt_fast(5000, evaluation=EvaluationConfig(episodes=100)).evaluation
    assert many == EvaluationConfig(every=15_000, episodes=100)


@pytest.mark.parametrize(
    ("horizon", "env_steps", "episodes", "in_doubt"),
    [
        (50, 15_000, 20, 60),
        (50, 2000, 20, 30),
        (50, 1000, 15, 15),
        (50, 0, 20, 60),
        (700, 0, 8, 24),
    ],
)
def test_doubt_takes_no_more_than_three_quarters_of_the_env_steps(
    horizon, env_steps, episodes, in_doubt
):
    warm_start = adapt_fast(horizon, env_steps).warm_start
    assert (warm_start.episodes, warm_start.episodes_in_doubt) == (episodes, in_doubt)
    assert warm_start.most_episodes == in_doubt
    given = adapt_fast(horizon, env_steps, warm_start=WarmStartConfig(episodes=2)).warm_start
    assert given.episodes_in_doubt == 2


@pytest.mark.parametrize(("num_demos", "decay"), [(0, 0.0), (1, 1.0), (20, 1.0), (21, 0.3)])
def test_the_actor_shrinks_where_there_are_demonstrations_and_more_where_they_are_few(
    num_demos, decay, point_demos
):
    demos = [point_demos.episodes[0]] * num_demos
    assert adapt_to_demos(FAST, POINT_SPEC, demos).agent.actor_decay == decay
    given = FAST.with_({"agent.actor_decay": 0.1})
    assert adapt_to_demos(given, POINT_SPEC, demos).agent.actor_decay == 0.1


@pytest.mark.parametrize(("num_demos", "share"), [(0, 0.0), (1, 0.5), (2, 0.5)])
def test_half_of_the_episodes_are_greedy_where_demonstrations_say_what_to_do(
    num_demos, share, point_demos
):
    demos = point_demos.episodes[:num_demos]
    assert adapt_to_demos(FAST, POINT_SPEC, demos).exploration.greedy_episodes == share
    begun = FAST.with_({"init_policy": "policy.safetensors"})
    assert adapt_to_demos(begun, POINT_SPEC, demos).exploration.greedy_episodes == 0.5
    given = FAST.with_({"exploration.greedy_episodes": 0.25})
    assert adapt_to_demos(given, POINT_SPEC, demos).exploration.greedy_episodes == 0.25


def test_the_q_filter_has_a_margin_where_demonstrations_are_few_or_some_failed(point_demos):
    good = point_demos.episodes[0]
    bad = replace(good, is_success=np.zeros_like(good.is_success))
    margins = [
        adapt_to_demos(FAST.with_(settings), POINT_SPEC, demos).agent.q_filter_margin
        for settings, demos in (
            ({}, ()),
            ({}, [good] * 20),
            ({}, [good] * 21),
            ({}, [good] * 21 + [bad]),
            ({}, [good] + [bad] * 4),
            ({"agent.q_filter_margin": 0.5}, [good, bad]),
        )
    ]
    assert margins == [0.0, 1.0, 0.0, 1.0, 0.0, 0.5]


def test_cloning_alone_leaves_the_warm_start_of_a_longer_run_as_it_is_by_default():
    assert adapt_fast(50, 0).warm_start.episodes == 20
    assert adapt_fast(700, 0).warm_start.episodes == adapt_fast(700).warm_start.episodes


def test_updates_and_their_ratio_exclude_each_other():
    with pytest.raises(InputError, match=r"cycle\.updates and .* exclude .*, got 5 and 0\.5"):
        CycleConfig(updates=5, updates_per_step=0.5)
    with pytest.raises(InputError, match="exclude each other"):
        PRESETS["her"].with_({"cycle.updates_per_step": 5.0})
    changed = PRESETS["her"].with_({"cycle.updates_per_step": 5.0, "cycle.updates": None})
    assert adapt(changed, POINT_SPEC).cycle.updates_per_step == 5.0
    assert adapt(FAST.with_({"cycle.updates": 40}), POINT_SPEC).cycle.updates_per_step is None


def test_what_is_left_open_on_resume_is_what_the_run_has():
    before = adapt_fast(700)
    assert keep_adapted(replace(FAST, env_steps=15_000), before) == before
    assert keep_adapted(before, before) == before
    other = replace(FAST, cycle=CycleConfig(updates=3))
    assert keep_adapted(other, before).cycle.updates_per_step is None


def test_the_record_holds_what_was_used(tmp_path):
    config = replace(
        SMALL,
        cycle=CycleConfig(episodes=2),
        warm_start=WarmStartConfig(bc_updates=0, critic_updates=2),
        evaluation=EvaluationConfig(episodes=2),
    )
    progress = train(POINT, config, out=tmp_path / "run").progress
    used = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    # Three quarters of 300 env steps are 7 episodes of 30.
    assert used["warm_start"]["episodes"] == progress.warm_start_env_steps // 30 == 7
    assert used["cycle"] == {"episodes": 2, "updates_per_step": 0.5, "updates": None, "ahead": True}
    assert used["evaluation"] == {"every": 2000, "episodes": 2, "at_start": False}
    assert progress.updates == (300 - 210 + 30) // 2
    # The same settings, open as they are, belong to the same run.
    assert resume(tmp_path / "run", config).progress.env_steps == progress.env_steps


def test_a_record_of_an_earlier_version_is_read(tmp_path):
    train(POINT, SMALL, out=tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    record = json.loads(path.read_text())
    record["config"]["cycle"]["updates_per_step"] = 0.5
    for name in ("goal_strategy_sha256",):
        del record[name]
    del record["config"]["failures"]
    # What was not there is off, and not what a run of today would make of it.
    del record["config"]["agent"]["actor_decay"], record["config"]["agent"]["q_filter_margin"]
    del record["config"]["exploration"]["greedy_episodes"]
    path.write_text(json.dumps(record))
    assert read_record(tmp_path / "run").config == SMALL
    assert resume(tmp_path / "run", {"env_steps": 360}).progress.env_steps == 360


class LongReach(PointReach):
    """PointReach whose episodes are long."""


gym.register("Reach1000-v0", entry_point=LongReach, max_episode_steps=1000)
TINY = {"agent.hidden_sizes": (8,), "batch_size": 16, "evaluation.episodes": 1}
QUICK = {**TINY, "warm_start.critic_updates": 5, "cycle.updates_per_step": 0.01}


@pytest.mark.slow
def test_episodes_of_1000_steps_leave_updates_within_the_env_steps(caplog):
    config = TrainConfig().with_({**QUICK, "env_steps": 5000})
    progress = train("Reach1000-v0", config).progress
    assert progress.warm_start_env_steps == 3000
    assert 5000 <= progress.env_steps < 5000 + 2 * 1000
    assert progress.updates > 0
    assert "no updates" not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "env_steps", "enough"),
    [({}, 1000, 3000), ({}, 300, 3000), ({"warm_start.episodes": 2}, 1500, 4000)],
)
def test_a_run_that_may_have_no_updates_says_so_before_it_starts(
    caplog, settings, env_steps, enough
):
    class Listens(Diary):
        def started(self, config, run):
            self.said = list(caplog.messages)

    listens = Listens()
    config = TrainConfig().with_({**QUICK, **settings, "env_steps": env_steps})
    progress = train("Reach1000-v0", config, observers=[listens]).progress
    assert progress.updates == 0
    assert progress.env_steps < env_steps + 1000
    (said,) = listens.said
    assert said.startswith(f"env_steps {env_steps} may leave no updates: ")
    assert said.endswith(f"pass --env-steps {enough} or more")
    caplog.clear()
    train("Reach1000-v0", config.with_({"env_steps": enough}))
    assert "no updates" not in caplog.text


def test_collectors_are_as_many_as_an_evaluation_keeps_busy(monkeypatch):
    monkeypatch.setattr("headstart.cli.parser.usable_cores", lambda: 64)
    assert default_collectors(most_at_once(FAST)) == 50
    assert default_collectors(most_at_once(SMALL)) == 4
    assert default_collectors(most_at_once(replace(SMALL, cycle=CycleConfig(episodes=30)))) == 30
