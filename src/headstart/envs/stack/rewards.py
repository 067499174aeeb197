"""Rewards of stacking: pure functions of what is achieved and what is asked for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
