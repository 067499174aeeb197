"""A task in which it matters how fast things move, and a demonstrator of it."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from headstart import StateLayout

GLIDE = "Glide-v0"


class Glide(gym.Env):
    """A puck without friction: actions accelerate it, and it must be slow at its goal."""

    state_layout = StateLayout(
        velocities=(2, 3), positions=(0,), goal_positions=(0,), shift_axes=(0, 1), dim=2
    )

    def __init__(self):
        place = spaces.Box(-np.inf, np.inf, (2,), np.float64)
        wide = spaces.Box(-np.inf, np.inf, (4,), np.float64)
        self.observation_space = spaces.Dict(
            {"observation": wide, "achieved_goal": place, "desired_goal": place}
        )
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._place, self._goal = self.np_random.uniform(-1.0, 1.0, (2, 2))
        self._speed = self.np_random.uniform(-0.1, 0.1, 2)
        return self._observe(), {}

    def step(self, action):
        self._speed = self._speed + 0.03 * np.clip(action, -1.0, 1.0)
        self._place = self._place + self._speed
        reward = float(self.compute_reward(self._place, self._goal, {}))
        return self._observe(), reward, False, False, {"is_success": reward == 0.0}

    def compute_reward(self, achieved_goal, desired_goal, info):
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        return -np.asarray(distance > 0.05, np.float64)

    def _observe(self):
        return {
            "observation": np.concatenate([self._place, self._speed]),
            "achieved_goal": self._place.copy(),
            "desired_goal": self._goal.copy(),
        }


def brake(observation):
    """Accelerate towards the goal, and brake in time."""
    place, speed = np.split(observation["observation"], 2)
    towards = observation["desired_goal"] - place
    return np.clip((0.3 * towards - speed) / 0.03, -1.0, 1.0).astype(np.float32)
