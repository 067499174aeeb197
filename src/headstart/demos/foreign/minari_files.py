"""The files of a Minari dataset: where they lie, and what they hold, read without trusting them.

Minari's own ``load_dataset`` is not used: where ``metadata.json`` leaves the spaces out it builds
the environment that the file describes, and so calls whatever function the file names.
"""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.demos.foreign.reader_process import CLAIM, MEMORY, run_reader
from headstart.envs.goal_env import SUCCESS_KEYS, GoalSpec
from headstart.errors import InputError
from headstart.files.paths import user_path

Arrays = Mapping[str, NDArray[Any]]

# Minari takes each directory that holds one named "data" for a dataset, the store not excepted.
DATASET_ID = re.compile(r"(?:(?!data/)[\w-]+/)*[\w-]+-v\d+")

_READER = Path(__file__).with_name("hdf5_reader.py")
_METADATA_SIZE = 16 << 20  # bytes
_SECONDS = 60.0  # to read a file, and so many more for every MB
_SECONDS_PER_MB = 3.0


@dataclass(frozen=True)
class Metadata:
    """What matters here of ``metadata.json``."""

    env_id: str | None
    num_episodes: int | None


def store() -> Path:
    """Return the directory of the local Minari store."""
    path = os.environ.get("MINARI_DATASETS_PATH")
    return Path.home() / ".minari" / "datasets" if path is None else Path(path)


def find_dataset(source: str | Path) -> Path:
    """Return the directory of a dataset, of which the id or the path is given.

    Raises:
        InputError: if there is none.
    """
    directory = user_path(source)
    if isinstance(source, str) and DATASET_ID.fullmatch(source):
        if os.path.isdir(store() / source / "data"):
            return store() / source
        if not os.path.isdir(directory):
            raise InputError(
                f"{source}: not in the local Minari store {store()}; "
                f"`minari download {source}` fetches it"
            )
    if not os.path.isdir(directory / "data"):
        raise InputError(
            f"{source}: not a Minari dataset, which is an id or a directory that holds "
            f"data/main_data.hdf5 and data/metadata.json; of other demonstrations name the files"
        )
    return directory


def read_metadata(directory: Path) -> Metadata:
    """Read ``metadata.json``. The description of an environment in it is never acted on.

    Raises:
        ValueError: if it is missing or damaged, or the data are kept in another format.
    """
    path = directory / "data" / "metadata.json"
    if not path.is_file():
        raise ValueError("it lacks data/metadata.json")
    if path.stat().st_size > _METADATA_SIZE:
        raise ValueError(f"data/metadata.json is larger than {_METADATA_SIZE} bytes")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        data_format = content.get("data_format", "hdf5")
        env_id = json.loads(content.get("env_spec") or "{}").get("id")
        num_episodes = content.get("total_episodes")
        if not isinstance(env_id, str | None) or not isinstance(num_episodes, int | None):
            raise TypeError(f"it has {num_episodes!r} episodes of environment {env_id!r}")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"data/metadata.json is damaged: {error}") from error
    if data_format != "hdf5":
        raise ValueError(f"its data_format is {data_format!r}; only 'hdf5' can be read")
    return Metadata(env_id, num_episodes)


def read_arrays(directory: Path, spec: GoalSpec) -> Arrays:
    """Read ``main_data.hdf5``, in a process of its own, under limits of time and memory.

    Raises:
        ValueError: if it is missing or damaged, or has not the widths of ``spec``.
    """
    path = directory / "data" / "main_data.hdf5"
    if not path.is_file():
        raise ValueError("it lacks data/main_data.hdf5")
    layout = {
        "observation": spec.observation_dim,
        "goal": spec.goal_dim,
        "action": spec.action_dim,
        "success_keys": SUCCESS_KEYS,
        "info_keys": spec.reward_info_keys,
        "claim": CLAIM,
        "memory": MEMORY,
    }
    seconds = _SECONDS + _SECONDS_PER_MB * path.stat().st_size / 1e6
    with tempfile.TemporaryDirectory(prefix="headstart-") as scratch:
        out = Path(scratch) / "episodes.npz"
        _run_reader([str(path.absolute()), str(out), json.dumps(layout)], seconds)
        with np.load(out, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}


def _run_reader(arguments: list[str], seconds: float) -> None:
    run_reader(_READER, arguments, seconds, "data/main_data.hdf5")
