"""What fills up the rows of a file whose episodes are of different lengths."""

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from headstart.demos.recorded import Numbers, Recorded


def without_padding(recorded: Recorded) -> Recorded:
    """Return an episode without last steps that hold nothing but zeros or NaN.

    An episode whose goal is all zeros stays as it is: it may rest there.
    """
    steps = len(recorded.actions)
    if not steps or not np.any(recorded.desired_goals[0]):
        return recorded
    # Of states those that the steps led to, where the last one is there too.
    parts = (recorded.actions, recorded.observations, recorded.achieved_goals)
    holds = np.any([_holds_something(part[-steps:]) for part in parts], axis=0)
    left_out = int(holds[::-1].argmax())
    kept = {
        field.name: value[: len(value) - left_out]
        for field in fields(recorded)
        if (value := getattr(recorded, field.name)) is not None
    }
    return replace(recorded, **kept)


def _holds_something(rows: Numbers) -> NDArray[np.bool_]:
    return np.asarray(((rows != 0) & ~np.isnan(rows)).any(axis=1))
