"""What run directories say, in groups that share all but the seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.statistics import FloatArray, aggregate, bootstrap_interval
from headstart.demos.inspect import inspect_demos
from headstart.errors import InputError
from headstart.files.run_files import DEMOS
from headstart.runs.curves import Run, read_run
from headstart.runs.record import RunRecord, read_record
from headstart.seeding import generator

_MOST_DEMOS = 2**26  # bytes of a file that is looked into for the report


@dataclass(frozen=True)
class RunFacts:
    """One run: its directory, what it is made of, and its curves."""

    path: Path
    record: RunRecord
    curve: Run

    @property
    def rows(self) -> Sequence[Mapping[str, float]]:
        """Its evaluations."""
        return self.curve.rows


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone."""

    name: str
    style: int
    runs: Sequence[RunFacts]

    @property
    def first(self) -> RunFacts:
        """The run that stands for all in what they share."""
        return self.runs[0]

    def last(self, metric: str) -> FloatArray:
        """Return a metric of the last evaluation of each run that has it, ``(runs,)``."""
        return np.array([run.rows[-1][metric] for run in self.runs if metric in run.rows[-1]])

    def parts(self, prefix: str) -> list[str]:
        """Return what follows a prefix in the names of the metrics of the last evaluations."""
        names = {name for run in self.runs for name in run.rows[-1] if name.startswith(prefix)}
        return sorted(name.removeprefix(prefix) for name in names)


def read_groups(directories: Sequence[Path]) -> list[Group]:
    """Read runs, in groups in the order of their first ones.

    Raises:
        InputError: if one is not a run directory, or holds no evaluation yet.
    """
    if not directories:
        raise InputError("there is no run to report on; name at least one run directory")
    return group_facts([read_facts(path) for path in directories])


def read_facts(path: Path) -> RunFacts:
    """Read a run.

    Raises:
        InputError: if it is not a run directory, or holds no evaluation yet.
    """
    return RunFacts(path, read_record(path), read_run(path))


def group_facts(facts: Sequence[RunFacts]) -> list[Group]:
    """Return runs in groups in the order of their first ones."""
    members: dict[str, list[RunFacts]] = {}
    for run in facts:
        members.setdefault(run.curve.group, []).append(run)
    labels = [runs[0].curve.label for runs in members.values()]
    return [
        Group(label if labels.count(label) == 1 else runs[0].path.resolve().name, index, runs)
        for index, (label, runs) in enumerate(zip(labels, members.values(), strict=True))
    ]


def mean_and_interval(values: FloatArray) -> tuple[float, float, float]:
    """Return the interquartile mean over runs, ``(runs,)``, and its bootstrap interval."""
    column = np.asarray(values, np.float64)[:, None]
    low, high = bootstrap_interval(column, rng=report_rng())
    return aggregate(column), float(low), float(high)


def report_rng() -> np.random.Generator:
    """Return the generator of bootstrap samples: a report is the same each time it is made."""
    return generator(0, "report")


def demos_of(run: RunFacts) -> dict[str, Any] | None:
    """Return a summary of the demonstrations of a run, as far as its directory holds them."""
    known = run.record.demos
    if known is None:
        return None
    path = run.path / DEMOS
    try:
        if path.stat().st_size <= _MOST_DEMOS:
            return {**known, **inspect_demos(path)}
    except (OSError, InputError):
        pass
    return known
