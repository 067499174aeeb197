"""What is placed of a tower, what that is paid, and how the placing went."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.envs.stack.simulator import REST_HEIGHT, Array

THRESHOLD = 0.04
"""Metres. The blocks are 5 cm high: with a wider one, a block a level too low would count."""


def is_placed(achieved_goal: NDArray[Any], desired_goal: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which blocks are where they belong, ``(..., n)``, for goals ``(..., 3 n)``."""
    way = np.asarray(achieved_goal, np.float64) - np.asarray(desired_goal, np.float64)
    distance = np.linalg.norm(way.reshape(*way.shape[:-1], -1, 3), axis=-1)
    return np.asarray(distance <= THRESHOLD)


def sparse_reward(achieved_goal: NDArray[Any], desired_goal: NDArray[Any]) -> NDArray[np.float64]:
    """Return 0 where all blocks are placed and -1 elsewhere, ``(...)``."""
    return np.asarray(is_placed(achieved_goal, desired_goal).all(axis=-1) - 1.0, np.float64)


def step_reward(achieved_goal: NDArray[Any], desired_goal: NDArray[Any]) -> NDArray[np.float64]:
    """Return minus the number of blocks that are not placed, ``(...)``."""
    placed = is_placed(achieved_goal, desired_goal)
    return np.asarray(placed.sum(axis=-1) - placed.shape[-1], np.float64)


_LIFTED = 0.02
"""How far above the table a block is that was lifted, in metres."""
_IN_HAND = 0.03
"""How far from the hand a block is at most that it holds."""


class Course:
    """Which blocks were lifted, and which were placed, in an episode so far.

    Args:
        num_blocks: how many there are.
    """

    def __init__(self, num_blocks: int) -> None:
        self._lifted, self._was_placed = np.zeros((2, num_blocks), bool)

    def failure(self, blocks: Array, goals: Array, hand: Array) -> str:
        """Count a step, and return what is wrong with the first block that is not placed, if any.

        Args:
            blocks: where each block is, ``(n, 3)``.
            goals: where each one belongs, ``(n, 3)``.
            hand: where the hand is, ``(3,)``.
        """
        placed = is_placed(blocks.ravel(), goals.ravel())
        self._lifted |= blocks[:, 2] > REST_HEIGHT + _LIFTED
        self._was_placed |= placed
        if placed.all():
            return ""
        first = int(np.argmin(placed))
        if np.linalg.norm(blocks[first] - hand) < _IN_HAND and self._lifted[first]:
            return f"block {first} still held"
        if self._was_placed[first]:
            return f"block {first} knocked over"
        return f"block {first} {'dropped' if self._lifted[first] else 'not grasped'}"
