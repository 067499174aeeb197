"""What the entries of a state mean, read off how they change.

A velocity is, times a constant, what another entry changes by from step to step; an offset is the
difference of two other entries in every state.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LEAST_EXPLAINED = 0.8
"""Share of a change that its velocity explains: it is that of one moment, or the mean of two."""
_LEAST_STEPS = 10
_TOLERANCE = 1e-5


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
        others = moving != entry
        for speed in (after[:, entry], (before[:, entry] + after[:, entry]) / 2.0):
            product = speed @ changes[:, moving]
            explained = np.square(product) / (max(speed @ speed, 1e-12) * total)
            if (others & (product > 0.0) & (explained > _LEAST_EXPLAINED)).any():
                found.append(entry)
                break
    return tuple(found)


def find_offsets(states: Array, observation_dim: int) -> list[tuple[int, int, int]]:
    """Return entries that are always the difference of two others: (offset, first, second).

    Args:
        states: ``(n, width)``, of which the observation is the first ``observation_dim`` entries.
        observation_dim: how many entries are looked at.
    """
    entries = states[:, :observation_dim]
    varying = np.flatnonzero(np.ptp(entries, axis=0) > _TOLERANCE)
    found = []
    for offset in varying:
        for first in varying:
            rest = entries[:, first] - entries[:, offset]
            near = np.abs(entries - rest[:, None]).max(axis=0) < _TOLERANCE
            seconds = [int(second) for second in np.flatnonzero(near) if second in varying]
            found += [
                (int(offset), int(first), second)
                for second in seconds
                if len({offset, first, second}) == 3
            ]
    return found
