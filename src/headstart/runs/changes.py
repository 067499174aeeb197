"""What may differ when a run continues."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from headstart.dotted import walk
from headstart.errors import InputError
from headstart.files.run_files import DEMOS
from headstart.presets import PRESETS
from headstart.runs.record import RunRecord
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


def train_command(record: RunRecord) -> str:
    """Return one line that trains a run with these settings, from the preset that is nearest.

    Its demonstrations are named as in the run directory; what the run decided itself is left open.
    """
    config = record.config.with_(dict.fromkeys(record.decided))
    return command_for(record.env_id, config, None if record.demos is None else [DEMOS])


def command_for(
    env_id: str, config: TrainConfig, demos: Sequence[str] | None, *options: str
) -> str:
    """Return one line that trains a run.

    Args:
        env_id: the environment.
        config: all settings; the line names those that differ from the preset that is nearest.
        demos: files of demonstrations.
        options: what follows the environment besides.
    """
    by_preset = {name: differences(preset, config) for name, preset in PRESETS.items()}
    name = min(by_preset, key=lambda each: len(by_preset[each]))
    words = ["headstart", "train", env_id]
    words += [] if name == "fast" else ["--preset", name]
    words += [] if demos is None else ["--demos", *demos]
    words += options
    flags = {setting.name for setting in walk(config) if setting.kind is bool}
    for setting, (_, value) in by_preset[name].items():
        words += _option(setting, value, is_flag=setting in flags)
    return shlex.join(words)


def _option(name: str, value: Any, *, is_flag: bool) -> list[str]:
    section, dot, last = name.rpartition(".")
    if is_flag:
        last = last if value else f"no_{last}"
        return [f"--{section}{dot}{last}".replace("_", "-")]
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{name}".replace("_", "-"), *map(str, values)]
