"""Tasks without a simulator in which a hand must get to a block before it can bring it anywhere."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from headstart import StateLayout

CARRY, SHOVE = "Carry-v0", "Shove-v0"
_REACH = 0.06
_BEHIND = 0.15


class Carry(gym.Env):
    """A hand in the plane takes the block that it comes near, and carries it to the goal."""

    state_layout = StateLayout(
        positions=(0, 2), goal_positions=(0,), shift_axes=(0, 1), hand=0, dim=2
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
        self._hand, self._block, self._goal = self.np_random.uniform(-1.0, 1.0, (3, 2))
        return self._observe(), {}

    def step(self, action):
        before = self._hand
        self._hand = self._hand + 0.12 * np.clip(action, -1.0, 1.0)
        self._move_block(before)
        reward = float(self.compute_reward(self._block, self._goal, {}))
        return self._observe(), reward, False, False, {"is_success": reward == 0.0}

    def _move_block(self, before):
        if np.linalg.norm(before - self._block) < _REACH:
            self._block = self._hand.copy()

    def compute_reward(self, achieved_goal, desired_goal, info):
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        return -np.asarray(distance > 0.1, np.float64)

    def _observe(self):
        return {
            "observation": np.concatenate([self._hand, self._block]),
            "achieved_goal": self._block.copy(),
            "desired_goal": self._goal.copy(),
        }


class Shove(Carry):
    """The hand must first get behind the block, as seen from the goal."""

    def _move_block(self, before):
        away = self._block - self._goal
        behind = self._block + 0.3 * away / max(np.linalg.norm(away), 1e-6)
        if np.linalg.norm(before - behind) < _BEHIND:
            self._block = self._block + self._hand - before


def carry(observation):
    """Get to the block, and bring it to the goal."""
    hand, block = np.split(observation["observation"], 2)
    near = np.linalg.norm(hand - block) < _REACH
    aim = observation["desired_goal"] if near else block
    return np.clip((aim - hand) / 0.12, -1.0, 1.0).astype(np.float32)


def shove(observation):
    """Get behind the block, and move it to the goal."""
    hand, block = np.split(observation["observation"], 2)
    goal = observation["desired_goal"]
    behind = block + 0.3 * (block - goal) / max(np.linalg.norm(block - goal), 1e-6)
    near = np.linalg.norm(hand - behind) < _BEHIND
    way = 0.5 * (goal - block) if near else behind - hand
    return np.clip(way / 0.12, -1.0, 1.0).astype(np.float32)
