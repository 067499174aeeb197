"""Continuing the run that a directory holds, if it is the one that is asked for."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from headstart.demos.storage import DemoSet
from headstart.errors import InputError, require
from headstart.paths import user_path
from headstart.run_files import CONFIG, DEMOS, POLICIES
from headstart.runs.record import read_demos, read_record


def is_continued(
    resume: Literal["auto"] | bool,
    out: str | Path | None,
    env_id: str,
    demos: Callable[[], DemoSet | None],
) -> bool:
    """Return whether a run is to be continued instead of begun.

    What a process left that was stopped while it filled an empty directory is deleted.

    Args:
        resume: whether it is to be if the directory holds a run.
        out: the directory.
        env_id: the environment of the run that is asked for.
        demos: reads its demonstrations.

    Raises:
        InputError: if the directory holds another run, or none is given.
    """
    require(resume in (False, True, "auto"), "resume must be 'auto' or False", repr(resume))
    if not resume:
        return False
    if out is None:
        raise InputError("resume='auto' needs the directory of the run, out=DIR")
    directory = user_path(out)
    if os.path.isfile(directory / CONFIG):
        _check_same_run(directory, env_id, demos)
        return True
    if os.path.isdir(directory):
        _clear_beginning(directory)
    return False


def _check_same_run(directory: Path, env_id: str, read: Callable[[], DemoSet | None]) -> None:
    record = read_record(directory)
    if record.env_id != env_id:
        raise InputError(
            f"{directory}: holds a run of {record.env_id}, not of {env_id}; choose another out"
        )
    kept, demos = read_demos(directory, record), read()
    if (kept is None) != (demos is None):
        raise InputError(
            f"{directory}: holds a run {_with(kept)} demonstrations, not {_with(demos)}; choose "
            f"another out"
        )
    if kept is not None and demos is not None and kept.episodes != demos.episodes:
        raise InputError(
            f"{directory}: holds a run with other demonstrations than these; choose another out"
        )


def _with(demos: DemoSet | None) -> str:
    return "without" if demos is None else "with"


def _clear_beginning(directory: Path) -> None:
    """Empty a directory in which a run was about to begin; any other is left as it is."""
    names = {path.name for path in directory.iterdir()}
    staged = {name for name in names if name in (f".tmp.{CONFIG}", f".tmp.{DEMOS}")}
    if not names or not names <= {DEMOS, POLICIES, *staged}:
        return
    if os.path.isdir(directory / POLICIES):
        if any((directory / POLICIES).iterdir()):
            return
        shutil.rmtree(directory / POLICIES)
    for name in names - {POLICIES}:
        (directory / name).unlink()
