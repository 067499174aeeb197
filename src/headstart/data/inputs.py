"""What a network sees of a state: some of its entries, and differences of entries."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
GoalInput = Literal["absolute", "relative", "both"]
Term = tuple[int, int]
"""An entry, and the entry that is subtracted from it; ``NOTHING`` if none is."""
NOTHING = -1


@dataclass(frozen=True)
class InputMap:
    """Entries of ``[observation, achieved goal, desired goal]``, one behind the other.

    Raises:
        ValueError: if there is no term, or one names an entry that does not exist, or a scale is
            not positive.
    """

    terms: tuple[Term, ...]
    observation_dim: int
    goal_dim: int
    scales: tuple[float, ...] = ()
    """For each ``k`` of these, ``tanh(k x)`` of each difference ``x`` follows the terms."""

    def __post_init__(self) -> None:
        width = self.observation_dim + 2 * self.goal_dim
        if not self.terms:
            raise ValueError("a network must see something")
        for entry, subtracted in self.terms:
            if not (0 <= entry < width and NOTHING <= subtracted < width):
                raise ValueError(f"no term of {width} entries is ({entry}, {subtracted})")
        if not all(0.0 < scale < np.inf for scale in self.scales):
            raise ValueError(f"scales {self.scales} are not all positive")

    @classmethod
    def of(cls, observation_dim: int, goal_dim: int, goal_input: GoalInput) -> "InputMap":
        """Return the map to the whole observation, the desired goal, its distance, or both."""
        achieved, desired = observation_dim, observation_dim + goal_dim
        terms = [(entry, NOTHING) for entry in range(observation_dim)]
        if goal_input != "relative":
            terms += [(desired + entry, NOTHING) for entry in range(goal_dim)]
        if goal_input != "absolute":
            terms += [(desired + entry, achieved + entry) for entry in range(goal_dim)]
        return cls(tuple(terms), observation_dim, goal_dim)

    def __call__(self, states: FloatArray) -> FloatArray:
        """Return the inputs of joined states, ``(..., observation_dim + 2 goal_dim)``."""
        taken: FloatArray = states[..., self._entries]
        taken[..., self.differences] -= states[..., self._subtracted]
        if not self.scales:
            return taken
        coarse = taken[..., self.differences]
        return np.concatenate([taken, *(np.tanh(scale * coarse) for scale in self.scales)], axis=-1)

    @cached_property
    def _entries(self) -> NDArray[np.intp]:
        return np.array([entry for entry, _ in self.terms])

    @cached_property
    def differences(self) -> NDArray[np.intp]:
        """Which of the terms are differences of two entries."""
        return np.flatnonzero([subtracted != NOTHING for _, subtracted in self.terms])

    @cached_property
    def _subtracted(self) -> NDArray[np.intp]:
        return np.array([other for _, other in self.terms if other != NOTHING], np.intp)

    def joined(self, terms: Sequence[Term]) -> "InputMap":
        """Return this map with the given terms behind its own, those aside that it has."""
        more = tuple(term for term in terms if term not in self.terms)
        return replace(self, terms=self.terms + more)

    def places(self, terms: Sequence[Term]) -> list[int]:
        """Return where the inputs of some terms lie among those of this map."""
        return [self.terms.index(term) for term in terms]

    def __len__(self) -> int:
        return len(self.terms) + len(self.scales) * len(self.differences)
