"""What an actor sees of a goal with components: the next one to finish, and what is around it.

How much that is does not depend on how many components there are, so a policy that has learned to
finish three can finish five.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ComponentInputs:
    """The current component, its goal, and the nearest and the highest of the others.

    The current component is the first that is not finished, or else the last one. One is finished
    within the first of ``distances`` of its goal; or within the second, if a later one is too,
    which may rest on it.

    Raises:
        ValueError: if there are fewer than two components, or an entry does not exist.
    """

    observation_dim: int
    goal_dim: int
    dim: int
    """Entries of a component in a goal: it is a position."""
    goals: tuple[int, ...]
    """First entry of each component in a goal, in the order in which they are to be finished."""
    firsts: tuple[int, ...]
    """First entry in the observation of what belongs to each component."""
    own: tuple[int, ...]
    """Which entries of what belongs to the current component are seen, from its first on."""
    shared: tuple[int, ...]
    """Entries of the observation that are always seen."""
    hand: int | None
    """First entry of the hand's position in the observation, if there is a hand."""
    heights: tuple[int, ...]
    """Axes of positions along which it is seen how high the highest of the others is."""
    distances: tuple[float, float]
    scales: tuple[float, ...]
    """For each ``k`` of these, ``tanh(k x)`` of each offset ``x`` is seen too."""

    def __post_init__(self) -> None:
        if not 2 <= len(self.goals) == len(self.firsts):
            raise ValueError("there are fewer than two components, or one without entries")
        owned = [first + entry for first in self.firsts for entry in (0, *self.own)]
        for entries, last in (
            (self.goals, self.goal_dim - self.dim),
            ((*self.shared, *owned), self.observation_dim - 1),
            (() if self.hand is None else (self.hand,), self.observation_dim - self.dim),
            (self.heights, self.dim - 1),
        ):
            if not all(0 <= entry <= last for entry in entries):
                raise ValueError(f"components name entries beyond {last}: {list(entries)}")
        if self.dim < 1 or not 0.0 < self.distances[0] <= self.distances[1] < np.inf:
            raise ValueError(f"components of {self.dim} entries finish within {self.distances}")
        if not all(0.0 < scale < np.inf for scale in self.scales):
            raise ValueError(f"scales {self.scales} are not all positive")

    def __len__(self) -> int:
        plain = 1 + len(self.shared) + len(self.own) + len(self.heights)
        offsets = 2 if self.hand is None else 4
        return plain + offsets * self.dim * (1 + len(self.scales))

    def __call__(self, states: FloatArray) -> FloatArray:
        """Return the inputs of joined states, ``(..., observation_dim + 2 goal_dim)``."""
        joined = states.reshape(-1, states.shape[-1])
        return self._see(joined).reshape(*states.shape[:-1], len(self))

    def _see(self, states: FloatArray) -> FloatArray:
        """Return the inputs of joined states, ``(B, len(self))``."""
        rows = np.arange(len(states))
        places, goals = states[:, self._achieved], states[:, self._desired]
        ways, tops = goals - places, places[:, :, self._heights]
        current, is_over = self._choose(ways)
        place = places[rows, current]
        # Below and beyond all others.
        tops[rows, current], places[rows, current] = -np.inf, np.inf
        offsets = [ways[rows, current], _nearest(places, place, rows)]
        viewpoint = place
        if self.hand is not None:
            viewpoint = states[:, self.hand : self.hand + self.dim]
            offsets += [place - viewpoint, _nearest(places, viewpoint, rows)]
        highest = tops.max(axis=1) - viewpoint[:, self._heights]
        plain = [states[:, self._shared], states[:, self._own][rows, current], is_over, highest]
        coarse = np.concatenate(offsets, axis=-1)
        fine = [np.tanh(scale * coarse) for scale in self.scales]
        return np.concatenate([*plain, coarse, *fine], axis=-1)

    def of(self, other: "ComponentInputs") -> "ComponentInputs":
        """Return what sees the same of another number of components: those that ``other`` sees.

        Raises:
            ValueError: if there is something else to see of them.
        """
        here, there = self._form, other._form
        if here != there:
            raise ValueError(f"inputs of the form {here} do not fit {there}")
        return replace(other, distances=self.distances, scales=self.scales)

    @property
    def _form(self) -> tuple[int, ...]:
        """All that the inputs of any number of components have in common."""
        parts = len(self.shared), len(self.own), *self.own, *self.heights
        return self.dim, -1 if self.hand is None else self.hand, *parts

    def _choose(self, ways: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Return the number of the current component, ``(B,)``, and whether all are finished."""
        distance = np.square(ways).sum(axis=-1)
        near, close = (distance <= within**2 for within in self.distances)
        count = np.cumsum(close, axis=-1)
        unfinished = ~(near | (close & (count < count[:, -1:])))
        is_over = ~unfinished.any(axis=-1)
        unfinished[:, -1] |= is_over
        return unfinished.argmax(axis=-1), is_over[:, None]

    @cached_property
    def _achieved(self) -> NDArray[np.intp]:
        return _entries([self.observation_dim + first for first in self.goals], range(self.dim))

    @cached_property
    def _desired(self) -> NDArray[np.intp]:
        return self._achieved + self.goal_dim

    @cached_property
    def _own(self) -> NDArray[np.intp]:
        return _entries(self.firsts, self.own)

    @cached_property
    def _shared(self) -> list[int]:
        return list(self.shared)

    @cached_property
    def _heights(self) -> list[int]:
        return list(self.heights)


def _entries(firsts: Sequence[int], of_each: Sequence[int]) -> NDArray[np.intp]:
    """Return the entries of each part, ``(n, len(of_each))``."""
    rows = [[first + entry for entry in of_each] for first in firsts]
    return np.array(rows, np.intp).reshape(len(firsts), len(of_each))


def _nearest(places: FloatArray, place: FloatArray, rows: NDArray[np.intp]) -> FloatArray:
    """Return the offset from ``place``, ``(B, dim)``, of the nearest of ``(B, n, dim)``."""
    offsets = places - place[:, None]
    nearest: FloatArray = offsets[rows, np.square(offsets).sum(axis=-1).argmin(axis=-1)]
    return nearest
