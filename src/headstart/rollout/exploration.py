"""Exploration noise on top of a deterministic policy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import require
from headstart.settings import check_types

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """Gaussian noise, and now and then an action drawn uniformly (Andrychowicz et al. 2017)."""

    noise: float = 0.0
    """Standard deviation of the Gaussian noise, as a share of half the action range."""
    random_action: float = 0.0
    """Probability that the whole action is drawn uniformly from the action range instead."""

    def __post_init__(self) -> None:
        check_types(self, "exploration.")
        require(self.noise >= 0.0, "exploration.noise must not be negative", self.noise)
        share = self.random_action
        require(0.0 <= share <= 1.0, "exploration.random_action must lie in [0, 1]", share)

    def __call__(
        self, action: NDArray[Any], low: FloatArray, high: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Return the action to take, inside ``[low, high]``, each ``(action_dim,)``."""
        if rng.random() < self.random_action:
            return rng.uniform(low, high).astype(np.float32)
        if self.noise:
            half_range = (high - low) / 2
            action = action + self.noise * half_range * rng.standard_normal(action.shape)
        return np.asarray(np.clip(action, low, high), np.float32)


GREEDY = Exploration()
