"""What the numbers of a goal mean: components side by side in it, and regions of the goal space."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headstart.settings import check_settings, setting

ResetGoal = Literal["achieved", "desired"]
"""Which goal of a demonstration an episode has that starts in a state of it."""


@dataclass(frozen=True)
class GoalComponent:
    """A named part of a goal vector: its entries from ``start`` on, up to ``stop``."""

    name: str
    start: int
    stop: int

    @property
    def entries(self) -> slice:
        """Its entries, of the last axis of goals ``(..., goal_dim)``."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, kw_only=True)
class GoalRegions:
    """Two named regions of a goal space, on both sides of a threshold in one coordinate."""

    coordinate: int | None = None
    """Entry of the goal that decides."""
    threshold: float = setting(0.0)
    """Goals whose entry is larger are in the region above, others in the one below."""
    above: str = "above"
    """Name of that region."""
    below: str = "below"
    """Name of the other one."""

    def __post_init__(self) -> None:
        check_settings(self, "goal_regions.")

    def names(self, desired_goals: NDArray[np.float32]) -> list[str]:
        """Return the region that each row of ``desired_goals``, ``(N, goal_dim)``, lies in."""
        high = desired_goals[:, self.coordinate] > self.threshold
        return [self.above if is_high else self.below for is_high in high]
