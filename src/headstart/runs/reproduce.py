"""The command that would train a run again."""

import shlex
from collections.abc import Sequence
from typing import Any

from headstart.dotted import walk
from headstart.files.run_files import DEMOS
from headstart.presets import PRESETS
from headstart.runs.changes import differences
from headstart.runs.record import RunRecord
from headstart.training.config import TrainConfig


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
