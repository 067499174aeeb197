"""Where blocks lie when an episode begins, and where they belong."""

import numpy as np
from numpy.typing import NDArray

from headstart.envs.stack.model import HALF_BLOCK
from headstart.envs.stack.simulator import REST_HEIGHT

Array = NDArray[np.float64]

APART = 0.08
"""Least distance of two blocks that lie on the table, centre to centre, in metres."""
FROM_TOWER = 0.10
"""Least distance of a block on the table from the middle of the tower: open fingers need room."""
WORKSPACE = np.array([[1.05, 1.55], [0.40, 1.10], [REST_HEIGHT - 0.01, 1.0]])
"""Least and greatest x, y and z of a goal: the table, and what the arm reaches above it."""
_BLOCK_RANGE, _TOWER_RANGE = 0.15, 0.12
"""How far from the hand, along x and along y, blocks and the tower are at most."""
_WAVER = 0.002
"""How far off blocks are, at most, that stand in the tower from the start."""
_BELOW_HAND = 2
"""How many stacked blocks fit below the hand where it starts."""
_ATTEMPTS = 200
"""Places tried for a block before all are drawn again."""


def draw_tower(num_blocks: int, num_stacked: int, hand: Array, rng: np.random.Generator) -> Array:
    """Return the places of all blocks in a tower, ``(n, 3)``, the lowest one first.

    Args:
        num_blocks: how many.
        num_stacked: how many of them stand there from the start.
        hand: where it starts, ``(2,)``; the tower is near it, but not in its way.
        rng: what places are drawn from.
    """
    shift = rng.uniform(-_TOWER_RANGE, _TOWER_RANGE, 2)
    while num_stacked > _BELOW_HAND and np.linalg.norm(shift) < FROM_TOWER:
        shift = rng.uniform(-_TOWER_RANGE, _TOWER_RANGE, 2)
    base = hand + shift
    heights = REST_HEIGHT + 2.0 * HALF_BLOCK * np.arange(num_blocks)
    return np.column_stack([np.tile(base, (num_blocks, 1)), heights])


def draw_blocks(tower: Array, num_stacked: int, hand: Array, rng: np.random.Generator) -> Array:
    """Return where the blocks are, ``(n, 3)``: the first ones in the tower, the others around it.

    Args:
        tower: where they belong, ``(n, 3)``.
        num_stacked: how many of them stand in the tower.
        hand: where it starts, ``(2,)``.
        rng: what places are drawn from.
    """
    stacked = tower[:num_stacked].copy()
    stacked[:, :2] += rng.uniform(-_WAVER, _WAVER, (num_stacked, 2))
    num_scattered, base = len(tower) - num_stacked, tower[0, :2]
    places = None
    while places is None:
        places = _scatter(num_scattered, base, hand, rng)
    heights = np.full(num_scattered, REST_HEIGHT)
    return np.concatenate([stacked, np.column_stack([places, heights])])


def outside(goal: Array) -> int | None:
    """Return the number of the first block whose place, ``(n, 3)``, cannot be reached, if any."""
    low, high = WORKSPACE.T
    # A comparison with NaN is false.
    reached = ((goal >= low) & (goal <= high)).all(axis=1)
    return None if reached.all() else int(np.argmin(reached))


def _scatter(count: int, base: Array, hand: Array, rng: np.random.Generator) -> Array | None:
    """Return places on the table, ``(count, 2)``; ``None`` if there is no room for the last."""
    places = np.empty((0, 2))
    for _ in range(count):
        tried = hand + rng.uniform(-_BLOCK_RANGE, _BLOCK_RANGE, (_ATTEMPTS, 2))
        free = np.linalg.norm(tried - base, axis=1) >= FROM_TOWER
        gaps = np.linalg.norm(tried[:, None] - places, axis=2)
        free &= (gaps >= APART).all(axis=1)
        if not free.any():
            return None
        places = np.concatenate([places, tried[np.argmax(free)][None]])
    return places
