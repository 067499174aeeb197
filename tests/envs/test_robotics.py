import gymnasium as gym
import numpy as np
import pytest

from headstart.envs import robotics
from headstart.envs.make import make_env

FETCH = ["FetchReach-v4", "FetchPickAndPlace-v4", "FetchSlide-v4"]


@pytest.mark.slow
@pytest.mark.parametrize("env_id", [*FETCH, "HandReach-v3"])
def test_a_quickened_environment_gives_the_same_bits(env_id):
    robotics.register()
    plain = gym.make(env_id, disable_env_checker=True)
    quick = make_env(env_id)
    assert type(quick.unwrapped._utils) is not type(plain.unwrapped._utils)
    assert ("generate_mujoco_observations" in vars(quick.unwrapped)) == (env_id in FETCH)
    rng = np.random.default_rng(0)
    for seed in (3, 4):
        first, second = plain.reset(seed=seed)[0], quick.reset(seed=seed)[0]
        for _ in range(50):
            assert_same(first, second)
            action = rng.uniform(-1.0, 1.0, plain.action_space.shape).astype(np.float32)
            if env_id in FETCH:
                # To where the object is, and onto it: it is to turn.
                way = first["achieved_goal"] - first["observation"][:3]
                action[:3] = np.clip(10.0 * way + 0.3 * action[:3], -1.0, 1.0)
            first, *answer = plain.step(action)
            second, *other = quick.step(action)
            assert answer == other
        assert_same(first, second)


def assert_same(first, second):
    for key, array in first.items():
        assert (array.dtype, array.tobytes()) == (second[key].dtype, second[key].tobytes())


def test_environments_that_are_built_otherwise_are_left_alone():
    env = make_env("PointReach-v0")
    assert not hasattr(env.unwrapped, "_utils")
