"""An episode as a file of others has it, and what fills up its rows there."""

from dataclasses import dataclass, fields, replace

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


def without_padding(recorded: Recorded) -> Recorded:
    """Return an episode without last steps that hold nothing but zeros or NaN.

    An episode whose goal is all zeros stays as it is: it may rest there.
    """
    steps = len(recorded.actions)
    if not steps or not np.any(recorded.desired_goals[0]):
        return recorded
    # Of states those that the steps led to, where the last one is there too.
    parts = (recorded.actions, recorded.observations, recorded.achieved_goals)
    holds = np.any([_filled(part[-steps:]) for part in parts], axis=0)
    left_out = int(holds[::-1].argmax())
    kept = {
        field.name: value[: len(value) - left_out]
        for field in fields(recorded)
        if (value := getattr(recorded, field.name)) is not None
    }
    return replace(recorded, **kept)


def _filled(rows: Numbers) -> NDArray[np.bool_]:
    """Return which rows hold anything but zeros or NaN, ``(T,)``."""
    return np.asarray(((rows != 0) & ~np.isnan(rows)).any(axis=1))
