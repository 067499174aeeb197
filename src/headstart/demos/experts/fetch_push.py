"""The scripted expert of FetchPush: get behind a face of the block, and push along one axis.

A block pushed with the flat of the hand on the flat of a face stays there; one that is pushed at a
corner turns and slips off. So the hand pushes along x or along y, whichever lacks more, with as
much of the other as the grip of the face allows, and changes the face for what is left. Where the
hand is shows which axis it is at, so this needs no memory. Lengths are metres.
"""

from collections.abc import Mapping

import numpy as np

from headstart.demos.experts.fetch_reach import HALF_HAND, LOW, Array, approach, rise, servo

HALF_BLOCK = 0.025
# The block ends at 0.45, so the fingers pass over it from 0.469 on.
HOVER_HEIGHT = 0.5
# The hand comes down this far behind the block.
CLEARANCE = 0.008

# The hand is at a face: in line with its middle, near, and low.
ALIGNED_LIMITS = (0.006, 0.012)
CONTACT_LIMITS = (0.012, 0.025)
LOW_LIMITS = (0.435, 0.445)
# Sideways motion of a push as a share of the forward one. With more, the block slips off the hand:
# at 0.5, 7 of 500 episodes fail. With less, the second push has more left to do.
MOST_SLOPE = 0.4

# An axis is finished within the first limits, the episode within the second.
AXIS_LIMITS = (0.006, 0.012)
DONE_LIMITS = (0.01, 0.02)


def fetch_push(observation: Mapping[str, Array]) -> Array:
    """Push the block to the goal. The action is ``(4,)``; FetchPush ignores the last entry."""
    offset = observation["observation"][6:8]
    height = float(observation["observation"][2])
    way_to_goal = (observation["desired_goal"] - observation["achieved_goal"])[:2]

    at_face = [_at_face(axis, offset, height, way_to_goal) for axis in (0, 1)]
    axis = _axis(way_to_goal, at_face)
    to_stance = offset.copy()
    to_stance[axis] -= np.sign(way_to_goal[axis]) * (HALF_BLOCK + HALF_HAND[axis] + CLEARANCE)
    around = approach(to_stance, offset, _gap(axis, offset, way_to_goal), height, HOVER_HEIGHT)
    forward = np.append(_push(axis, offset, way_to_goal), LOW - height)

    needed = rise(float(np.linalg.norm(way_to_goal)), DONE_LIMITS)
    displacement = at_face[axis] * forward + (1.0 - at_face[axis]) * around
    return servo(needed * displacement, gripper=0.0)


def _gap(axis: int, offset: Array, way_to_goal: Array) -> float:
    """Return the room between the hand and the face that it pushes along ``axis``."""
    ahead = np.sign(way_to_goal[axis]) * offset[axis]
    return float(ahead - HALF_BLOCK - HALF_HAND[axis])


def _at_face(axis: int, offset: Array, height: float, way_to_goal: Array) -> float:
    """Return how far the hand may push along ``axis``: 1 behind the middle of the face."""
    gap = abs(_gap(axis, offset, way_to_goal))
    miss = abs(float(offset[1 - axis]))
    high = rise(height, LOW_LIMITS)
    return (1.0 - high) * (1.0 - rise(miss, ALIGNED_LIMITS)) * (1.0 - rise(gap, CONTACT_LIMITS))


def _axis(way_to_goal: Array, at_face: list[float]) -> int:
    """Return the axis to push along: the longer way, or the one begun while any of it is left."""
    left = np.abs(way_to_goal)
    begun = [at_face[axis] * rise(float(left[axis]), AXIS_LIMITS) for axis in (0, 1)]
    # 0.5 m is more than any way on the table.
    return int(np.argmax(left + 0.5 * np.array(begun)))


def _push(axis: int, offset: Array, way_to_goal: Array) -> Array:
    """Return the way of the hand, ``(2,)``, that pushes the block and stays behind its middle."""
    push = way_to_goal.copy()
    most = MOST_SLOPE * abs(way_to_goal[axis])
    push[1 - axis] = np.clip(way_to_goal[1 - axis], -most, most) + offset[1 - axis]
    return push
