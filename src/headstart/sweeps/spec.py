"""What a run of a sweep is made of, and what it is called."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.errors import require
from headstart.presets import FAST
from headstart.runs.changes import differences
from headstart.settings import LARGEST_INTEGER
from headstart.training.config import TrainConfig

_LONGEST_NAME = 180


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One run of a sweep."""

    name: str
    """Of its directory, in that of the sweep."""
    env_id: str
    config: TrainConfig
    settings: dict[str, Any]
    """What sets it apart from other runs, its seed aside, by name."""
    demos: tuple[str, ...] | None = None
    """Files of demonstrations."""
    collectors: int = 0
    """Processes that run its episodes; with 0 it takes one core."""

    @property
    def cores(self) -> int:
        """How many cores it keeps busy."""
        return max(1, self.collectors, self.config.torch_threads)


@dataclass(frozen=True, kw_only=True)
class Base:
    """What the runs of a sweep share."""

    env_id: str
    config: TrainConfig
    demos: tuple[str, ...] | None = None
    """Files of demonstrations; ``{seed}`` in a name stands for the seed of the run."""
    collectors: int = 0

    @property
    def identity(self) -> dict[str, Any]:
        """What is the same in every run, as plain JSON values."""
        changed = differences(FAST, self.config.with_(seed=FAST.seed))
        return {
            "env_id": self.env_id,
            "settings": {name: as_json(value) for name, (_, value) in changed.items()},
            "demos": as_json(self.demos),
        }

    def spec(self, settings: Mapping[str, Any], seed: int, prefix: str = "") -> RunSpec:
        """Return a run with some settings changed.

        Args:
            settings: values by dotted name.
            seed: of the run.
            prefix: what its name begins with.

        Raises:
            InputError: if a value is refused, or there is no such setting.
        """
        files = (
            None if self.demos is None else [it.replace("{seed}", str(seed)) for it in self.demos]
        )
        return RunSpec(
            name=_name(settings, seed, prefix),
            env_id=self.env_id,
            config=self.config.with_({**settings, "seed": seed}),
            settings=dict(settings),
            demos=None if files is None else tuple(map(_absolute, files)),
            collectors=self.collectors,
        )


def check_seeds(seeds: Sequence[int]) -> None:
    """Refuse seeds that no runs could have.

    Raises:
        InputError: if there are none, or one is negative or given twice.
    """
    require(len(seeds) > 0, "a sweep needs at least one seed", list(seeds))
    for index, seed in enumerate(seeds):
        require(0 <= seed <= LARGEST_INTEGER, "a seed must not be negative", seed)
        require(seed not in seeds[:index], "a seed is given twice", seed)


def as_json(value: Any) -> Any:
    """Return a value as strict JSON has it: infinite numbers become text."""
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    if isinstance(value, dict):
        return {name: as_json(inner) for name, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, list | tuple) else value


def shown(value: Any) -> str:
    """Return the value of a setting in a few characters."""
    if isinstance(value, float):
        return f"{value:.4g}" if value != float(f"{value:.12g}") else f"{value:.12g}"
    return "x".join(map(shown, value)) if isinstance(value, list | tuple) else str(value)


def label(settings: Mapping[str, Any]) -> str:
    """Return what sets runs apart as one text; nothing if nothing does."""
    return ",".join(f"{name}={shown(value)}" for name, value in settings.items())


def _name(settings: Mapping[str, Any], seed: int, prefix: str) -> str:
    """Return the name of a run, which is also that of a file."""
    parts = [part for part in (prefix, label(settings)) if part]
    name = re.sub(r"[^\w.,=+-]", "-", "-".join(parts), flags=re.ASCII).replace("_", "-")
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return "-".join(filter(None, (name.lstrip(".-"), f"seed{seed}")))


def _absolute(file: str) -> str:
    """Return the path of a file from anywhere; names of datasets stay as they are."""
    path = Path(file).expanduser()
    return str(path.absolute()) if path.exists() else file
