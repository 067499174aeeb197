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
    version = "v3" if "Maze" in task else "v4"
    spec, mirror = GoalSpec.from_env(make_env(f"{task}-{version}")), KNOWN[task].mirror
    widths = (spec.observation_dim, spec.goal_dim, spec.action_dim)
    for axis_map, width in zip(
        (mirror.observation, mirror.goal, mirror.action), widths, strict=True
    ):
        assert sorted(axis_map.permutation) == list(range(width))
        assert len(axis_map.sign) == len(axis_map.offset) == width


def maze_steps(env_id, state, goal, actions):
    """States and rewards of a maze from a given state on."""
    env = make_env(env_id)
    env.reset(seed=0)
    maze = env.unwrapped
    maze.point_env.set_state(state[:2], state[2:])
    maze.goal = goal
    steps = [env.step(action) for action in actions]
    return [step[0]["observation"] for step in steps], [step[1] for step in steps]


@pytest.mark.mujoco
@pytest.mark.parametrize("env_id", ["PointMaze_UMaze-v3", "PointMaze_UMazeDense-v3"])
def test_the_u_maze_runs_the_same_in_the_mirror(env_id):
    mirror = known(env_id).mirror
    rng = np.random.default_rng(0)
    for _ in range(5):
        # In the upper or the lower arm of the U, now and then against a wall.
        state = np.array([*rng.uniform(-1.3, 1.3, 1), rng.choice([-1.0, 1.0]), *rng.normal(size=2)])
        goal = np.array([1.0, rng.uniform(-1.0, 1.0)])
        actions = np.repeat(rng.uniform(-1.0, 1.0, (10, 2)), 15, axis=0).astype(np.float32)
        states, rewards = maze_steps(env_id, state, goal, actions)
        images, same = maze_steps(
            env_id, mirror.observation(state), mirror.goal(goal), mirror.action(actions)
        )
        np.testing.assert_allclose(mirror.observation(np.stack(states)), images, atol=1e-4)
        np.testing.assert_allclose(same, rewards, atol=1e-4)


@pytest.mark.mujoco
def test_goals_of_pick_and_place_lie_on_the_table_or_clearly_above_it():
    env, parts = make_env("FetchPickAndPlace-v4"), KNOWN["FetchPickAndPlace"].goal_parts
    goals = np.stack([env.reset(seed=seed)[0]["desired_goal"] for seed in range(150)])
    in_air = np.array(parts.names(goals)) == "air"
    assert 50 < in_air.sum() < 100
    # The others lie at the one height at which the object rests.
    np.testing.assert_allclose(goals[~in_air, 2], 0.4249, rtol=0, atol=1e-5)
    assert goals[in_air, 2].min() > parts.threshold
