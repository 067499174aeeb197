"""Which kind of demonstrations a path or an id names, and the reader of that kind."""

import os
from pathlib import Path

from headstart.demos.foreign.array_names import has_goals
from headstart.demos.foreign.arrays import load_array_demos
from headstart.demos.foreign.legacy import is_legacy, load_legacy_demos
from headstart.demos.foreign.lerobot import is_lerobot, load_lerobot_demos
from headstart.demos.foreign.mapping import StateMap
from headstart.demos.foreign.minari import load_minari_demos
from headstart.demos.foreign.minari_files import find_dataset
from headstart.demos.foreign.named import load_named_arrays
from headstart.demos.foreign.robomimic import load_robomimic_demos
from headstart.demos.storage import DemoSet, load_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.errors import InputError
from headstart.files.npz import DAMAGED, open_archive, reason_of, unpacked_limit
from headstart.files.paths import user_path
from headstart.files.run_files import DEMOS
from headstart.files.tensors import HDF5, HEAD, NUMPY_ARCHIVE, NUMPY_ARRAY, PICKLE, foreign

_MINARI_FILE = ("data", "main_data.hdf5")


def check_exists(source: str | Path) -> None:
    """Refuse a path or an id that names nothing, before anything slow is done.

    Raises:
        InputError: if there is no such file, directory or dataset.
    """
    path = user_path(source)
    if os.path.exists(path):
        return
    if path.suffix or path.is_absolute():
        raise InputError(f"{source}: no such file of demonstrations")
    find_dataset(source)


def load_source(
    source: str | Path, spec: GoalSpec, reward: GoalReward | None, states: StateMap
) -> DemoSet:
    """Read what a path or an id names, whatever kind of demonstrations it is.

    Args:
        source: see ``read_demos``.
        spec: the environment that they are for; most files do not name it.
        reward: says which steps succeed where a file does not; without it they count as failures.
        states: which columns are observation and goals, where the file does not call them so.

    Raises:
        InputError: if it is missing, damaged, or of no kind that is known.
    """
    path = user_path(source)
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if os.path.isdir(path):
        if os.path.isfile(path / DEMOS) and not os.path.isdir(path / "data"):
            return load_demos(path / DEMOS)
        if is_lerobot(path):
            return load_lerobot_demos(path, spec, reward, states)
        return load_minari_demos(path, spec, reward)
    check_exists(source)
    if not os.path.isfile(path):
        return load_minari_demos(str(source), spec, reward)
    if path.absolute().parts[-2:] == _MINARI_FILE:
        return load_minari_demos(path.absolute().parents[1], spec, reward)
    if _is_hdf5(path):
        return load_robomimic_demos(path, spec, reward, states)
    names = _names_in(path)
    if states and "header" not in names:
        return load_named_arrays(path, spec, reward, states)
    if "header" in names:
        return load_demos(path)
    if has_goals(names) or not is_legacy(names):
        return load_array_demos(path, spec, reward)
    return load_legacy_demos(path, spec, reward)


def _names_in(path: Path) -> set[str]:
    """Return the names of the arrays in a ``.npz``; none of what numpy or pickle wrote alone.

    Raises:
        InputError: if the file is something else.
    """
    try:
        with path.open("rb") as file:
            kind = foreign(file.read(HEAD))
            if kind in (NUMPY_ARRAY, PICKLE):
                return set()
            if kind not in (None, NUMPY_ARCHIVE):
                raise ValueError(f"it is {kind}; it was not opened")
            with open_archive(file, unpacked_limit(file)) as archive:
                return {name.removesuffix(".npy") for name in archive.namelist()}
    except DAMAGED as error:
        raise InputError(f"{path}: not a file of demonstrations: {reason_of(error)}") from error


def _is_hdf5(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return foreign(file.read(HEAD)) == HDF5
    except OSError:
        return False  # It is said below why.
