"""Which goal an episode has that starts in a state of a demonstration."""

from typing import Literal

ResetGoal = Literal["achieved", "desired"]
