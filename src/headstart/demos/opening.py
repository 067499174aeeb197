"""Demonstrations as callers give them: in memory, in a file, or in several of either."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.demos.storage import DemoSet, load_demos
from headstart.errors import InputError

Demos = DemoSet | str | Path | Iterable[DemoSet | str | Path]
"""Demonstrations, the path of a demo file, or several of these."""


def open_demos(demos: Demos) -> DemoSet:
    """Return demonstrations as one set, in the order in which they are given.

    Raises:
        InputError: if a file cannot be read, sets are of different environments, or something is
            neither demonstrations nor a path.
    """
    if isinstance(demos, DemoSet):
        return demos
    if isinstance(demos, str | Path):
        return load_demos(demos)
    if not isinstance(demos, Iterable):
        raise InputError(f"demos must be a DemoSet or a path, got {type(demos).__name__}")
    sets = [_open(each) for each in demos]
    if not sets:
        raise InputError("demos is empty; give a DemoSet, a path, or several of these")
    for other in sets[1:]:
        _check_alike(sets[0], other)
    episodes = tuple(episode for each in sets for episode in each.episodes)
    return sets[0] if len(sets) == 1 else replace(sets[0], episodes=episodes)


def _open(each: object) -> DemoSet:
    if not isinstance(each, DemoSet | str | Path):
        hint = (
            "; several episodes are DemoSet(env_id, episodes)" if hasattr(each, "actions") else ""
        )
        raise InputError(
            f"demos must be DemoSets or paths, got a list with {type(each).__name__}{hint}"
        )
    return open_demos(each)


def _check_alike(first: DemoSet, other: DemoSet) -> None:
    """Refuse sets that one environment cannot have made."""
    pairs: list[tuple[str, Any, Any]] = [("env_id", first.env_id, other.env_id)]
    if first.episodes and other.episodes:
        pairs += [
            (f"{name} width", first.widths[name], other.widths[name]) for name in first.widths
        ]
    pairs += [
        (key, first.header.get(key), other.header.get(key))
        for key in ("reward_info_keys", "action_bounds")
    ]
    for name, one, two in pairs:
        if one != two:
            raise InputError(
                f"demonstrations of one run must be of one environment: {name} is {one} and {two}"
            )
