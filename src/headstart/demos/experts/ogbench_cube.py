"""The expert for OGBench's single cube: turn to it, grip it, carry it over the table, put it down.

Positions are in units of 10 cm, as OGBench observes them.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from headstart.demos.experts.fetch_reach import Array

# Entries of the observation; directions are cosine and sine.
_HAND, _HAND_YAW, _CLOSURE = slice(12, 15), slice(15, 17), 17
_CUBE, _CUBE_YAW = slice(19, 22), slice(26, 28)
_STEP, _TURN = 0.21, 0.3  # of a full action
_OPEN, _CLOSE = -1.0, 1.0
_GRIPPED, _OPENED = 1.2, 1.8  # closure, from 0 to 3: the cube is held beyond, and free before
_ABOVE, _OVER = 0.9, 0.15  # height of the approach, and how far aside it may end
_AT = 0.12  # in height, where fingers may close
_HEIGHT, _LIFTED = 1.0, 0.5  # of the carry, and from where on it goes sideways
_AIM = 0.2  # the tolerance is twice that
_AWAY = 1.5


def ogbench_cube(observation: Mapping[str, Array]) -> Array:
    """Return an action in [-1, 1], ``(5,)``: move, turn, gripper."""
    seen = np.asarray(observation["observation"], np.float64)
    hand, cube = seen[_HAND], seen[_CUBE]
    left = np.asarray(observation["desired_goal"], np.float64) - cube
    offset = cube - hand
    if np.linalg.norm(left) < _AIM:
        way, gripper = np.zeros(3), _OPEN
        if seen[_CLOSURE] < _OPENED and hand[2] < _AWAY:
            way[2] = _HEIGHT
    elif np.linalg.norm(offset[:2]) < _OVER and abs(offset[2]) < _AT:
        way, gripper = _carry(left, seen[_CLOSURE]), _CLOSE
    else:
        way, gripper = _approach(offset), _OPEN
    turn = _quarter(_angle(seen[_CUBE_YAW]) - _angle(seen[_HAND_YAW]))
    action = np.array([*way / _STEP, turn / _TURN, gripper])
    return action.clip(-1.0, 1.0).astype(np.float32)


def _carry(left: NDArray[np.float64], closure: float) -> Array:
    """Lift, go sideways, lower; rest until the fingers hold the cube."""
    if closure < _GRIPPED:
        return np.zeros(3)
    aside = float(np.linalg.norm(left[:2]))
    way = left.copy()
    way[2] += min(_HEIGHT, aside)
    if way[2] > _HEIGHT - _LIFTED and aside > _LIFTED:
        way[:2] = 0.0
    return way


def _approach(offset: NDArray[np.float64]) -> Array:
    """Go above the cube, slowly sideways while the hand is low, and then down."""
    if np.linalg.norm(offset[:2]) < _OVER:
        return offset
    is_low = offset[2] > -_ABOVE / 2
    return np.array([*offset[:2] * (0.2 if is_low else 1.0), offset[2] + _ABOVE])


def _angle(direction: NDArray[np.float64]) -> float:
    return float(np.arctan2(direction[1], direction[0]))


def _quarter(angle: float) -> float:
    """Return the nearest turn that shows the fingers a face of the cube."""
    return (angle + np.pi / 4) % (np.pi / 2) - np.pi / 4
