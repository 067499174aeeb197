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
# The fingertips touch the table at 0.419; a little above it they do not drag.
LOW = 0.425

# How far the hand is behind the object along the push. Below the first limit it has to fly over.
BEHIND_LIMITS = (-0.008, -0.002)
# This far below the hover height the fingers hit the object: the hand rises on the spot.
CLIMB_LIMITS = (0.02, 0.03)
# Farther from the object than this, centre to centre, it may rise on the way.
NEAR_RADII = (0.085, 0.11)


def approach(way: Array, offset: Array, gap: float, height: float, hover_height: float) -> Array:
    """Return the displacement, ``(3,)``, that takes the hand behind the object: over it if need be.

    Args:
        way: from the hand to where it should be on the table, ``(2,)``.
        offset: from the hand to the object, ``(2,)``.
        gap: between the hand and the object along the push; negative unless the hand is behind.
        height: of the gripper position.
        hover_height: from which on the object can be flown over, with ``CLIMB_LIMITS`` to spare.
    """
    behind = rise(gap, BEHIND_LIMITS)
    climb = behind * LOW + (1.0 - behind) * hover_height - height
    distance = float(np.linalg.norm(offset))
    clear = max(1.0 - rise(climb, CLIMB_LIMITS), rise(distance, NEAR_RADII))
    return np.append(clear * way, climb)
