"""Goal environments with the contracts of packages that are too heavy to install for tests.

``envs.third_party:PandaLike-v0`` and ``ParkingLike-v0``, after panda-gym and highway-env.
"""

import gymnasium as gym
import numpy as np
from envs.sound import distance
from gymnasium import spaces

print("simulator build time: now")


class PandaLike(gym.Env):
    """Ends at its goal without saying so, prints, and returns numbers as saved states."""

    threshold = 0.2

    def __init__(self):
        print("simulator ready")
        box = spaces.Box(-10.0, 10.0, (2,), np.float32)
        keys = ("observation", "achieved_goal", "desired_goal")
        self.observation_space = spaces.Dict(dict.fromkeys(keys, box))
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self._saved = {}
        self.reset()

    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.goal = self.np_random.uniform(-1.0, 1.0, (2, 2))
        return self._observe(), {"is_success": self.is_success(self.place, self.goal)}

    def step(self, action):
        self.place = np.clip(self.place + 0.2 * action, -1.0, 1.0)
        observation = self._observe()
        terminated = bool(self.is_success(observation["achieved_goal"], self.goal))
        info = {"is_success": terminated}
        reward = float(self.compute_reward(observation["achieved_goal"], self.goal, info))
        return observation, reward, terminated, False, info

    def is_success(self, achieved_goal, desired_goal, info=None):
        return distance(achieved_goal, desired_goal) < self.threshold

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -np.array(distance(achieved_goal, desired_goal) > self.threshold, np.float32)

    def save_state(self):
        self._saved[len(self._saved)] = self.place, self.goal
        return len(self._saved) - 1

    def restore_state(self, state_id):
        self.place, self.goal = self._saved[state_id]

    def _observe(self):
        return {
            "observation": self.place.astype(np.float32),
            "achieved_goal": self.place.astype(np.float32),
            "desired_goal": self.goal.astype(np.float32),
        }


class ParkingLike(PandaLike):
    """A dense reward, no time limit, a penalty for collisions that step alone knows; they end."""

    def step(self, action):
        observation, *_, info = super().step(action)
        crashed = bool(np.linalg.norm(self.place - 0.9) < 0.3)
        reward = float(self.compute_reward(self.place, self.goal, info)) - 5.0 * crashed
        return observation, reward, bool(info["is_success"] or crashed), False, info

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -np.sqrt(distance(achieved_goal, desired_goal))


gym.register("PandaLike-v0", PandaLike, max_episode_steps=30)
gym.register("ParkingLike-v0", ParkingLike)
