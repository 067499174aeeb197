"""An episode as a file of others has it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.number]


@dataclass(frozen=True)
class Recorded:
    """An episode as a file has it: ``T`` actions, and ``T + 1`` states or, without the last, ``T``.

    Of the goals there is one for each state or one for each step.
    """

    observations: Numbers  # (T + 1 or T, observation_dim)
    achieved_goals: Numbers  # (T + 1 or T, goal_dim)
    desired_goals: Numbers  # (T + 1 or T, goal_dim)
    actions: Numbers  # (T, action_dim)
    success: Numbers  # (T,), NaN where the file does not say
    reward_infos: Numbers  # (T, info_dim)
    terminated: NDArray[np.bool_] | None = None  # (T,), None where the file does not say
