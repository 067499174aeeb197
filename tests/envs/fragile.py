"""A goal environment some of whose episodes fail, always the same ones.

``envs.fragile:Fragile-v0,kind=KIND,share=S,at=STEP`` fails in that step of that share of the
episodes, by their seeds; ``kind=reset`` before their first.
"""

import os
import signal

import gymnasium as gym
import numpy as np

from headstart.envs.make import make_env
from headstart.envs.toy import PointReach


class Fragile(PointReach):
    def __init__(self, kind, share, at=5):
        super().__init__()
        self.kind, self.share, self.at = kind, float(share), int(at)
        self.steps, self.fails = 0, False

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        self.fails = np.random.default_rng(seed).random() < self.share
        if self.fails and self.kind == "reset":
            raise OSError("the sensor does not answer")
        return super().reset(seed=seed, options=options)

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        self.steps += 1
        if self.fails and self.steps == self.at:
            if self.kind == "raise":
                raise RuntimeError("simulator unstable\nat a contact")
            if self.kind == "float":
                raise FloatingPointError("underflow in the solver")
            if self.kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.kind == "observation":
                observation["observation"] = observation["observation"] * np.nan
            if self.kind == "goal":
                observation["desired_goal"] = observation["desired_goal"] + 1
            if self.kind == "reward":
                reward = np.nan
        return observation, reward, terminated, truncated, info


class Hurled(gym.Wrapper):
    """FetchReach, whose arm is sometimes thrown so hard that MuJoCo loses it."""

    def __init__(self, share):
        super().__init__(make_env("FetchReach-v4").unwrapped)
        self.share, self.steps, self.fails = float(share), 0, False

    def reset(self, *, seed=None, options=None):
        self.steps, self.fails = 0, np.random.default_rng(seed).random() < self.share
        return super().reset(seed=seed, options=options)

    def step(self, action):
        self.steps += 1
        if self.fails and self.steps == 5:
            self.unwrapped.data.qvel[:] = 1e9
        return super().step(action)


gym.register("Fragile-v0", entry_point=Fragile, max_episode_steps=30)
gym.register("Hurled-v0", entry_point=Hurled, max_episode_steps=10)
