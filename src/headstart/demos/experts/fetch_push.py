"""The scripted expert of FetchPush: push the block by one face, then by another one if need be.

Lengths are metres. The hand never moves as fast as it can, so that no action is cut off at its
bound: cut off axis by axis, it would lead elsewhere, and a clone of it would be less sure.
"""

from collections.abc import Mapping

import numpy as np

from headstart.demos.experts.fetch_reach import Array
from headstart.demos.experts.pushing import four_pushes, shortened, way_of

# The hand from the block while it pushes: half a block and half a hand are 39 mm, or 40 along y.
_OFFSET = np.array([-0.042, 0.0, 0.0])
# What an action of 1 comes to in a step.
_STRIDE = 0.033
_PUSHES = four_pushes(_OFFSET, np.array([1.0, 0.0, 0.0]), (0, 1), _STRIDE)
# How far ahead the hand aims, and the action for a metre: at most 0.875 together.
_REACH = 1.75 * _STRIDE
_GAIN = 0.5 / _STRIDE


def fetch_push(observation: Mapping[str, Array]) -> Array:
    """Push the block to the goal. The action is ``(4,)``; FetchPush ignores the last entry."""
    hand = observation["observation"][:3].astype(float)
    block = observation["achieved_goal"].astype(float)
    goal = observation["desired_goal"].astype(float)
    way = shortened(way_of(_PUSHES, hand, block, goal), _REACH)
    return np.append(_GAIN * way, 0.0).astype(np.float32)
