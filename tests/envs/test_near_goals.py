"""Goals that are a few steps away, told by a few random actions."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from headstart.envs.make import make_env
from headstart.envs.near_goals import goals_are_near
from headstart.envs.probe import take_steps


@pytest.mark.parametrize(
    ("env_id", "near"),
    [
        # Each action is a pose of all joints, and each bit that is flipped counts.
        ("HandReach-v3", True),
        ("BitFlip-v0", True),
        ("PointReach-v0", False),
        ("FetchReach-v4", False),
        ("FetchPush-v4", False),
    ],
)
def test_goals_are_near_where_a_few_random_actions_go_half_as_far(env_id, near):
    env = make_env(env_id)
    assert goals_are_near(env, take_steps(env)) is near
    # What cannot be told from episodes that are this short.
    assert not goals_are_near(env, take_steps(env, [2, 1, 2]))


class Line(gym.Env):
    """Whole numbers on a line, some steps apart."""

    def __init__(self, dtype, farthest):
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        goal = spaces.Box(np.zeros(3, dtype), np.full(3, 100).astype(dtype), dtype=dtype)
        self.observation_space = spaces.Dict(
            {"observation": goal, "achieved_goal": goal, "desired_goal": goal}
        )
        self.dtype, self.farthest = dtype, farthest

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = np.full(3, 50)
        self.goal = 50 + self.np_random.integers(-self.farthest, self.farthest, 3, endpoint=True)
        return self.seen(), {}

    def step(self, action):
        self.place = self.place + (1 if action[0] > 0.0 else -1)
        return self.seen(), -1.0, False, False, {}

    def seen(self):
        place, goal = self.place.astype(self.dtype), self.goal.astype(self.dtype)
        return {"observation": place, "achieved_goal": place, "desired_goal": goal}


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize(("farthest", "near"), [(2, True), (40, False)])
def test_whole_numbers_without_a_sign_are_as_far_as_they_are(dtype, farthest, near):
    env = Line(dtype, farthest)
    assert goals_are_near(env, take_steps(env)) is near


class Bits(Line):
    """Truths, all of which an action sets."""

    def seen(self):
        place, goal = self.place % 2 == 0, self.goal % 2 == 0
        return {"observation": place, "achieved_goal": place, "desired_goal": goal}


def test_truths_can_be_goals():
    env = Bits(bool, 2)
    assert goals_are_near(env, take_steps(env))


def test_two_near_goals_among_far_ones_are_chance():
    class Lucky(Line):
        def reset(self, *, seed=None, options=None):
            self.farthest = 1 if seed in (0, 1) else 40
            return super().reset(seed=seed)

    env = Lucky(np.float32, 1)
    assert not goals_are_near(env, take_steps(env))


def test_episodes_that_fail_now_and_then_are_replaced_by_others():
    class Fragile(Line):
        def reset(self, *, seed=None, options=None):
            if seed % 2:
                raise RuntimeError("the motor stalls")
            return super().reset(seed=seed)

    env = Fragile(np.float32, 2)
    assert goals_are_near(env, take_steps(env))
