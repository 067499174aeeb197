"""Rewards in the units that the learner works in, whatever units the environment pays in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class RewardScale:
    """Shifts and scales rewards to 0 at the goal and about -1 elsewhere.

    One set of hyperparameters serves only rewards of one size: the penalty on actions, the weight
    of the policy loss and the Q-filter are compared with values. A scale changes nothing that is
    optimal, and neither does a shift where episodes end at the goal alone or not at all. An end is
    then worth:

    - at the goal: the reward of the goal, 0 or little less, as if the goal stayed reached;
    - elsewhere (a fall): at most what never reaching the goal is worth, ``-1 / (1 - discount)``.
      A plain shift would make it worth -1, and falling the best way out of a hard task.
    """

    best: float
    """Reward of a step that leads to the goal."""
    span: float
    """How far below it a step elsewhere is paid, typically; positive."""
    discount: float
    tells_goal: bool = True
    """Whether the reward of the goal differs from others; where it does not, the end does."""

    def __call__(self, reward: FloatArray, at_goal: FloatArray, fell: FloatArray) -> FloatArray:
        """Return the rewards to learn from, ``(B,)``.

        Args:
            reward: as the environment pays it, ``(B,)``.
            at_goal: 1 where the step ends its episode at the goal, ``(B,)``.
            fell: 1 where it ends its episode elsewhere, ``(B,)``.
        """
        if self.tells_goal:
            scaled = (reward - np.float32(self.best)) / np.float32(self.span)
        else:
            scaled = at_goal - np.float32(1.0)
        lost = np.float32(-1.0 / (1.0 - self.discount))
        return np.where(fell > 0.0, np.minimum(scaled, lost), scaled).astype(np.float32)

    def range(self, reward_range: tuple[float, float]) -> tuple[float, float]:
        """Return the lowest and the highest reward to learn from, of a step that ends nothing."""
        if not self.tells_goal:
            return -1.0, 0.0
        low, high = ((bound - self.best) / self.span for bound in reward_range)
        return min(low, -1.0), high
