"""Demonstrations are held against the environment that they are used for."""

from dataclasses import replace

import numpy as np
import pytest
from builders import is_one_line, point_expert
from changed_demos import all_of, change_episode

from headstart.demos.record import collect_demos
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError


@pytest.fixture(scope="module")
def demos():
    return collect_demos("PointReach-v0", point_expert, episodes=2)


def test_demonstrations_of_another_version_of_the_environment_fit(demos):
    spec = GoalSpec.from_env(make_env("PointReach-v0"))
    replace(demos, env_id="PointReach-v7").check_fits(spec)


def test_demonstrations_of_another_environment_are_refused(demos):
    spec = GoalSpec.from_env(make_env("PointReach-v0"))
    with pytest.raises(InputError, match="are of BitFlip-v0, not of PointReach-v0") as caught:
        replace(demos, env_id="BitFlip-v0").check_fits(spec)
    assert is_one_line(str(caught.value))


@pytest.mark.parametrize("action", [1.001, -7.0])
def test_actions_beyond_the_bounds_are_refused_with_their_episode(demos, action):
    spec = GoalSpec.from_env(make_env("PointReach-v0"))
    demos.check_fits(spec)
    actions = demos.episodes[1].actions.copy()
    actions[1, 0] = action
    with pytest.raises(InputError, match=f"action {action:g} in episode 1") as caught:
        change_episode(demos, 1, actions=actions).check_fits(spec)
    assert is_one_line(str(caught.value))


def test_numbers_for_the_reward_that_the_header_does_not_name_are_refused(demos):
    spec = GoalSpec.from_env(make_env("PointReach-v0"))
    unnamed = all_of(demos, reward_infos=lambda ep: np.ones((len(ep), 2)))
    with pytest.raises(InputError, match="reward_infos width 2, PointReach-v0 has 0"):
        unnamed.check_fits(spec)


@pytest.mark.parametrize("part", ["observation", "goal", "action"])
def test_demonstrations_of_another_width_are_refused(demos, part):
    spec = GoalSpec.from_env(make_env("PointReach-v0"))
    widths = {
        "observation": {"observation_dim": 5},
        "goal": {"goal_dim": 5},
        "action": {"action_low": (0.0,) * 5, "action_high": (1.0,) * 5},
    }[part]
    with pytest.raises(InputError, match=part) as caught:
        demos.check_fits(replace(spec, **widths))
    assert is_one_line(str(caught.value))
    assert "5" in str(caught.value)


def straight_at_the_goal(observation):
    velocity = observation["observation"][2:]
    return np.clip(
        5 * (observation["desired_goal"] - observation["achieved_goal"]) - velocity, -1, 1
    )


@pytest.mark.slow
@pytest.mark.parametrize("goes_on", [True, False])
def test_demonstrations_that_end_otherwise_than_the_environment_are_refused(goes_on):
    mazes = [f"PointMaze_UMaze-v3,continuing_task={ends}" for ends in ("false", "true")]
    demos = collect_demos(mazes[goes_on], straight_at_the_goal, episodes=2)
    same, other = [
        GoalSpec.from_env(make_env(maze)) for maze in (mazes[goes_on], mazes[not goes_on])
    ]
    demos.check_fits(same)
    difference = "continue after" if goes_on else "end by"
    with pytest.raises(InputError, match=f"{difference} reaching their goal") as caught:
        demos.check_fits(other)
    # As the command line takes it.
    assert f"--task.success-terminates {not goes_on};" in str(caught.value)
    assert is_one_line(str(caught.value))
