"""Running mean and standard deviation of network inputs."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class RunningMoments:
    """Mean and variance of everything seen so far (Chan et al. 1979), in float64 and mergeable.

    Sums of squares in float32, as in baselines, lose the variance of features with a large mean.

    Args:
        dim: width of the vectors.
        std_floor: smallest standard deviation reported; baselines' ``norm_eps``.
    """

    def __init__(self, dim: int, *, std_floor: float) -> None:
        self.std_floor = std_floor
        self.count = 0
        self.mean = np.zeros(dim)
        self.squares = np.zeros(dim)  # sum of squared deviations from the mean

    @property
    def std(self) -> FloatArray:
        """Standard deviation ``(dim,)``, not below the floor; 1 while nothing has been seen."""
        if self.count == 0:
            return np.ones_like(self.mean)
        return np.sqrt(np.maximum(self.squares / self.count, self.std_floor**2))

    def update(self, values: NDArray[np.floating]) -> None:
        """Take in ``values``, ``(N, dim)``."""
        count = len(values)
        if count == 0:
            return
        values = values.astype(np.float64)
        mean = values.mean(axis=0)
        total = self.count + count
        shift = mean - self.mean
        self.squares += np.square(values - mean).sum(axis=0)
        self.squares += np.square(shift) * (self.count * count / total)
        self.mean = self.mean + shift * (count / total)
        self.count = total

    def restore(self, count: int, mean: FloatArray, squares: FloatArray) -> None:
        """Continue from earlier moments, all of which are attributes."""
        self.count, self.mean, self.squares = count, mean, squares
