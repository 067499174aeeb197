"""What may differ when a run continues."""

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from headstart.dotted import walk
from headstart.errors import InputError
from headstart.training.config import TrainConfig


def differences(before: TrainConfig, now: TrainConfig) -> dict[str, tuple[Any, Any]]:
    """Return the settings that differ, each with both values."""
    pairs = zip(walk(before), walk(now), strict=True)
    return {old.name: (old.value, new.value) for old, new in pairs if old.value != new.value}


def check_changes(
    path: Path, before: TrainConfig, now: TrainConfig, *, allow: bool
) -> dict[str, tuple[Any, Any]]:
    """Return the settings that differ; refuse those that a run cannot continue with.

    Args:
        path: the run directory.
        before: the settings of the run.
        now: those to continue with.
        allow: whether they may differ in what learning depends on.

    Raises:
        InputError: that lists what is refused.
    """
    changed = differences(before, now)
    on_resume = {setting.name: setting.rule.resume for setting in walk(before)}
    fixed = {name: both for name, both in changed.items() if on_resume[name] == "fixed"}
    if fixed:
        listed = describe_changes(fixed)
        raise InputError(f"{listed}: cannot change within a run; train a new one")
    learning = {name: both for name, both in changed.items() if on_resume[name] != "free"}
    if learning and not allow:
        listed = describe_changes(learning)
        raise InputError(
            f"{listed}: changes what is learned from here on; if you mean it: headstart resume "
            f"{quote(str(path))} ... --allow-change, in Python resume(..., allow_change=True)"
        )
    return changed


def check_longer(path: Path, taken: int, changed: Mapping[str, tuple[Any, Any]]) -> None:
    """Refuse a new length that the run has reached already."""
    _, asked = changed.get("env_steps", (None, None))
    if asked is not None and 0 < taken >= asked:
        raise InputError(
            f"{path}: env_steps {asked} is not more than the {taken} that the run has taken; "
            f"--env-steps above {taken} makes it longer"
        )


def describe_changes(changed: Mapping[str, tuple[Any, Any]]) -> str:
    """Return differences as text."""
    return ", ".join(f"{name} {old} -> {new}" for name, (old, new) in changed.items())
