"""Demonstrations of robomimic (https://robomimic.github.io), of which the user names the goals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.demos.foreign.importer import EpisodeImporter
from headstart.demos.foreign.mapping import StateMap
from headstart.demos.foreign.named import Named, import_named, require_no_infos
from headstart.demos.foreign.reader_process import need, read_with
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.errors import InputError

READER = Path(__file__).with_name("hdf5_reader.py")
_SECONDS = 60.0


def load_robomimic_demos(
    path: Path, spec: GoalSpec, reward: GoalReward | None, states: StateMap
) -> DemoSet:
    """Read an HDF5 file of robomimic: nothing in it is run.

    Goals are what episodes have achieved at their ends unless ``states`` says otherwise.

    Args:
        path: the file.
        spec: the environment that the demonstrations are for.
        reward: says which steps succeed; without it they count as failures.
        states: which arrays of an episode are observation and achieved goal, such as
            ``obs/object[0:3]``.

    Raises:
        InputError: if it is damaged, or the map leaves something open.
    """
    need("h5py", f"{path}: reading an HDF5 file", "minari")
    states = states.or_else(StateMap(is_final=True))
    if states.observation is None or states.achieved_goal is None:
        raise InputError(
            f"{path}: an HDF5 file does not say what is observation and what is goal: name them, "
            f"for robomimic by `headstart demos import --observation obs/robot0_eef_pos,obs/object "
            f"--achieved-goal 'obs/object[0:3]'`; Minari datasets by their id or directory"
        )
    names = [*states.names(), "actions"]
    try:
        require_no_infos(spec)
        read = read_with(
            READER, path, {"kind": "robomimic", "names": names},
            size=path.stat().st_size, name=path.name, seconds=_SECONDS,
        )  # fmt: skip
        importer = EpisodeImporter(spec, reward)
        remarks = import_named(_episodes(read, names), states, spec, importer)
        return importer.demos(path.name, "robomimic", remarks)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())[:500]}") from error


def _episodes(read: dict[str, NDArray[Any]], names: list[str]) -> Iterator[Named]:
    stops = {name: np.cumsum(read[f"rows_{number}"]) for number, name in enumerate(names)}
    for index, episode in enumerate(read["numbers"].tolist()):
        arrays = {}
        for number, name in enumerate(names):
            stop = int(stops[name][index])
            arrays[name] = read[f"array_{number}"][stop - int(read[f"rows_{number}"][index]) : stop]
        yield Named(f"demo_{episode}", arrays, arrays.pop("actions"))
