"""Goal environments that answer with numbers that are none, as long as a file is there."""

from pathlib import Path

import gymnasium as gym
import numpy as np

from headstart.envs.toy import PointReach


class Unsound(PointReach):
    """Breaks in the 7th step of an episode."""

    def __init__(self, kind, broken, value=np.nan):
        super().__init__()
        self.kind, self.broken, self.value, self.steps = kind, Path(broken), float(value), 0

    def reset(self, **options):
        self.steps = 0
        return super().reset(**options)

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        self.steps += 1
        if self.steps == 7 and self.broken.exists():
            if self.kind in observation:
                observation[self.kind] = observation[self.kind] * self.value
            if self.kind == "reward":
                reward = self.value
            if self.kind == "huge":  # finite, but not in float32
                observation["observation"] = observation["observation"].astype(float) + 1e39
        return observation, reward, terminated, truncated, info

    def compute_reward(self, achieved_goal, desired_goal, info):
        reward = super().compute_reward(achieved_goal, desired_goal, info)
        broken = self.kind == "compute_reward" and self.broken.exists()
        return reward * self.value if broken else reward


class Thrown(gym.Wrapper):
    """FetchReach, whose arm is thrown so hard that MuJoCo loses it."""

    def __init__(self, broken):
        super().__init__(gym.make("FetchReach-v4", max_episode_steps=None).unwrapped)
        self.broken, self.steps = Path(broken), 0

    def reset(self, **options):
        self.steps = 0
        return super().reset(**options)

    def step(self, action):
        self.steps += 1
        if self.steps == 7 and self.broken.exists():
            self.unwrapped.data.qvel[:] = 1e9
        return super().step(action)


gym.register("Unsound-v0", entry_point=Unsound, max_episode_steps=30)
gym.register("Thrown-v0", entry_point=Thrown, max_episode_steps=30)
