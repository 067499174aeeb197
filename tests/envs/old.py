"""Goal environments that do not keep Gymnasium's interface; ``envs.old:Name-v0``."""

import gymnasium as gym
import numpy as np
from envs.sound import Reach
from gymnasium import spaces, wrappers


class OldReset(Reach):
    """Of Gym 0.21: takes no seed, returns an observation alone."""

    def reset(self):
        return super().reset()[0]


class ResetAlone(Reach):
    """Of Gym 0.25: takes a seed, returns an observation alone."""

    def reset(self, *, seed=None, return_info=False, options=None):
        return super().reset(seed=seed)[0]


class OldStep(Reach):
    """Returns four values from step."""

    def step(self, action):
        observation, reward, terminated, _, info = super().step(action)
        return observation, reward, terminated, info


class StepNothing(Reach):
    def step(self, action):
        super().step(action)


class NoOptions(Reach):
    def reset(self, seed=None):
        return super().reset(seed=seed)


class NoInfo(Reach):
    def compute_reward(self, achieved_goal, desired_goal):
        return super().compute_reward(achieved_goal, desired_goal, {})

    def step(self, action):
        return self._observe(), -1.0, False, False, {}


class NoInfoEnd(Reach):
    def compute_terminated(self, achieved_goal, desired_goal):
        return False


class BareArray(Reach):
    def _observe(self):
        return np.zeros(6)


class InfoNone(Reach):
    def step(self, action):
        return *super().step(action)[:-1], None


class OldWrapper(gym.Wrapper):
    """A wrapper of Gym 0.21 around a sound environment."""

    def reset(self):
        return self.env.reset()[0]


class Signed(Reach):
    """A simulator with signed seeds of 32 bits."""

    def reset(self, *, seed=None, options=None):
        if seed is not None and seed >= 2**31:
            raise OverflowError("Python int too large to convert to C int")
        return super().reset(seed=seed)


class Short(Reach):
    """A simulator with seeds of 16 bits."""

    def reset(self, *, seed=None, options=None):
        assert seed is None or seed < 2**16, "seed must fit into 16 bits"
        return super().reset(seed=seed)


class Moody(Reach):
    """Fails once in a while, whatever the seed."""

    failures = 1

    def reset(self, *, seed=None, options=None):
        if self.failures:
            self.failures -= 1
            raise ValueError("the simulator is busy")
        return super().reset(seed=seed)


class Boundless(Reach):
    def __init__(self):
        super().__init__()
        self.action_space = spaces.Box(-np.inf, np.inf, (2,))


KINDS = (
    OldReset, ResetAlone, OldStep, StepNothing, NoOptions, NoInfo, NoInfoEnd, BareArray, InfoNone,
    Signed, Short, Moody, Boundless,
)  # fmt: skip
WRAPPED = {
    "Wrapped": lambda: OldWrapper(Reach()),
    "Clipped": lambda: wrappers.ClipAction(Reach()),
    "Bounded": lambda: wrappers.TransformAction(
        Boundless(), lambda action: action, spaces.Box(-1.0, 1.0, (2,))
    ),
}
NAMES = {**{kind.__name__: kind for kind in KINDS}, **WRAPPED}
for name, kind in NAMES.items():
    gym.register(f"{name}-v0", kind, max_episode_steps=10)

REFUSALS = [
    ("OldReset", "OldReset-v0: reset() does not take seed and options; let it be reset(self, *, s"),
    ("ResetAlone", "ResetAlone-v0: reset returned a dict, not (observation, info); let it be"),
    ("OldStep", "OldStep-v0: step returned 4 values, not (observation, reward, terminated, trunc"),
    ("StepNothing", "StepNothing-v0: step returned something else, not (observation, reward, "),
    ("NoOptions", "NoOptions-v0: reset(seed) does not take seed and options"),
    (
        "NoInfo",
        "NoInfo-v0: compute_reward(achieved_goal, desired_goal) does not take achieved_goal, des",
    ),
    (
        "NoInfoEnd",
        "compute_terminated(achieved_goal, desired_goal) does not take achieved_goal, desired_",
    ),
    ("BareArray", "BareArray-v0: the observation is a ndarray, its space promises a dict"),
    ("InfoNone", "InfoNone-v0: info of step is None, not a dict"),
    ("Wrapped", "Wrapped-v0: reset() does not take seed and options"),
    (
        "Short",
        "reset(seed=2147483647) fails, reset(seed=0) does not (AssertionError: seed must fit",
    ),
    ("Clipped", "leave out the wrapper ClipAction, which hides the bounds"),
    ("Boundless", "TransformAction(env, lambda action: action, gymnasium.spaces.Box(low, high))"),
]
