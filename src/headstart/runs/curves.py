"""Reading what a run wrote: its curves and what it shares with other runs."""

import json
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.errors import InputError
from headstart.files.run_files import (
    CONFIG,
    METRICS,
    SWEEP,
    has_rows,
    read_config,
    read_metrics,
    runs_below,
    why_no_run,
)
from headstart.files.strict_json import build
from headstart.text import counted, printable

FloatArray = NDArray[np.float64]
CURVES = {"eval/success_rate": "success rate (greedy)", "eval/mean_q": "mean Q(s, pi(s))"}
"""The metrics that are drawn, and what to call them."""

_NOTHING_YET = "holds no evaluation yet"


@dataclass(frozen=True)
class Run:
    """The curves of one run."""

    label: str
    group: str  # equal for runs that differ in their seed alone
    env_id: str
    has_demos: bool
    env_steps: FloatArray
    curves: dict[str, FloatArray]
    rows: list[dict[str, float]]
    """The metrics of all evaluations."""


def find_runs(places: Iterable[Path]) -> list[Path]:
    """Return run directories: those named, and those in others, such as that of a sweep.

    Of the latter, runs that were not evaluated yet are left out.

    Raises:
        InputError: if that leaves none.
    """
    found: list[Path] = []
    for place in places:
        inner = runs_below(place)
        evaluated = [path for path in inner if has_rows(path)]
        if not evaluated and (inner or os.path.isfile(place / SWEEP)):
            which = (
                f"of {counted(len(inner), 'run')} in it none" if inner else "no run of the sweep"
            )
            raise InputError(
                f"{place}: {which} was evaluated yet; wait for the first evaluation, which "
                f"`headstart watch {shlex.quote(str(place))}` shows, or continue what was stopped"
            )
        found += evaluated or [place]
    return found


def read_run(directory: Path) -> Run:
    """Read the curves of a run directory.

    Raises:
        InputError: if it is none, or holds no evaluation yet.
    """
    try:
        # Of its configuration only what is drawn is looked at.
        record, rows = read_config(directory / CONFIG), read_metrics(directory)
        group = json.dumps([record["env_id"], {**record["config"], "seed": 0}, record["demos"]])
        seed = build(int, record["config"]["seed"], "config.seed")
        columns = {
            name: np.array([row[name] for row in rows], float)
            for name in ("time/env_steps", *CURVES)
        }
        if not np.isfinite(columns["time/env_steps"]).all():
            raise ValueError("time/env_steps is infinite")
    except (FileNotFoundError, NotADirectoryError) as error:
        begun = Path(error.filename).name == METRICS
        why = _NOTHING_YET if begun else why_no_run(directory, CONFIG)
        raise InputError(f"{directory}: {why}") from error
    except OSError as error:
        reason = f"{Path(error.filename or METRICS).name}: {printable(error)}"
        raise InputError(f"{directory}: cannot be read as a run ({reason})") from error
    except (ValueError, KeyError, TypeError) as error:
        lacking = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{directory}: cannot be read as a run ({printable(lacking)})") from error
    if not rows:
        raise InputError(f"{directory}: {_NOTHING_YET}")
    place = directory.resolve()
    return Run(
        label=re.sub(rf"[-_]*(s|seed)?{seed}$", "", place.name) or place.parent.name,
        group=group,
        env_id=printable(record["env_id"]),
        has_demos=record["demos"] is not None,
        env_steps=columns.pop("time/env_steps"),
        curves=columns,
        rows=rows,
    )


def group_runs(runs: Sequence[Run]) -> list[list[Run]]:
    """Return the runs in groups that share all but the seed, in the order of their first ones."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.group, []).append(run)
    return list(groups.values())


def align(runs: Sequence[Run], metric: str, smooth: int = 1) -> tuple[FloatArray, FloatArray]:
    """Return a curve of each run at the env steps that all of them have reached.

    Args:
        runs: at least one.
        metric: of ``CURVES``.
        smooth: number of neighbouring evaluations to average over.

    Returns:
        Env steps, ``(points,)``, at which any run was evaluated, and values, ``(runs, points)``.
    """
    end = min(run.env_steps[-1] for run in runs)
    start = max(run.env_steps[0] for run in runs)
    steps = np.unique(np.concatenate([run.env_steps for run in runs]))
    grid = steps[(steps >= start) & (steps <= end)] if end > start else np.array([end])
    # What cloning changes takes no env steps: a line straight up.
    before = max(1, min(int(np.sum(run.env_steps == start)) for run in runs)) - 1
    curves = []
    for run in runs:
        values = moving_average(run.curves[metric], smooth)
        rest = np.interp(grid, run.env_steps[before:], values[before:])
        curves.append(np.concatenate([values[:before], rest]))
    return np.concatenate([np.full(before, start), grid]), np.stack(curves)


def moving_average(values: FloatArray, width: int) -> FloatArray:
    """Average each value with its neighbours, ``width`` in all, fewer at the ends."""
    kernel = np.ones(min(width, len(values)))
    total = np.convolve(values, kernel, mode="same")
    return total / np.convolve(np.ones(len(values)), kernel, mode="same")
