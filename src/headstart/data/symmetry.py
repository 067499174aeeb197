"""Exact symmetries of a task, applied to batches: each transition also teaches its mirror image."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from headstart.data.batch import NumpyBatch
from headstart.data.hindsight import Sampler
from headstart.errors import InputError
from headstart.settings import check_settings, setting

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class AxisMap:
    """A vector's mirror image: ``x[permutation] * sign + offset``."""

    permutation: tuple[int, ...]
    sign: tuple[float, ...]
    offset: tuple[float, ...]

    def __call__(self, vector: FloatArray) -> FloatArray:
        """Mirror the last axis of ``vector``."""
        permutation, sign, offset = self._arrays
        mirrored: FloatArray = vector.take(permutation, axis=-1)
        mirrored *= sign
        mirrored += offset
        return mirrored

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
        """The three as arrays, which tuples would be turned into at every call."""
        sign, offset = (np.array(each, np.float32) for each in (self.sign, self.offset))
        return np.array(self.permutation, np.intp), sign, offset

    @classmethod
    def reflection(
        cls,
        width: int,
        flipped: tuple[int, ...] = (),
        places: tuple[int, ...] = (),
        pairs: tuple[int, ...] = (),
        plane: float = 0.0,
    ) -> "AxisMap":
        """Return the reflection of vectors in a plane that is across one axis of the scene.

        Args:
            width: of the vectors.
            flipped: entries that change sign: velocities, offsets and angles.
            places: entries that become ``2 plane - x``: places along the axis.
            pairs: entries that change places with one another, pair by pair.
            plane: where it stands on the axis.

        Raises:
            InputError: if an entry does not exist, or comes twice.
        """
        for each in ((*flipped, *places), pairs):
            if len({*each}) < len(each) or not {*each} <= {*range(width)}:
                raise InputError(
                    f"a mirror of {width} numbers must name each of their entries once at most, "
                    f"got {' '.join(map(str, each))}"
                )
        if len(pairs) % 2:
            raise InputError(f"a mirror swaps pairs of entries, got {len(pairs)} of them")
        permutation = [*range(width)]
        for first, second in zip(pairs[::2], pairs[1::2], strict=True):
            permutation[first], permutation[second] = second, first
        changed = {*flipped, *places}
        sign = [-1.0 if entry in changed else 1.0 for entry in range(width)]
        offset = [2.0 * plane if entry in places else 0.0 for entry in range(width)]
        return cls(tuple(permutation), tuple(sign), tuple(offset))


@dataclass(frozen=True)
class Mirror:
    """A reflection of the task that leaves dynamics and reward as they are."""

    observation: AxisMap
    goal: AxisMap
    action: AxisMap

    def __call__(self, batch: NumpyBatch) -> NumpyBatch:
        """Return the mirror image of every row."""
        return self.map(batch, lambda column, axis_map: axis_map(column))

    def map(
        self, batch: NumpyBatch, function: Callable[[FloatArray, AxisMap], FloatArray]
    ) -> NumpyBatch:
        """Apply ``function`` to each column that a reflection changes, and its map."""
        return replace(
            batch,
            observation=function(batch.observation, self.observation),
            achieved_goal=function(batch.achieved_goal, self.goal),
            desired_goal=function(batch.desired_goal, self.goal),
            action=function(batch.action, self.action),
            next_observation=function(batch.next_observation, self.observation),
            next_achieved_goal=function(batch.next_achieved_goal, self.goal),
        )


@dataclass(frozen=True, kw_only=True)
class Reflection:
    """The mirror image of the task in a plane across one axis, by what changes in it."""

    observation: tuple[int, ...] = setting((), resume="fixed")
    """Entries of the observation that change sign: velocities, offsets, angles."""
    observation_places: tuple[int, ...] = setting((), resume="fixed")
    """Entries of the observation that are reflected in plane: x becomes 2 plane - x."""
    observation_pairs: tuple[int, ...] = setting((), resume="fixed")
    """Entries of the observation that change places, pair by pair."""
    goal: tuple[int, ...] = setting((), resume="fixed")
    """Entries of the goal that change sign."""
    goal_places: tuple[int, ...] = setting((), resume="fixed")
    """Entries of the goal that are reflected in plane."""
    goal_pairs: tuple[int, ...] = setting((), resume="fixed")
    """Entries of the goal that change places, pair by pair."""
    action: tuple[int, ...] = setting((), resume="fixed")
    """Entries of the action that change sign."""
    action_pairs: tuple[int, ...] = setting((), resume="fixed")
    """Entries of the action that change places, pair by pair."""
    plane: float = setting(0.0, resume="fixed")
    """Where the mirror stands on the axis that it is across."""

    def __post_init__(self) -> None:
        check_settings(self, "mirror.")

    def mirror(self, observation_dim: int, goal_dim: int, action_dim: int) -> Mirror:
        """Return the mirror of vectors of these widths.

        Raises:
            InputError: if an entry does not exist, or comes twice.
        """
        seen = self.observation, self.observation_places, self.observation_pairs
        wanted = self.goal, self.goal_places, self.goal_pairs
        return Mirror(
            AxisMap.reflection(observation_dim, *seen, self.plane),
            AxisMap.reflection(goal_dim, *wanted, self.plane),
            AxisMap.reflection(action_dim, self.action, (), self.action_pairs),
        )


class MirroredSampler:
    """Replaces a random half of each batch by its mirror image (KER, Lin et al. 2020).

    Args:
        sampler: where the rows come from.
        mirror: the symmetry.
        rng: the stream that decides which rows are mirrored.
    """

    def __init__(self, sampler: Sampler, mirror: Mirror, rng: np.random.Generator) -> None:
        self.sampler = sampler
        self.mirror = mirror
        self.rng = rng

    def sample(self, count: int) -> NumpyBatch:
        """Return ``count`` transitions, each mirrored with probability one half."""
        batch = self.sampler.sample(count)
        flipped = np.flatnonzero(self.rng.random(count) < 0.5)

        def overlay(column: FloatArray, axis_map: AxisMap) -> FloatArray:
            result = column.copy()
            result[flipped] = axis_map(result.take(flipped, axis=0))
            return result

        return self.mirror.map(batch, overlay)
