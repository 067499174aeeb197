"""Reading what a run wrote: its curves and what it shares with other runs."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.errors import InputError

FloatArray = NDArray[np.float64]
CURVES = {"eval/success_rate": "success rate (greedy)", "eval/mean_q": "mean Q(s, pi(s))"}
"""The metrics that are drawn, and what to call them."""


@dataclass(frozen=True)
class Run:
    """The curves of one run."""

    label: str
    group: str  # equal for runs that differ in their seed alone
    env_id: str
    env_steps: FloatArray
    curves: dict[str, FloatArray]


def read_metrics(directory: Path) -> list[dict[str, float]]:
    """Return the rows of a run's ``metrics.jsonl``, oldest first."""
    with (directory / "metrics.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def read_run(directory: Path) -> Run:
    """Read the curves of a run directory.

    Raises:
        InputError: if it is none, or holds no evaluation yet.
    """
    try:
        record = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        rows = read_metrics(directory)
        group = json.dumps([record["env_id"], {**record["config"], "seed": 0}, record["demos"]])
        env_id, seed = str(record["env_id"]), record["config"]["seed"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{directory}: not a run directory ({error})") from error
    if not rows:
        raise InputError(f"{directory}: holds no evaluation yet")
    return Run(
        label=re.sub(rf"[-_]*(s|seed)?{seed}$", "", directory.resolve().name),
        group=group,
        env_id=env_id,
        env_steps=np.array([row["time/env_steps"] for row in rows], float),
        curves={name: np.array([row[name] for row in rows], float) for name in CURVES},
    )
