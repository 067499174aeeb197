"""PointReach with its reward written in many ways, each with and without an end at the goal."""

from typing import Any

import gymnasium as gym
import numpy as np

from headstart.envs.toy import PointReach, Vector

_SPARSE = {  # elsewhere, at the goal
    "-1/0": (-1.0, 0.0),
    "0/1": (0.0, 1.0),
    "-1 until the end": (-1.0, -1.0),
    "+1/+2": (1.0, 2.0),
    "-0.1/+100": (-0.1, 100.0),
}
_DENSE = {"distance x 0.05": 0.05, "distance": 1.0, "distance x 100": 100.0}
REWARDS = (*_SPARSE, *_DENSE)


class RewardedReach(PointReach):
    """PointReach that pays otherwise, and may end at its goal.

    Args:
        reward: one of ``REWARDS``.
        ends: whether reaching the goal ends the episode.
        explains: whether ``compute_terminated`` says so.
    """

    def __init__(self, reward: str = "-1/0", *, ends: bool = False, explains: bool = True) -> None:
        super().__init__()
        self._paid = reward
        self._ends = ends
        if explains:
            self.compute_terminated = self._is_end

    def compute_reward(self, achieved_goal: Vector, desired_goal: Vector, info: Any) -> Vector:
        """Return the reward of being at ``achieved_goal``."""
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        if self._paid in _DENSE:
            return -_DENSE[self._paid] * distance
        elsewhere, at_goal = _SPARSE[self._paid]
        return np.where(distance > self.threshold, elsewhere, at_goal)

    def step(self, action: Vector) -> tuple[dict[str, Vector], float, bool, bool, dict[str, Any]]:
        """Move, and end at the goal if the episode is to end there."""
        observation, reward, _, truncated, _ = super().step(action)
        reached = np.linalg.norm(self._position - self._goal) <= self.threshold
        info = {"is_success": bool(reached)}
        return observation, reward, bool(reached and self._ends), truncated, info

    def _is_end(self, achieved_goal: Vector, desired_goal: Vector, info: Any) -> bool:
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        return self._ends and bool(distance <= self.threshold)


gym.register("RewardedReach-v0", entry_point=RewardedReach, max_episode_steps=30)
