"""Whether clones are shown first steps of demonstrations with other goals too."""

import json
from dataclasses import replace

import gymnasium as gym
import pytest
from cut_runs import Cut, PowerCut
from outcomes import outcome
from plane_tasks import CARRY, SHOVE, Carry, Shove, carry, shove

from headstart import PRESETS, collect_demos, resume, train
from headstart.training.config import TrainConfig
from headstart.training.goal_use import GoalUse

for name, env in ((CARRY, Carry), (SHOVE, Shove)):
    gym.register(name, env, max_episode_steps=50)
SMALL = TrainConfig().with_(
    {
        "env_steps": 0,
        "batch_size": 64,
        "actor_inputs": "neither",
        "agent.hidden_sizes": (64, 64),
        "warm_start.bc_updates": 1000,
        "evaluation.episodes": 100,
    }
)


def clone(env_id, demonstrator, episodes, **settings):
    demos = collect_demos(env_id, demonstrator, episodes=episodes)
    return train(env_id, SMALL.with_(settings), demos=demos)


def read_choice(directory):
    return json.loads((directory / "config.json").read_text())["config"]["demos"]["other_goals"]


@pytest.mark.slow
def test_where_goals_mislead_a_clone_is_better_with_others(caplog):
    caplog.set_level("INFO")
    # Weight decay helps against chance too.
    alone = {"agent.actor_decay": 0.0}
    chosen = clone(CARRY, carry, 8, **alone)
    assert "such steps are shown with other goals too" in caplog.text
    as_shown = clone(CARRY, carry, 8, **alone, **{"demos.other_goals": False})
    assert chosen.evaluation.success_rate > as_shown.evaluation.success_rate + 0.15


@pytest.mark.slow
def test_where_the_first_steps_depend_on_the_goal_they_are_left_as_they_are(caplog, tmp_path):
    caplog.set_level("INFO")
    demos = collect_demos(SHOVE, shove, episodes=40)
    config = SMALL.with_({"warm_start.bc_updates": 10, "evaluation.episodes": 2})
    train(SHOVE, config, demos=demos, out=tmp_path / "run")
    assert "other goals" not in caplog.text
    assert read_choice(tmp_path / "run") is False


def test_two_demonstrations_say_nothing(tmp_path):
    demos = collect_demos(CARRY, carry, episodes=2)
    config = SMALL.with_({"warm_start.bc_updates": 10, "evaluation.episodes": 2})
    train(CARRY, config, demos=demos, out=tmp_path / "run")
    assert read_choice(tmp_path / "run") is False


@pytest.mark.slow
def test_a_run_that_is_resumed_keeps_what_was_chosen(tmp_path):
    demos = collect_demos(CARRY, carry, episodes=8)
    config = SMALL.with_(
        {
            "env_steps": 300,
            "batch_size": 32,
            "agent.hidden_sizes": (32, 32),
            "warm_start.bc_updates": 50,
            "warm_start.episodes": 2,
            "warm_start.critic_updates": 20,
            "evaluation.episodes": 2,
            "checkpoint.seconds": 0.0,
        }
    )
    train(CARRY, config, demos=demos, out=tmp_path / "whole")
    with pytest.raises(PowerCut):
        train(CARRY, config, demos=demos, out=tmp_path / "cut", observers=Cut(4))
    resume(tmp_path / "cut")
    assert read_choice(tmp_path / "cut") is read_choice(tmp_path / "whole") is True
    assert outcome(tmp_path / "cut") == outcome(tmp_path / "whole")


def test_the_published_presets_show_demonstrations_as_they_are():
    for name in ("nair2018", "her"):
        assert PRESETS[name].demos.other_goals is False
    assert PRESETS["fast"].demos.other_goals is None


def test_little_better_is_not_enough():
    assert GoalUse(seeing=1.0, blind=0.8).misleads
    assert not replace(GoalUse(seeing=1.0, blind=0.8), blind=0.95).misleads
