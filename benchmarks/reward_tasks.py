"""PointReach with its reward written in many ways, and with ends at the goal."""

from typing import Any

import numpy as np

from headstart.envs.toy import Observation, PointReach, Vector

_SPARSE = {  # elsewhere, at the goal
    "-1/0": (-1.0, 0.0),
    "0/1": (0.0, 1.0),
    "-1 until the end": (-1.0, -1.0),
    "+1/+2": (1.0, 2.0),
    "-0.1/+100": (-0.1, 100.0),
}
_DENSE = {"distance x 0.05": 0.05, "distance x 1": 1.0, "distance x 100": 100.0}
REWARDS = (*_SPARSE, *_DENSE)
ENDS = ("continues", "ends", "ends, unexplained")


def is_task(reward: str, ends: str) -> bool:
    """Return whether the goal can be told: by its reward, or else by ``compute_terminated``."""
    return reward != "-1 until the end" or ends == "ends"


class RewardedReach(PointReach):
    """PointReach that pays otherwise, and may end at its goal.

    Args:
        reward: one of ``REWARDS``.
        ends: one of ``ENDS``; unexplained ones have no ``compute_terminated``.
    """

    def __init__(self, reward: str = "-1/0", ends: str = "continues") -> None:
        super().__init__()
        self._paid = reward
        self._ends = ends != "continues"
        if ends != "ends, unexplained":
            self.compute_terminated = self._is_end

    def compute_reward(self, achieved_goal: Vector, desired_goal: Vector, info: Any) -> Vector:
        """Return the reward of being at ``achieved_goal``."""
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        if self._paid in _DENSE:
            return np.asarray(-_DENSE[self._paid] * distance)
        elsewhere, at_goal = _SPARSE[self._paid]
        return np.where(distance > self.threshold, elsewhere, at_goal)

    def step(self, action: Vector) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Move, and end at the goal if episodes end there."""
        observation, reward, _, truncated, _ = super().step(action)
        reached = bool(np.linalg.norm(self._position - self._goal) <= self.threshold)
        return observation, reward, reached and self._ends, truncated, {"is_success": reached}

    def _is_end(self, achieved_goal: Vector, desired_goal: Vector, info: Any) -> bool:
        distance = np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)
        return self._ends and bool(distance <= self.threshold)
