"""Reading what a run wrote: its curves and what it shares with other runs."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.durable import read_whole
from headstart.errors import InputError
from headstart.strict_json import build, parse_json
from headstart.tensor_file import EMPTY, JSON, TEXT, refuse_foreign
from headstart.text import printable

FloatArray = NDArray[np.float64]
CURVES = {"eval/success_rate": "success rate (greedy)", "eval/mean_q": "mean Q(s, pi(s))"}
"""The metrics that are drawn, and what to call them."""
_MAX_RECORD, _MAX_METRICS = 2**20, 2**26  # bytes; an evaluation takes about 600


@dataclass(frozen=True)
class Run:
    """The curves of one run."""

    label: str
    group: str  # equal for runs that differ in their seed alone
    env_id: str
    env_steps: FloatArray
    curves: dict[str, FloatArray]


def read_metrics(directory: Path) -> list[dict[str, float]]:
    """Return the rows of a run's ``metrics.jsonl``, oldest first.

    Raises:
        ValueError: if they are not rows of numbers by name.
        OSError: if they cannot be read.
    """
    content = read_whole(directory / "metrics.jsonl", _MAX_METRICS)
    refuse_foreign(content, TEXT, JSON, EMPTY)
    rows = [parse_json(line) for line in content.splitlines()]
    build(list[dict[str, float]], rows, "metrics.jsonl")
    return rows


def read_run(directory: Path) -> Run:
    """Read the curves of a run directory.

    Raises:
        InputError: if it is none, or holds no evaluation yet.
    """
    try:
        record, rows = _read_record(directory), read_metrics(directory)
        group = json.dumps([record["env_id"], {**record["config"], "seed": 0}, record["demos"]])
        seed = build(int, record["config"]["seed"], "config.seed")
        columns = {
            name: np.array([row[name] for row in rows], float)
            for name in ("time/env_steps", *CURVES)
        }
        if not np.isfinite(columns["time/env_steps"]).all():
            raise ValueError("time/env_steps is infinite")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{directory}: not a run directory ({printable(reason)})") from error
    if not rows:
        raise InputError(f"{directory}: holds no evaluation yet")
    return Run(
        label=re.sub(rf"[-_]*(s|seed)?{seed}$", "", directory.resolve().name),
        group=group,
        env_id=printable(record["env_id"]),
        env_steps=columns.pop("time/env_steps"),
        curves=columns,
    )


def _read_record(directory: Path) -> dict[str, Any]:
    """Return what the run says of itself; of ``config.json`` only what is drawn is looked at."""
    content = read_whole(directory / "config.json", _MAX_RECORD)
    refuse_foreign(content, TEXT, JSON)
    record: dict[str, Any] = parse_json(content)
    return record
