"""Several processes on one run: all are given the same, and the first one alone writes."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from headstart.demos.expansion.cost import digest_of
from headstart.demos.storage import DemoSet
from headstart.dotted import walk
from headstart.errors import SharedInputError
from headstart.runs.identity import content_of
from headstart.runs.record import current_versions
from headstart.training.config import TrainConfig
from headstart.training.group import Group

T = TypeVar("T")


def check_together(
    group: Group,
    env_id: str,
    config: TrainConfig,
    out: str | Path | None,
    *functions: object | None,
) -> None:
    """Refuse processes that are not asked for the same run, or have other versions.

    Args:
        group: the processes.
        env_id: the environment.
        config: all settings.
        out: the run directory, which they need.
        functions: the user's own, for hindsight goals for instance.

    Raises:
        InputError: names the first process that differs, and in what.
    """
    if group.size == 1:
        return
    if out is None:
        raise SharedInputError("a run under torchrun needs a run directory: --out DIR, out=DIR")
    settings = {setting.name: str(setting.value) for setting in walk(config)}
    versions = {f"version of {name}": it for name, it in current_versions().items()}
    python = ".".join(map(str, sys.version_info[:3]))
    contents = {f"function {number}": content_of(it) for number, it in enumerate(functions)}
    what = {"environment": env_id, "out": str(out), **settings, **versions, **contents}
    _compare(group, {**what, "version of Python": python})


def check_demos_alike(group: Group, demos: DemoSet | None) -> None:
    """Refuse processes that have read other demonstrations than the first one.

    Raises:
        InputError: names one, and how many it has.
    """
    if group.size > 1:
        count = 0 if demos is None else len(demos.episodes)
        digest = digest_of(() if demos is None else demos.episodes)[:12]
        _compare(group, {"number of demonstrations": str(count), "hash of them": digest})


def _compare(group: Group, own: Mapping[str, str | None]) -> None:
    first, *others = group.gathered(own)
    for rank, other in enumerate(others, 1):
        for name, value in first.items():
            if other.get(name) != value:
                raise SharedInputError(
                    f"process {rank} differs from process 0: {name} is {other.get(name)} there and "
                    f"{value} here; start all with the same command, files and versions"
                )


@contextlib.contextmanager
def at_first(group: Group, manager: Callable[[], AbstractContextManager[T]]) -> Iterator[T | None]:
    """Enter what a function returns in the first process alone; the others get ``None``.

    Raises:
        InputError: in all, if entering it does so there.
    """
    with contextlib.ExitStack() as stack:
        yield group.at_first(lambda: stack.enter_context(manager()))
