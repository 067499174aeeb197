"""Demonstrations as datasets of LeRobot (https://huggingface.co/docs/lerobot), version 3, in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.demos.foreign.importer import MOST_EPISODES, EpisodeImporter
from headstart.demos.foreign.mapping import StateMap
from headstart.demos.foreign.named import Named, import_named, require_no_infos
from headstart.demos.foreign.reader_process import need, read_with
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.errors import InputError
from headstart.files.atomic import read_whole
from headstart.files.strict_json import parse_json
from headstart.text import printable

INFO = Path("meta") / "info.json"
STATE, ACHIEVED, DESIRED = (
    "observation.state",
    "observation.achieved_goal",
    "observation.desired_goal",
)
ACTION, EPISODE, SUCCESS = "action", "episode_index", "next.success"
OWN = StateMap.read(STATE, ACHIEVED, DESIRED)
"""The columns of datasets that ``demos export --lerobot`` writes."""
_READER = Path(__file__).with_name("parquet_reader.py")
_INFO_SIZE = 16 << 20  # bytes
_SECONDS = 60.0
_VERSIONS = ("v2.0", "v2.1", "v3.0")


def is_lerobot(directory: Path) -> bool:
    """Return whether a directory is that of a LeRobot dataset."""
    return (directory / INFO).is_file()


def load_lerobot_demos(
    directory: Path, spec: GoalSpec, reward: GoalReward | None, states: StateMap
) -> DemoSet:
    """Read the numbers of a dataset, its pictures aside; nothing in it is run.

    LeRobot keeps no state after the last action: the last row of each episode is taken for it, and
    its action is left out.

    Args:
        directory: of the dataset.
        spec: the environment that the demonstrations are for.
        reward: says which steps succeed where the dataset does not.
        states: which columns are observation and goals; those of ``OWN`` where it leaves it open.

    Raises:
        InputError: if it is damaged, or not of this environment.
    """
    need("pyarrow", f"{directory}: reading a LeRobot dataset", "lerobot")
    states = states.or_else(OWN)
    try:
        require_no_infos(spec)
        features = _features(directory)
        columns = [*states.names(), ACTION, EPISODE]
        columns += [SUCCESS] * (SUCCESS in features)
        missing = [name for name in columns if name not in features]
        if missing:
            raise ValueError(
                f"it has no {missing[0]}; it has {printable(', '.join(features), 300)}: say with "
                f"--observation, --achieved-goal and --desired-goal what is what"
            )
        size = sum(path.stat().st_size for path in (directory / "data").rglob("*.parquet"))
        read = read_with(
            _READER, directory / "data", {"columns": columns},
            size=size, name="data", seconds=_SECONDS,
        )  # fmt: skip
        arrays = {name: read[str(number)] for number, name in enumerate(columns)}
        importer = EpisodeImporter(spec, reward)
        remarks = import_named(_episodes(arrays), states, spec, importer)
        return importer.demos(printable(directory.name), "lerobot", remarks)
    except (OSError, ValueError) as error:
        raise InputError(f"{directory}: {' '.join(str(error).split())[:500]}") from error


def _features(directory: Path) -> list[str]:
    """Return the names of the columns.

    Raises:
        ValueError: if ``info.json`` is damaged or of another version.
    """
    info = parse_json(read_whole(directory / INFO, _INFO_SIZE))
    if not isinstance(info, dict) or not isinstance(info.get("features"), dict):
        raise ValueError("meta/info.json names no features")
    version = info.get("codebase_version")
    if version not in _VERSIONS:
        raise ValueError(
            f"meta/info.json is of version {printable(version, 40)}, not {' or '.join(_VERSIONS)}"
        )
    return list(info["features"])


def _episodes(arrays: dict[str, NDArray[Any]]) -> Iterator[Named]:
    numbers = arrays[EPISODE].reshape(-1)
    if len({len(array) for array in arrays.values()}) != 1 or not len(numbers):
        raise ValueError("its columns have no rows, or different numbers of them")
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    if len(starts) > MOST_EPISODES or len(starts) != len(np.unique(numbers)):
        raise ValueError("the rows of its episodes do not follow one another")
    for start, stop in zip(starts, [*starts[1:], len(numbers)], strict=True):
        rows = {name: array[start:stop] for name, array in arrays.items()}
        actions = rows.pop(ACTION)
        success = rows.pop(SUCCESS).reshape(-1).astype(np.float64) if SUCCESS in rows else None
        yield Named(
            f"episode {int(numbers[start])}", rows, actions.reshape(len(actions), -1), success
        )
