import gymnasium as gym
import numpy as np
import pytest

from headstart.envs import robotics
from headstart.envs.make import make_env

pytestmark = pytest.mark.mujoco


@pytest.mark.parametrize("env_id", ["FetchReach-v4", "FetchPickAndPlace-v4", "HandReach-v3"])
def test_a_quickened_environment_gives_the_same_bits(env_id):
    robotics.register()
    plain = gym.make(env_id, disable_env_checker=True)
    quick = make_env(env_id)
    assert type(quick.unwrapped._utils) is not type(plain.unwrapped._utils)
    actions = np.random.default_rng(0)
    first, _ = plain.reset(seed=3)
    second, _ = quick.reset(seed=3)
    for _ in range(30):
        for key in first:
            assert np.array_equal(first[key], second[key])
        action = actions.uniform(-1.0, 1.0, plain.action_space.shape).astype(np.float32)
        first, reward, *_ = plain.step(action)
        second, other_reward, *_ = quick.step(action)
        assert reward == other_reward


def test_environments_that_are_built_otherwise_are_left_alone():
    env = make_env("PointReach-v0")
    assert not hasattr(env.unwrapped, "_utils")
