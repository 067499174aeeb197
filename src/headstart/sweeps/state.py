"""How far each run of a sweep is: one small file, written where the run is, read by the sweep."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from headstart.files.atomic import read_whole, replace_file
from headstart.files.strict_json import build, parse_json

JOBS = "jobs"
"""The directory of these files and of what the runs print, in that of the sweep."""
_MOST = 2**16  # bytes
Stage = Literal["waiting", "running", "finished", "failed", "stopped"]


@dataclass(frozen=True, kw_only=True)
class RunState:
    """How far a run is."""

    stage: Stage = "waiting"
    phase: str = ""
    """What it is doing."""
    env_steps: int = 0
    success_rate: float | None = None
    """Of its last evaluation."""
    error: str | None = None
    """One line: why it failed."""

    @property
    def is_over(self) -> bool:
        """Whether it is not run again unless somebody asks for it."""
        return self.stage in ("finished", "failed")


def state_file(sweep: Path, name: str) -> Path:
    """Return where the state of a run is."""
    return sweep / JOBS / f"{name}.json"


def log_file(sweep: Path, name: str) -> Path:
    """Return where a run prints to."""
    return sweep / JOBS / f"{name}.log"


def read_state(sweep: Path, name: str) -> RunState:
    """Return how far a run is; one of which nothing valid is written has not begun."""
    try:
        return build(RunState, parse_json(read_whole(state_file(sweep, name), _MOST)))
    except (OSError, ValueError):
        return RunState()


def write_state(sweep: Path, name: str, state: RunState) -> None:
    """Write how far a run is.

    Raises:
        OSError: if it cannot be written.
    """
    path = state_file(sweep, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Once a second, and only a loss of power could undo it: no wait for the disk.
    replace_file(path, json.dumps(asdict(state)).encode() + b"\n", synced=False)
