"""Tasks without a simulator in the plane, and demonstrators of them.

In two a hand must get to a block before it can bring it anywhere; in one it matters how fast things
move.
"""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from headstart import StateLayout

CARRY, SHOVE, GLIDE = "Carry-v0", "Shove-v0", "Glide-v0"
_REACH = 0.06
_BEHIND = 0.15


class InPlane(gym.Env):
    """What is seen is two pairs of numbers, and a place is to be brought to a goal."""

    threshold = 0.1

    def __init__(self):
        place = spaces.Box(-np.inf, np.inf, (2,), np.float64)
        wide = spaces.Box(-np.inf, np.inf, (4,), np.float64)
        self.observation_space = spaces.Dict(
            {"observation": wide, "achieved_goal": place, "desired_goal": place}
        )
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def step(self, action):
        self._move(np.clip(action, -1.0, 1.0))
        observation = self._observe()
        reward = float(self.compute_reward(observation["achieved_goal"], self._goal, {}))
        return observation, reward, False, False, {"is_success": reward == 0.0}

    def compute_reward(self, achieved_goal, desired_goal, info):
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        return -np.asarray(distance > self.threshold, np.float64)

    def _observe(self):
        seen, achieved = self._seen()
        return {
            "observation": np.concatenate(seen),
            "achieved_goal": achieved.copy(),
            "desired_goal": self._goal.copy(),
        }


class Carry(InPlane):
    """A hand in the plane takes the block that it comes near, and carries it to the goal."""

    state_layout = StateLayout(
        positions=(0, 2), goal_positions=(0,), shift_axes=(0, 1), hand=0, dim=2
    )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._hand, self._block, self._goal = self.np_random.uniform(-1.0, 1.0, (3, 2))
        return self._observe(), {}

    def _move(self, action):
        before = self._hand
        self._hand = self._hand + 0.12 * action
        self._move_block(before)

    def _move_block(self, before):
        if np.linalg.norm(before - self._block) < _REACH:
            self._block = self._hand.copy()

    def _seen(self):
        return (self._hand, self._block), self._block


class Shove(Carry):
    """The hand must first get behind the block, as seen from the goal."""

    def _move_block(self, before):
        away = self._block - self._goal
        behind = self._block + 0.3 * away / max(np.linalg.norm(away), 1e-6)
        if np.linalg.norm(before - behind) < _BEHIND:
            self._block = self._block + self._hand - before


class Glide(InPlane):
    """A puck without friction: actions accelerate it, and it must be slow at its goal."""

    threshold = 0.05
    state_layout = StateLayout(
        velocities=(2, 3), positions=(0,), goal_positions=(0,), shift_axes=(0, 1), dim=2
    )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._place, self._goal = self.np_random.uniform(-1.0, 1.0, (2, 2))
        self._speed = self.np_random.uniform(-0.1, 0.1, 2)
        return self._observe(), {}

    def _move(self, action):
        self._speed = self._speed + 0.03 * action
        self._place = self._place + self._speed

    def _seen(self):
        return (self._place, self._speed), self._place


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


def brake(observation):
    """Accelerate towards the goal, and brake in time."""
    place, speed = np.split(observation["observation"], 2)
    towards = observation["desired_goal"] - place
    return np.clip((0.3 * towards - speed) / 0.03, -1.0, 1.0).astype(np.float32)
