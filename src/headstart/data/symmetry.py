"""Exact symmetries of a task, applied to batches: each transition also teaches its mirror image."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.batch import NumpyBatch
from headstart.data.hindsight import Sampler
from headstart.errors import InputError
from headstart.settings import check_settings, setting

FloatArray = NDArray[np.float32]

_MIRRORED = (
    "observation",
    "achieved_goal",
    "desired_goal",
    "action",
    "next_observation",
    "next_achieved_goal",
)


@dataclass(frozen=True)
class AxisMap:
    """A vector's mirror image: ``x[permutation] * sign + offset``."""

    permutation: tuple[int, ...]
    sign: tuple[float, ...]
    offset: tuple[float, ...]

    def __call__(self, vector: FloatArray) -> FloatArray:
        """Mirror the last axis of ``vector``."""
        mirrored = vector[..., self.permutation] * np.asarray(self.sign, np.float32)
        return np.asarray(mirrored + np.asarray(self.offset, np.float32), np.float32)

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
        return replace(
            batch,
            observation=self.observation(batch.observation),
            achieved_goal=self.goal(batch.achieved_goal),
            desired_goal=self.goal(batch.desired_goal),
            action=self.action(batch.action),
            next_observation=self.observation(batch.next_observation),
            next_achieved_goal=self.goal(batch.next_achieved_goal),
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
        image = self.mirror(batch.map(lambda column: column[flipped]))

        def overlay(name: str) -> FloatArray:
            result: FloatArray = getattr(batch, name).copy()
            result[flipped] = getattr(image, name)
            return result

        return replace(batch, **{name: overlay(name) for name in _MIRRORED})
