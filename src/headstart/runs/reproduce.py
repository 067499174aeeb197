"""The command that would train a run again."""

import shlex
from typing import Any

from headstart.files.run_files import DEMOS
from headstart.presets import PRESETS
from headstart.runs.changes import differences
from headstart.runs.record import RunRecord


def train_command(record: RunRecord) -> str:
    """Return one line that trains a run with these settings, from the preset that is nearest.

    Its demonstrations are named as in the run directory; what the run decided itself is left open.
    """
    config = record.config.with_(dict.fromkeys(record.decided))
    by_preset = {name: differences(preset, config) for name, preset in PRESETS.items()}
    name = min(by_preset, key=lambda each: len(by_preset[each]))
    words = ["headstart", "train", record.env_id]
    words += [] if name == "fast" else ["--preset", name]
    words += [] if record.demos is None else ["--demos", DEMOS]
    for setting, (_, value) in by_preset[name].items():
        words += _option(setting, value)
    return shlex.join(words)


def _option(name: str, value: Any) -> list[str]:
    section, dot, last = name.rpartition(".")
    if isinstance(value, bool):
        last = last if value else f"no_{last}"
        return [f"--{section}{dot}{last}".replace("_", "-")]
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{name}".replace("_", "-"), *map(str, values)]
