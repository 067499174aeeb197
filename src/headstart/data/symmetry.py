"""Exact symmetries of a task, applied to batches: each transition also teaches its mirror image."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.batch import NumpyBatch
from headstart.data.hindsight import Sampler

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
