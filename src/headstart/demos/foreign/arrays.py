"""Demonstrations as plain arrays: HER buffers, and files that others write for themselves.

Steps may lie in one row (``(steps, width)``, with the ends of the episodes), in a row for each
episode (``(N, T, width)``, all of one length or with their lengths), or in one array for each
episode. States may include the last one, in the same array or as the next state, or lack it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.demos.foreign.array_file import read_arrays
from headstart.demos.foreign.array_layout import Arrays, Layout, Rows, find_layout
from headstart.demos.foreign.array_names import NEEDED, find_names
from headstart.demos.foreign.importer import EpisodeImporter, naming
from headstart.demos.foreign.plain_values import MAX_STATES, items, stack_vectors, to_float
from headstart.demos.recorded import Recorded
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.errors import InputError
from headstart.files.npz import DAMAGED, reason_of
from headstart.files.paths import user_path
from headstart.text import printable


def load_array_demos(path: str | Path, spec: GoalSpec, reward: GoalReward | None = None) -> DemoSet:
    """Read demonstrations that lie in a file as arrays of numbers. Nothing in it is run.

    Args:
        path: a ``.npz``, or what ``numpy.save`` or pickle wrote of a dict of arrays, or of a list
            with a dict for each episode; ``headstart.demos.foreign.array_names`` has their names.
        spec: the environment that they are for; the file does not name it.
        reward: says which steps succeed where the file does not; without it they count as failures.

    Raises:
        InputError: if the file is missing, damaged, too large, does not say where its episodes
            end, or is not of this environment.
    """
    path = user_path(path)
    try:
        read, ignored = read_arrays(path, partial(_choose, spec=spec))
        arrays = {part: _rows(part, value, spec) for part, value in read.items()}
        return _demos(path.name, arrays, ignored, spec, reward)
    except DAMAGED as error:
        raise InputError(f"{path}: cannot be imported: {reason_of(error)}") from error


def _choose(names: Sequence[str], spec: GoalSpec) -> Mapping[str, str]:
    """Return which array is which part of the demonstrations.

    Raises:
        ValueError: if a part is missing.
    """
    found = find_names(names, spec.reward_info_keys)
    missing = [part for part in NEEDED if part not in found]
    missing += [key for key in spec.reward_info_keys if f"info_{key}" not in found]
    if missing:
        raise ValueError(
            f"it has no {' and no '.join(missing)}, which demonstrations of {spec.env_id} need; "
            f"it has {printable(', '.join(sorted(names)), 80)} (`headstart demos import "
            f"--achieved-goal` says what is what)"
        )
    return found


def _rows(part: str, value: Any, spec: GoalSpec) -> Rows:
    """Return what was read as an array, or, out of an array of objects, as one for each episode."""
    if isinstance(value, np.ndarray):
        if not value.ndim:
            raise ValueError(f"{part} is a single number")
        return value
    widths = {
        "observation": spec.observation_dim,
        "goal": spec.goal_dim,
        "actions": spec.action_dim,
    }
    width = next((width for name, width in widths.items() if name in part), 1)
    values = items(value, part)
    if values and all(isinstance(entry, float | int) for entry in values):
        return np.array([to_float(entry) for entry in values])
    if values and width > 1 and _is_vector(values[0], width):
        _check_count(part, len(values))
        return stack_vectors(values, f"{part}: row {{}}", width, spec.env_id)
    episodes: list[NDArray[Any]] = []
    total = 0
    for number, entry in enumerate(values):
        rows = [entry] if isinstance(entry, float | int) else items(entry, f"{part} {number}")
        total += len(rows)
        _check_count(part, total)
        if isinstance(rows, np.ndarray):
            episodes.append(rows)
        else:
            name = f"{part}: row {{}} of episode {number}"
            episodes.append(stack_vectors(rows, name, width, spec.env_id))
    return episodes


def _is_vector(value: Any, width: int) -> bool:
    """Return whether it is a row, and not the rows of an episode."""
    if isinstance(value, np.ndarray):
        return bool(value.shape == (width,))
    plain = isinstance(value, list | tuple) and len(value) == width
    return plain and all(isinstance(entry, float | int) for entry in value)


def _check_count(part: str, rows: int) -> None:
    if rows > MAX_STATES:
        raise ValueError(f"{part} has more than {MAX_STATES} rows")


def _demos(
    name: str,
    arrays: Arrays,
    ignored: Sequence[str],
    spec: GoalSpec,
    reward: GoalReward | None,
) -> DemoSet:
    layout = find_layout(arrays, spec)
    importer = EpisodeImporter(spec, reward)
    blank = 0
    for number in range(len(layout)):
        with naming(f"episode {number}"):
            recorded = _read_episode(arrays, layout, number, spec)
            # A HER buffer that was never full ends in such episodes.
            if _is_blank(recorded):
                blank += 1
            else:
                importer.add(recorded, may_be_padded=layout.longest is not None)
    remarks = [f"{blank} episodes hold nothing but zeros and are left out."] * bool(blank)
    if ignored:
        remarks.append(f"Arrays that were not read: {printable(', '.join(ignored), 150)}.")
    return importer.demos(name, "arrays", remarks)


def _read_episode(arrays: Arrays, layout: Layout, number: int, spec: GoalSpec) -> Recorded:
    """Return one episode of the file."""

    def take(part: str, width: int) -> NDArray[Any]:
        return layout.rows(part, arrays[part], number, width)

    steps = int(layout.lengths[number])
    observations = take("observations", spec.observation_dim)
    achieved = take("achieved_goals", spec.goal_dim)
    desired = take("desired_goals", spec.goal_dim)
    if len(observations) == steps and {"next_observations", "next_achieved_goals"} <= {*arrays}:
        after = (("next_observations", observations), ("next_achieved_goals", achieved))
        observations, achieved = (
            np.concatenate([states, take(part, states.shape[-1])[-1:]]) for part, states in after
        )
    infos = [_column(key, take(f"info_{key}", 1), steps)[:, None] for key in spec.reward_info_keys]
    ends = _column("terminated", take("terminated", 1), steps) if "terminated" in arrays else None
    return Recorded(
        observations=observations,
        achieved_goals=achieved,
        desired_goals=np.repeat(desired, steps, axis=0) if len(desired) == 1 else desired,
        actions=take("actions", spec.action_dim),
        success=_success(take("success", 1) if "success" in arrays else None, steps),
        reward_infos=np.concatenate(infos, axis=1) if infos else np.zeros((steps, 0)),
        terminated=None if ends is None else ends != 0,
    )


def _column(part: str, rows: NDArray[Any], steps: int) -> NDArray[Any]:
    """Return one number for each step, ``(T,)``."""
    # Some write what reset said in front of them.
    of_steps = rows[1:] if len(rows) == steps + 1 else rows
    if of_steps.shape != (steps, 1):
        raise ValueError(f"{part} has shape {rows.shape} instead of {(steps, 1)}")
    return of_steps[:, 0]


def _success(rows: NDArray[Any] | None, steps: int) -> NDArray[np.float64]:
    """Return the success of each step, ``(T,)``, NaN where the file does not say."""
    success = np.full(steps, np.nan)
    if rows is None or not steps:
        return success
    if rows.shape == (1, 1):  # of the whole episode: how it ends
        success[-1] = rows[0, 0]
    else:
        success[:] = _column("success", rows, steps)
    return success


def _is_blank(recorded: Recorded) -> bool:
    vectors = (recorded.observations, recorded.achieved_goals, recorded.desired_goals)
    with np.errstate(invalid="ignore"):
        return len(recorded.actions) > 0 and not any(map(np.any, (*vectors, recorded.actions)))
