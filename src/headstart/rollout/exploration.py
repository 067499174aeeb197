"""Exploration noise on top of a deterministic policy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.settings import check_settings, setting

FloatArray = NDArray[np.float32]
MOST_NOISE = 100.0
"""Which drowns every action; more is a slip of the pen."""


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """Gaussian noise, and now and then an action drawn uniformly (Andrychowicz et al. 2017)."""

    noise: float = setting(0.0, at_least=0, at_most=MOST_NOISE)
    """Standard deviation of the Gaussian noise, as a share of half the action range."""
    random_action: float = setting(0.0, at_least=0, at_most=1)
    """Probability that the whole action is drawn uniformly from the action range instead."""
    greedy_episodes: float | None = setting(None, at_least=0, at_most=1)
    """Share of training episodes without either, which end as the policy has them end. By default
    a half with demonstrations or a policy to start from; else none: what to do is to be found."""

    def __post_init__(self) -> None:
        check_settings(self, "exploration.")

    def for_episode(self, rng: np.random.Generator) -> "Exploration":
        """Return how one episode is explored in, which its stream decides."""
        if self.greedy_episodes and rng.random() < self.greedy_episodes:
            return GREEDY
        return self

    def __call__(
        self, action: NDArray[Any], low: FloatArray, high: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Return the action to take, inside ``[low, high]``, each ``(action_dim,)``."""
        if rng.random() < self.random_action:
            return rng.uniform(low, high).astype(np.float32)
        if self.noise:
            half_range = (high - low) / 2
            action = action + self.noise * half_range * rng.standard_normal(action.shape)
        return np.asarray(action.clip(low, high), np.float32)


GREEDY, RANDOM = Exploration(), Exploration(random_action=1.0)
