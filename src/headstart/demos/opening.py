"""Demonstrations as callers give them: in memory, in a file, or in several of either."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from headstart.demos.foreign.joining import join_demos
from headstart.demos.storage import DemoSet, load_demos
from headstart.errors import InputError

Source = DemoSet | str | Path
"""A set, a demo file, a file of another kind, or a Minari dataset by its id or its directory."""
Demos = Source | Iterable[Source]
"""Demonstrations, the path of a demo file, or several of these."""


def open_demos(demos: Demos) -> DemoSet:
    """Return demonstrations as one set, in the order in which they are given.

    Files of others are read by ``read_demos``, which needs to know their environment.

    Raises:
        InputError: if a file cannot be read, sets are of different environments, or something is
            neither demonstrations nor a path.
    """
    return join_demos(
        [
            (name, each if isinstance(each, DemoSet) else load_demos(each))
            for name, each in list_demos(demos)
        ]
    )


def list_demos(demos: Demos) -> list[tuple[str, Source]]:
    """Return what demonstrations are given, each with what to call it in messages.

    Raises:
        InputError: if there are none, or something is neither demonstrations nor a path.
    """
    if isinstance(demos, DemoSet | str | Path):
        demos = [demos]
    elif isinstance(demos, Mapping):
        raise InputError(
            "demos must be a DemoSet or a path, got a dict; write its arrays to a file, "
            "numpy.savez('demos.npz', **arrays), and pass its path"
        )
    elif not isinstance(demos, Iterable):
        raise InputError(f"demos must be a DemoSet or a path, got {type(demos).__name__}")
    listed = list(demos)
    if not listed:
        raise InputError("demos is empty; give a DemoSet, a path, or several of these")
    return [(_name(each, number, len(listed)), each) for number, each in enumerate(listed)]


def _name(each: Any, number: int, count: int) -> str:
    if isinstance(each, DemoSet):
        return f"demos[{number}]" if count > 1 else "demos"
    if isinstance(each, str | Path):
        return str(each)
    hint = "; several episodes are DemoSet(env_id, episodes)" if hasattr(each, "actions") else ""
    raise InputError(
        f"demos must be DemoSets or paths, got a list with {type(each).__name__}{hint}"
    )
