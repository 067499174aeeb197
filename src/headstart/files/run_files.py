"""What lies where in a run directory, and those of its files that more than training reads."""

import logging
import os
from pathlib import Path
from typing import Any

from headstart.files.atomic import read_whole
from headstart.files.strict_json import build, parse_json
from headstart.files.tensors import EMPTY, JSON, TEXT, refuse_foreign

CONFIG, DEMOS, METRICS = "config.json", "demos.npz", "metrics.jsonl"
SWEEP = "sweep.json"
"""The results of a sweep, in the directory that its runs are in."""
RUN_ID, SEEN = "run_id", "seen.json"
"""What trackers know a run by, and how far they have seen it; there only if a run had observers."""
POLICIES, CHECKPOINTS = "policies", "checkpoints"
BEST, LATEST = "best", "latest"
"""The policies that are replaced as a run continues; the others have numbers."""
_log = logging.getLogger("headstart")
_MAX_CONFIG, _MAX_METRICS = 2**20, 2**26  # bytes; about 3000 in all, and 600 an evaluation


def policy_file(name: str) -> str:
    """Return what the file of a policy is called."""
    return f"{name}.safetensors"


def runs_below(place: Path) -> list[Path]:
    """Return the run directories that lie in a directory, by name; none in one of a run."""
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if os.path.isfile(place / CONFIG) or not os.path.isdir(place):
        return []
    return sorted(path.parent for path in place.glob(f"*/{CONFIG}"))


def has_rows(directory: Path) -> bool:
    """Return whether a run has been evaluated; or what it wrote cannot be read."""
    try:
        return b"\n" in read_whole(directory / METRICS, _MAX_METRICS)
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True


def why_no_run(directory: Path, name: str) -> str:
    """Return why there is no file of this name in what should be a run directory."""
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if os.path.isdir(directory):
        return f"not a run directory, it holds no {name}"
    return "not a run directory, it is a file" if os.path.exists(directory) else "no such directory"


def read_config(path: Path) -> Any:
    """Return the JSON of a ``config.json``; what it means is left to the caller.

    What earlier versions wrote in other words is as it is now.

    Raises:
        ValueError: if it is not JSON.
        OSError: if it cannot be read.
    """
    content = read_whole(path, _MAX_CONFIG)
    refuse_foreign(content, TEXT, JSON)
    parsed = parse_json(content)
    config = parsed.get("config") if isinstance(parsed, dict) else None
    cycle = config.get("cycle") if isinstance(config, dict) else None
    # The default ratio stood beside cycle.updates, which ruled it out.
    if isinstance(cycle, dict) and cycle.get("updates") is not None:
        cycle.pop("updates_per_step", None)
    if isinstance(config, dict) and "versions" in parsed:
        for section, name in _OFF_BEFORE:
            if isinstance(config.get(section), dict):
                config[section].setdefault(name, 0.0)
    return parsed


_OFF_BEFORE = (
    ("agent", "actor_decay"),
    ("agent", "q_filter_margin"),
    ("exploration", "greedy_episodes"),
)
"""Settings that runs of earlier versions did not have, and did without."""


def read_metrics(directory: Path) -> list[dict[str, float]]:
    """Return the rows of a run's ``metrics.jsonl``, oldest first.

    A last line that a process killed while it wrote has left is logged and left out.

    Raises:
        ValueError: if they are not rows of numbers by name; says in which line.
        OSError: if they cannot be read.
    """
    content = read_whole(directory / METRICS, _MAX_METRICS)
    refuse_foreign(content, EMPTY, TEXT, JSON)
    complete, newline, rest = content.rpartition(b"\n")
    is_row = newline or (rest.startswith(b"{") and not rest.endswith(b"}"))
    if rest and is_row:
        try:
            parse_json(rest)
        except ValueError:
            _log.warning("%s: its last line is cut off and left out", directory / METRICS)
            content = complete
    return metric_rows(content)


def metric_rows(content: bytes) -> list[dict[str, float]]:
    """Return the rows of a ``metrics.jsonl`` with this content.

    Raises:
        ValueError: if they are not rows of numbers by name; says in which line.
    """
    refuse_foreign(content, EMPTY, TEXT, JSON)
    rows = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            rows.append(build(dict[str, float], parse_json(line)))
        except ValueError as error:
            raise ValueError(f"line {number} of {METRICS}: {error}") from error
    return rows
