"""The scripted expert of FetchReach, and what all Fetch experts share. Lengths are metres."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# An action of 1 asks for 5 cm, and the arm covers about two thirds of that within a step. A gain of
# 20 would ask for exactly the distance; 12 brakes over the last steps instead, costs a fraction of
# a step, and leaves the actions smooth enough to clone.
GAIN = 12.0


def servo(displacement: Array, gripper: float) -> Array:
    """Return the action, ``(4,)``, that moves the gripper by ``displacement``, ``(3,)`` metres.

    ``gripper`` is the finger command: 1 opens, -1 closes.
    """
    action = np.append(GAIN * displacement, gripper).astype(np.float32)
    return action.clip(-1.0, 1.0)


def rise(value: float, limits: tuple[float, float]) -> float:
    """Return 0 below ``limits``, 1 above, and a straight line between them."""
    low, high = limits
    return min(max((value - low) / (high - low), 0.0), 1.0)


def fetch_reach(observation: Mapping[str, Array]) -> Array:
    """Move straight to the goal. The action is ``(4,)``; FetchReach ignores the last entry."""
    return servo(observation["desired_goal"] - observation["achieved_goal"], gripper=0.0)


# With its fingers closed, the part of the hand that touches things is a box that always points the
# same way: 27 mm along x, 30 mm along y, and 18.5 mm deep below the gripper position.
HALF_HAND = np.array([0.0135, 0.015])
