"""What the entries of a state mean, read off how they change.

A velocity is, times a constant, what another entry changes by from step to step. Positions are in
one frame if they or their differences are the goal's.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.layout import StateLayout

Array = NDArray[np.float64]

_LEAST_EXPLAINED = 0.8
"""Share of a change that its velocity explains: it is that of one moment, or the mean of two."""
_LEAST_STEPS = 10
_TOLERANCE = 1e-5
_LEAST_SPREAD = 0.1
"""Of the starts along an axis, as a share of those along the axis with most."""


def find_velocities(before: Array, after: Array, observation_dim: int) -> tuple[int, ...]:
    """Return the entries of the observation that are velocities of other entries.

    Args:
        before: states ``(n, width)``, of which the observation is the first ``observation_dim``
            entries and the achieved goal the rest.
        after: the states that one step led to, ``(n, width)``.
        observation_dim: how many entries can be velocities.
    """
    changes = after - before
    moving = np.flatnonzero(np.abs(changes).max(axis=0, initial=0.0) > _TOLERANCE)
    if len(before) < _LEAST_STEPS or not len(moving):
        return ()
    total = np.square(changes[:, moving]).sum(axis=0)
    found = []
    for entry in range(observation_dim):
        # What is the same number in every state is not a velocity of it.
        others = np.abs(after[:, moving] - after[:, [entry]]).max(axis=0) > _TOLERANCE
        if np.abs(changes[:, entry]).max() <= _TOLERANCE:
            continue  # It says something of the whole episode.
        for speed in (after[:, entry], (before[:, entry] + after[:, entry]) / 2.0):
            product = speed @ changes[:, moving]
            explained = np.square(product) / (max(speed @ speed, 1e-12) * total)
            if (others & (product > 0.0) & (explained > _LEAST_EXPLAINED)).any():
                found.append(entry)
                break
    return tuple(found)


def find_frame(
    states: Array, observation_dim: int, velocities: Collection[int]
) -> StateLayout | None:
    """Return the positions of a common frame.

    A goal is one position, or several, and the observation holds what is achieved of each. Either
    it holds their offsets from one more position too, the hand's, or nothing besides that moves.

    Args:
        states: ``(n, observation_dim + goal_dim)``, observation and achieved goal.
        observation_dim: width of the observation.
        velocities: entries of the observation that are velocities.

    Returns:
        A layout without velocities and axes; ``None`` if there is no such frame.
    """
    observed, achieved = states[:, :observation_dim], states[:, observation_dim:]
    for dim in (3, 2):
        blocks = range(0, achieved.shape[1], dim)
        if achieved.shape[1] % dim or not len(blocks):
            continue
        positions = [_find_block(observed, achieved[:, first : first + dim]) for first in blocks]
        held = [first for first in positions if first is not None]
        if len(held) < len(blocks):
            continue
        frame = StateLayout(positions=tuple(held), goal_positions=tuple(blocks), dim=dim)
        hand = _find_hand(observed, held, dim)
        if hand is not None:
            return replace(frame, hand=hand, positions=(hand, *held), offsets=tuple(held))
        moving = set(np.flatnonzero(np.ptp(observed, axis=0) > _TOLERANCE).tolist())
        if len(blocks) == 1 and moving - set(velocities) <= {*range(held[0], held[0] + dim)}:
            return frame
    return None


def _find_hand(observed: Array, positions: list[int], dim: int) -> int | None:
    """Return the first entry of a position from which all others have their offsets observed."""
    firsts = range(observed.shape[1] - dim + 1)
    for hand in firsts:
        place = observed[:, hand : hand + dim]
        if hand in positions or np.ptp(place, axis=0).max() <= _TOLERANCE:
            continue
        offsets = [observed[:, first : first + dim] - place for first in positions]
        if all(
            _find_block(observed, offset) is not None or _find_block(observed, -offset) is not None
            for offset in offsets
        ):
            return hand
    return None


def _find_block(observed: Array, values: Array) -> int | None:
    """Return the first of entries side by side that are these values in every state."""
    dim = values.shape[1]
    for first in range(observed.shape[1] - dim + 1):
        if np.abs(observed[:, first : first + dim] - values).max() < _TOLERANCE:
            return first
    return None


def free_axes(starts: Array, dim: int) -> tuple[int, ...]:
    """Return the axes along which what is to be moved starts in many places.

    Args:
        starts: achieved goals at the starts of episodes, ``(m, goal_dim)``.
        dim: entries of a position.
    """
    spread = np.ptp(starts, axis=0).reshape(-1, dim).max(axis=0)
    if spread.max() <= _TOLERANCE:
        return ()
    return tuple(np.flatnonzero(spread > _LEAST_SPREAD * spread.max()).tolist())
