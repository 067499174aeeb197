"""The arrays of a file by name: of a ``.npz``, or of a dict that ``numpy.save`` or pickle wrote."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.demos.foreign.importer import MOST_EPISODES
from headstart.files.atomic import read_whole
from headstart.files.npz import open_archive, read_member, read_npy, unpacked_limit
from headstart.files.restricted_pickle import read_pickle
from headstart.files.tensors import HEAD, NUMPY_ARRAY, PICKLE, foreign

MAX_OBJECTS = 128 * 2**20
"""Bytes of one pickle, as in a Baselines file; arrays of numbers may be larger."""
_MOST_NAMES = 1000
Choice = Callable[[Sequence[str]], Mapping[str, str]]
"""Which array, of those with the given names, is which part of the demonstrations."""


def read_arrays(path: Path, choose: Choice) -> tuple[dict[str, Any], list[str]]:
    """Return the chosen arrays by part, and the names of the others. Nothing in the file is run.

    Raises:
        OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error: if the file is
            damaged, too large, or holds something else.
    """
    with path.open("rb") as file:
        kind = foreign(file.read(HEAD))
        if kind in (NUMPY_ARRAY, PICKLE):
            return _of_dict(path, kind, choose)
        with open_archive(file, unpacked_limit(file)) as archive:
            names = [name[:-4] for name in archive.namelist() if name.endswith(".npy")]
            chosen = choose(names)
            read = {part: read_member(archive, name, _objects) for part, name in chosen.items()}
            return read, sorted({*names} - {*chosen.values()})


def _objects(data: bytes, start: int) -> Any:
    if len(data) > MAX_OBJECTS:
        raise ValueError(f"it has a pickle of {len(data)} bytes, more than {MAX_OBJECTS}")
    return read_pickle(data, start)


def _of_dict(path: Path, kind: str, choose: Choice) -> tuple[dict[str, Any], list[str]]:
    """Return the arrays of a dict, or of a list with a dict for each episode."""
    content = read_whole(path, MAX_OBJECTS)
    try:
        value = read_pickle(content) if kind == PICKLE else read_npy(content, "it", _objects)
    except ValueError as error:
        raise ValueError(f"it is {kind}, and not one of arrays: {error}") from error
    episodes = value if isinstance(value, list) else [value]
    if not episodes or not all(isinstance(episode, dict) for episode in episodes):
        raise ValueError(f"it is {kind}, and not one of a dict of arrays")
    if len(episodes) > MOST_EPISODES:
        raise ValueError(f"it has more than {MOST_EPISODES} episodes")
    names = _names(episodes[0])
    chosen = choose(names)
    read = {part: [_value(episode, name) for episode in episodes] for part, name in chosen.items()}
    if isinstance(value, dict):
        read = {part: values[0] for part, values in read.items()}
    return read, sorted({*names} - {*chosen.values()})


def _names(content: Mapping[str, Any]) -> list[str]:
    """Return the names of the arrays in a dict, and in the dicts in it."""
    names: list[str] = []
    for name, value in content.items():
        inner = list(value) if isinstance(value, dict) else []
        names += [f"{name}/{key}" for key in inner[:_MOST_NAMES]] or [name]
        if len(names) > _MOST_NAMES:
            raise ValueError(f"it has more than {_MOST_NAMES} arrays in an episode")
    return names


def _value(content: Any, name: str) -> Any:
    """Return what lies under a name, as ``_names`` writes it."""
    outer, slash, inner = name.partition("/")
    for key in [name] if name in content else [outer, inner] if slash else [name]:
        if not isinstance(content, dict) or key not in content:
            raise ValueError(f"an episode of it lacks {name}")
        content = content[key]
    return content
