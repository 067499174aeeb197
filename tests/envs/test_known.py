import numpy as np
import pytest

from headstart.envs.goal_env import GoalSpec
from headstart.envs.known import KNOWN, GoalParts, Known, known
from headstart.envs.make import make_env


@pytest.mark.parametrize(
    "env_id",
    [
        "FetchPickAndPlace-v4",
        "FetchPickAndPlace-v1",
        "FetchPickAndPlaceDense-v4",
        "gymnasium_robotics:FetchPickAndPlace-v4",
    ],
)
def test_every_name_of_a_task_is_known(env_id):
    assert known(env_id) is KNOWN["FetchPickAndPlace"]


@pytest.mark.parametrize(
    "env_id", ["PointReach-v0", "HandReach-v3", "Fetch-v1", "FetchPickAndPlace2-v4"]
)
def test_nothing_is_claimed_of_other_environments(env_id):
    assert known(env_id) == Known(mirror=None, goal_parts=None)


def test_goals_above_the_threshold_belong_to_the_upper_part():
    parts = GoalParts(coordinate=1, threshold=0.5, above="high", below="low")
    goals = np.array([[9.0, 0.4], [0.0, 0.6], [9.0, 0.5]], np.float32)
    assert parts.names(goals) == ["low", "high", "low"]


@pytest.mark.mujoco
@pytest.mark.parametrize("task", sorted(KNOWN))
def test_a_mirror_fits_the_spaces_of_its_environment(task):
    spec, mirror = GoalSpec.from_env(make_env(f"{task}-v4")), KNOWN[task].mirror
    widths = (spec.observation_dim, spec.goal_dim, spec.action_dim)
    for axis_map, width in zip(
        (mirror.observation, mirror.goal, mirror.action), widths, strict=True
    ):
        assert sorted(axis_map.permutation) == list(range(width))
        assert len(axis_map.sign) == len(axis_map.offset) == width


@pytest.mark.mujoco
def test_goals_of_pick_and_place_lie_on_the_table_or_clearly_above_it():
    env, parts = make_env("FetchPickAndPlace-v4"), KNOWN["FetchPickAndPlace"].goal_parts
    goals = np.stack([env.reset(seed=seed)[0]["desired_goal"] for seed in range(150)])
    in_air = np.array(parts.names(goals)) == "air"
    assert 50 < in_air.sum() < 100
    # The others lie at the one height at which the object rests.
    np.testing.assert_allclose(goals[~in_air, 2], 0.4249, rtol=0, atol=1e-5)
    assert goals[in_air, 2].min() > parts.threshold
