import numpy as np
import pytest

from headstart.data.goals import GoalRegions
from headstart.envs.goal_env import GoalSpec
from headstart.envs.known import KNOWN, Known, known, regions_by_name
from headstart.envs.make import make_env


@pytest.mark.parametrize("version", ["-v4", "Dense-v4"])
def test_every_version_of_a_task_is_known(version):
    env_id = f"FetchPickAndPlace{version}"
    assert known(make_env(env_id)) == KNOWN["FetchPickAndPlace"]
    for name in (
        env_id,
        "FetchPickAndPlace-v1",
        f"gymnasium_robotics:{env_id}",
        f"{env_id},max_episode_steps=9",
    ):
        assert regions_by_name(name) is KNOWN["FetchPickAndPlace"].regions


@pytest.mark.parametrize("env_id", ["PointReach-v0", "HandReach-v3"])
def test_nothing_is_claimed_of_other_environments(env_id):
    assert known(make_env(env_id)) == Known()


@pytest.mark.parametrize(
    "env_id", ["PointReach-v0", "HandReach-v3", "Fetch-v1", "FetchPickAndPlace2-v4"]
)
def test_no_regions_are_claimed_of_other_names(env_id):
    assert regions_by_name(env_id) is None


def test_goals_above_the_threshold_belong_to_the_upper_region():
    regions = GoalRegions(coordinate=1, threshold=0.5, above="high", below="low")
    goals = np.array([[9.0, 0.4], [0.0, 0.6], [9.0, 0.5]], np.float32)
    assert regions.names(goals) == ["low", "high", "low"]


@pytest.mark.parametrize("task", sorted(KNOWN))
def test_a_mirror_fits_the_spaces_of_its_environment(task):
    version = "v3" if "Maze" in task else "v4"
    spec, mirror = GoalSpec.from_env(make_env(f"{task}-{version}")), KNOWN[task].mirror
    assert spec.mirror is mirror
    widths = (spec.observation_dim, spec.goal_dim, spec.action_dim)
    for axis_map, width in zip(
        (mirror.observation, mirror.goal, mirror.action), widths, strict=True
    ):
        assert sorted(axis_map.permutation) == list(range(width))
        assert len(axis_map.sign) == len(axis_map.offset) == width


@pytest.mark.parametrize("task", ["FetchReach", "FetchPickAndPlace"])
def test_what_is_said_to_do_nothing_does_nothing(task):
    env, layout = make_env(f"{task}-v4"), KNOWN[task].layout
    assert (layout.gripper_action is None) == (layout.unused_actions == (3,))
    seen = []
    for share in (-1.0, 1.0):
        env.reset(seed=0)
        seen.append([env.step(np.float32([0, 0, 0, share]))[0]["observation"] for _ in range(3)])
    assert np.array_equal(*seen) == bool(layout.unused_actions)


def maze_steps(env_id, state, goal, actions):
    """States and rewards of a maze from a given state on."""
    env = make_env(env_id)
    env.reset(seed=0)
    maze = env.unwrapped
    maze.point_env.set_state(state[:2], state[2:])
    maze.goal = goal
    steps = [env.step(action) for action in actions]
    return [step[0]["observation"] for step in steps], [step[1] for step in steps]


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["PointMaze_UMaze-v3", "PointMaze_UMazeDense-v3"])
def test_the_u_maze_runs_the_same_in_the_mirror(env_id):
    mirror = known(make_env(env_id)).mirror
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


def test_goals_of_pick_and_place_lie_on_the_table_or_clearly_above_it():
    env, regions = make_env("FetchPickAndPlace-v4"), KNOWN["FetchPickAndPlace"].regions
    goals = np.stack([env.reset(seed=seed)[0]["desired_goal"] for seed in range(150)])
    in_air = np.array(regions.names(goals)) == "air"
    assert 50 < in_air.sum() < 100
    # The others lie at the one height at which the object rests.
    np.testing.assert_allclose(goals[~in_air, 2], 0.4249, rtol=0, atol=1e-5)
    assert goals[in_air, 2].min() > regions.threshold
