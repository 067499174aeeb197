import gymnasium as gym
import numpy as np
import pytest

from headstart.envs.goal_env import GoalSpec
from headstart.envs.known import Known, known, regions_by_name
from headstart.envs.make import make_env
from headstart.envs.symmetry_check import mirror_defect
from headstart.training.config import TrainConfig
from headstart.training.sampling import choose_mirror

SYMMETRIC = ("FetchReach-v4", "FetchPush-v4", "FetchSlide-v4", "FetchPickAndPlace-v4",
             "FetchReachDense-v4", "PointMaze_UMaze-v3")  # fmt: skip


class Reordered(gym.ObservationWrapper):
    """The same numbers in another order."""

    def __init__(self, env, order):
        super().__init__(env)
        self._order = order

    def observation(self, observation):
        return {**observation, "observation": observation["observation"][self._order]}


class Longer(gym.ObservationWrapper):
    """One number more, such as the time."""

    def __init__(self, env):
        super().__init__(env)
        box = env.observation_space["observation"]
        self.observation_space = gym.spaces.Dict(
            {
                **env.observation_space.spaces,
                "observation": gym.spaces.Box(-np.inf, np.inf, (box.shape[0] + 1,), np.float64),
            }
        )

    def observation(self, observation):
        return {**observation, "observation": np.append(observation["observation"], 0.0)}


def swap_entries(env_id, first, second):
    env = make_env(env_id)
    order = np.arange(env.observation_space["observation"].shape[0])
    order[[first, second]] = order[[second, first]]
    return Reordered(env, order)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", SYMMETRIC)
def test_what_is_known_to_be_symmetric_moves_so(env_id):
    env = make_env(env_id)
    assert known(env).mirror is not None
    assert mirror_defect(env, known(env).mirror) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env_id", "first", "second"),
    [
        ("FetchReach-v4", 0, 1), ("FetchReach-v4", 1, 2), ("FetchReach-v4", 5, 6),
        ("FetchReach-v4", 3, 6), ("FetchPickAndPlace-v4", 3, 4), ("FetchPickAndPlace-v4", 6, 7),
        ("FetchPickAndPlace-v4", 20, 21), ("PointMaze_UMaze-v3", 0, 1),
        ("PointMaze_UMaze-v3", 2, 3),
    ],
)  # fmt: skip
def test_a_wrapper_that_reorders_what_is_reflected_is_noticed(env_id, first, second):
    assert "in its mirror" in mirror_defect(
        swap_entries(env_id, first, second), known(make_env(env_id)).mirror
    )


def test_a_wrapper_that_adds_a_number_is_noticed():
    defect = mirror_defect(
        Longer(make_env("FetchReach-v4")), known(make_env("FetchReach-v4")).mirror
    )
    assert defect == "its observation has shape (11,), its mirror 10 numbers"


def test_a_class_of_the_users_own_is_not_known_by_its_name():
    entry = gym.registry["PointReach-v0"].entry_point
    gym.register("FetchReach-v77", entry_point=entry, max_episode_steps=30)
    try:
        assert regions_by_name("FetchReach-v77") is None
        assert known(make_env("FetchReach-v77")) == Known()
    finally:
        del gym.registry["FetchReach-v77"]


def test_a_maze_with_another_map_is_not_known_by_its_name():
    maze_map = [[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]]
    env = gym.make("PointMaze_UMaze-v3", maze_map=maze_map)
    assert known(env).mirror is None
    assert known(gym.make("PointMaze_UMaze-v3", continuing_task=False)).mirror is not None


def test_a_run_says_whether_it_uses_mirror_images(caplog):
    caplog.set_level("INFO", "headstart")
    env = make_env("FetchReach-v4")
    spec = GoalSpec.from_env(env)
    assert choose_mirror(TrainConfig(), spec, env) is spec.mirror
    assert choose_mirror(TrainConfig(symmetry=False), spec, env) is None
    assert choose_mirror(TrainConfig(), spec, swap_entries("FetchReach-v4", 0, 1)) is None
    used, refused = [record.message for record in caplog.records]
    assert "half of each batch is mirrored" in used
    assert refused.startswith("FetchReach-v4: mirror images are not used: its episodes begin")
