"""Reads HDF5 files of Minari and robomimic; a program of its own, not to be imported.

Version after version of the HDF5 library has crashed, hung or taken all memory on some damaged
file, and an untrusted file may be damaged on purpose. So this is run in a process that may
die, under limits (``reader_process``). It imports nothing else of headstart, to start quickly.
"""

import contextlib
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]


def main(path: str, out: str, request: str) -> int:
    """Write the episodes of the file ``path`` to the ``.npz`` ``out``, or print what is wrong."""
    layout = json.loads(request)
    _limit(layout["memory"])
    try:
        with h5py.File(path, "r") as file:
            read = _demos if layout.get("kind") == "robomimic" else _episodes
            np.savez(out, allow_pickle=False, **read(file, layout))
    # Any: h5py turns damages of a file into exceptions of many kinds.
    except Exception as error:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        print(" ".join((str(error) or type(error).__name__).split()))
        return 2
    return 0


def _limit(memory: int) -> None:
    """Where the system can, bound the bytes of memory, and leave no core file behind."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _episodes(file: h5py.File, layout: Mapping[str, Any]) -> Arrays:
    """Return all episodes end to end, with their numbers and lengths."""
    numbers = _episode_numbers(file, "episode_")
    read = _Numbers(layout["claim"])
    episodes = []
    for number in numbers:
        name = f"episode_{number}"
        group = _own(file, name)
        if not isinstance(group, h5py.Group):
            raise ValueError(f"{name} is not a group")
        try:
            episodes.append(_episode(read, group, layout))
        except Exception as error:
            raise ValueError(f"{name}: {error}") from error
    arrays = {key: np.concatenate([ep[key] for ep in episodes]) for key in episodes[0]}
    arrays["numbers"] = np.array(numbers, np.int64)
    for name, key in (("steps", "actions"), ("states", "observations")):
        arrays[name] = np.array([len(episode[key]) for episode in episodes], np.int64)
    return arrays


def _episode(read: "_Numbers", group: h5py.Group, layout: Mapping[str, Any]) -> Arrays:
    """Return the arrays of one episode: ``T`` rows of steps, ``T + 1`` rows of states.

    Published datasets have episodes without the last state too.
    """
    steps = len(_dataset(group, "actions"))
    short = len(_dataset(group, "observations/observation")) == steps

    def states(key: str, width: int) -> NDArray[np.float32]:
        return read(group, f"observations/{key}", [(steps + 1 - short, width)])

    def flags(key: str) -> NDArray[np.bool_]:
        return read(group, key, [(steps,), (steps, 1)]).reshape(steps).astype(bool)

    def info(key: str) -> NDArray[np.float32]:
        # Collectors write what reset returned too.
        shapes = [(steps,), (steps + 1,), (steps, 1), (steps + 1, 1)]
        array = read(group, f"infos/{key}", shapes)
        return array.reshape(-1)[len(array) - steps :]

    keys = layout["success_keys"]
    named = next((key for key in keys if _own(group, f"infos/{key}") is not None), None)
    infos = [info(key) for key in layout["info_keys"]]
    return {
        "observations": states("observation", layout["observation"]),
        "achieved_goals": states("achieved_goal", layout["goal"]),
        "desired_goals": states("desired_goal", layout["goal"]),
        "actions": read(group, "actions", [(steps, layout["action"])]),
        "terminated": flags("terminations"),
        "truncated": flags("truncations"),
        # NaN where the dataset does not say.
        "success": info(named) if named else np.full(steps, np.nan, np.float32),
        "reward_infos": np.stack(infos, 1) if infos else np.zeros((steps, 0), np.float32),
    }


def _episode_numbers(group: h5py.Group, prefix: str) -> list[int]:
    matches = (re.fullmatch(f"{prefix}([0-9]{{1,9}})", name) for name in group)
    numbers = sorted(int(match[1]) for match in matches if match)
    if not numbers:
        raise ValueError("it holds no episode")
    return numbers


def _demos(file: h5py.File, layout: Mapping[str, Any]) -> Arrays:
    """Return the wanted arrays of all demonstrations of robomimic end to end, with their lengths.

    Of an observation the state after the last action is in ``next_obs``.
    """
    data = _own(file, "data")
    if not isinstance(data, h5py.Group):
        raise ValueError("it has no group data, as files of robomimic have")
    numbers, read = _episode_numbers(data, "demo_"), _Numbers(layout["claim"])
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in layout["names"]}
    for number in numbers:
        group = _own(data, f"demo_{number}")
        if not isinstance(group, h5py.Group):
            raise ValueError(f"demo_{number} is not a group")
        for name, rows in parts.items():
            array = _rows(read, group, name)
            after = f"next_{name}"
            if name.startswith("obs/") and _own(group, after) is not None:
                array = np.concatenate([array, _rows(read, group, after)[-1:]])
            rows.append(array)
    arrays: Arrays = {"numbers": np.array(numbers, np.int64)}
    for index, rows in enumerate(parts.values()):
        arrays[f"array_{index}"] = np.concatenate(rows)
        arrays[f"rows_{index}"] = np.array([len(each) for each in rows], np.int64)
    return arrays


def _rows(read: "_Numbers", group: h5py.Group, name: str) -> NDArray[np.float32]:
    """Return an array with a vector, or a number, in each row, ``(rows, width)``."""
    shape = _dataset(group, name).shape
    if len(shape) > 2:
        raise ValueError(f"{name} has shape {shape}, not one vector a row")
    array = read(group, name, [shape])
    return array.reshape(len(array), -1)


class _Numbers:
    """Reads plain numbers that lie in the file itself, up to so many bytes in all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._claimed = 0

    def __call__(
        self, group: h5py.Group, name: str, shapes: Sequence[tuple[int, ...]]
    ) -> NDArray[np.float32]:
        """Return the dataset ``name``, which must have one of ``shapes``."""
        dataset = _dataset(group, name)
        if dataset.shape not in shapes:
            raise ValueError(f"{name} has shape {dataset.shape} instead of {shapes[0]}")
        if dataset.dtype.kind not in "biuf":
            raise ValueError(f"{name} holds {dataset.dtype} instead of numbers")
        # Read, it would show another file's content.
        if dataset.external or dataset.is_virtual:
            raise ValueError(f"{name} lies outside of the file")
        # A chunk is read as a whole, whatever part of it belongs to the array.
        size = max(dataset.size, math.prod(dataset.chunks or ()))
        self._claimed += size * dataset.dtype.itemsize
        if self._claimed > self._limit:
            raise ValueError(
                f"with {name} the arrays hold {self._claimed} bytes, "
                f"more than the {self._limit} that are read"
            )
        with np.errstate(over="ignore"):  # What is too large for float32 is refused later.
            return np.asarray(dataset[()]).astype(np.float32)


def _dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    found = _own(group, name)
    if found is None:
        raise ValueError(f"it lacks {name}")
    if not isinstance(found, h5py.Dataset) or not found.shape:
        raise ValueError(f"{name} is not an array")
    return found


def _own(group: h5py.Group, path: str) -> Any:
    """Return what lies at ``path`` in this file, or ``None``; no link to elsewhere is followed."""
    found: Any = group
    for name in path.split("/"):
        # Asked of the links: to ask the group would open what they lead to.
        if not isinstance(found, h5py.Group) or not found.id.links.exists(name.encode()):
            return None
        if found.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
            raise ValueError(f"{path} is a link to elsewhere")
        found = found[name]
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
