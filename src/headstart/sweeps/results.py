"""What the runs of a sweep have come to: ``sweep.json``, and means over seeds."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.errors import InputError
from headstart.files.atomic import read_whole, replace_file
from headstart.files.run_files import SWEEP, read_metrics
from headstart.files.strict_json import parse_json, plain
from headstart.sweeps.spec import RunSpec
from headstart.sweeps.state import RunState
from headstart.text import printable

LAST = 3
"""Evaluations at the end of a run whose mean is its score."""
_FORMAT = 1
_MOST = 2**28  # bytes


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run, as far as it is."""

    spec: RunSpec
    state: RunState
    rows: Sequence[Mapping[str, float]] = ()
    """Of its evaluations, oldest first."""

    @property
    def success_rate(self) -> float | None:
        """Success at the last evaluation."""
        return self.rows[-1]["eval/success_rate"] if self.rows else None

    @property
    def score(self) -> float | None:
        """Mean success over the last evaluations of a run that is finished."""
        if self.state.stage != "finished" or not self.rows:
            return None
        return statistics.fmean(row["eval/success_rate"] for row in self.rows[-LAST:])

    @property
    def seconds(self) -> float | None:
        """Wall-clock seconds, evaluations left out."""
        if not self.rows:
            return None
        last = self.rows[-1]
        return last["time/wall_seconds"] - last["time/evaluation_seconds"]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.spec.name,
            "settings": plain(self.spec.settings),
            "seed": self.spec.config.seed,
            "stage": self.state.stage,
            "error": self.state.error,
            "env_steps": int(self.rows[-1]["time/env_steps"]) if self.rows else 0,
            "success_rate": self.success_rate,
            "score": self.score,
            "seconds": self.seconds,
            "curve": {
                "env_steps": [int(row["time/env_steps"]) for row in self.rows],
                "success_rate": [row["eval/success_rate"] for row in self.rows],
            },
        }


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Runs that differ in their seed alone."""

    settings: dict[str, Any]
    results: Sequence[Result]

    def of_stage(self, stage: str) -> int:
        """Return how many of them are at a stage."""
        return sum(result.state.stage == stage for result in self.results)

    @property
    def success_rates(self) -> list[float]:
        """Success at the last evaluation, of those that are finished."""
        return [
            it.success_rate
            for it in self.results
            if it.success_rate is not None and it.state.stage == "finished"
        ]

    @property
    def score(self) -> float | None:
        """Mean of the scores, once all of them are finished."""
        scores = [it.score for it in self.results if it.score is not None]
        return statistics.fmean(scores) if len(scores) == len(self.results) > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        rates = self.success_rates
        return {
            "settings": plain(self.settings),
            "runs": [result.spec.name for result in self.results],
            "finished": self.of_stage("finished"),
            "failed": self.of_stage("failed"),
            "success_rate": {"median": statistics.median(rates), "range": [min(rates), max(rates)]}
            if rates
            else None,
            "score": self.score,
        }


def cells_of(results: Sequence[Result]) -> list[Cell]:
    """Return runs in groups that differ in their seed alone, in the order of their first ones."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(json.dumps(plain(result.spec.settings)), []).append(result)
    return [Cell(settings=it[0].spec.settings, results=it) for it in groups.values()]


def read_rows(directory: Path) -> list[dict[str, float]]:
    """Return the evaluations of a run; none where nothing valid is written yet."""
    try:
        return read_metrics(directory)
    except (OSError, ValueError):
        return []


def write_results(sweep: Path, identity: Mapping[str, Any], results: Sequence[Result]) -> None:
    """Write ``sweep.json``.

    Args:
        sweep: the directory.
        identity: what the sweep is made of.
        results: of all its runs.

    Raises:
        OSError: if it cannot be written.
    """
    content = {
        "format": _FORMAT,
        "sweep": dict(identity),
        "cells": [cell.to_json() for cell in cells_of(results)],
        "runs": [result.to_json() for result in results],
    }
    replace_file(sweep / SWEEP, json.dumps(content, indent=1, allow_nan=False).encode() + b"\n")


def read_results(sweep: Path) -> dict[str, Any]:
    """Return the content of the ``sweep.json`` of a directory.

    Raises:
        InputError: if there is none, or it is not one that this version reads.
    """
    path = sweep / SWEEP
    try:
        content = parse_json(read_whole(path, _MOST), max_bytes=_MOST)
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise ValueError(f"not the results of a sweep of format {_FORMAT}")
        return content
    except FileNotFoundError as error:
        raise InputError(f"{sweep}: not the directory of a sweep, it holds no {SWEEP}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {printable(error)}") from error
