"""From the figures of all rounds to a table and a JSON file."""

import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.speed import common
from benchmarks.speed.cases import (
    FLOOR,
    METRICS,
    OURS,
    OURS_BFLOAT16,
    THEIRS,
    UPDATES,
    UPDATES_ALONE,
    WHOLE_LOOP,
    Case,
)

Rounds = Sequence[Mapping[str, float]]
_PACKAGES = ("headstart", "stable-baselines3", "torch", "numpy", "gymnasium", "gymnasium-robotics",
             "mujoco")  # fmt: skip


class Report:
    """Medians over rounds, and their ratios to Stable-Baselines3 and to the floors."""

    def __init__(self, cases: Sequence[Case], rounds: Rounds) -> None:
        self.cases = cases
        self.rounds = rounds
        self.medians = {case.key: median(self._values(case)) for case in cases}

    def ratio_to_theirs(self, case: Case) -> float | None:
        """Return how many times theirs a figure of ours is, at their better number of threads."""
        rivals = [
            self.medians[other.key]
            for other in self.cases
            if other.who == THEIRS
            and (other.metric, other.algorithm) == (case.metric, case.algorithm)
        ]
        ours = case.who in (OURS, OURS_BFLOAT16)
        return self.medians[case.key] / max(rivals) if ours and rivals else None

    def ratio_to_floor(self, case: Case) -> float | None:
        """Return what share of its floor a figure reaches, if there is a floor for it.

        Updates are held to the products with as many threads. Training is held to products and
        simulator steps one after the other on one core; collectors, which use more, can exceed 1.
        """
        if case.who == FLOOR:
            return None
        if case.metric == WHOLE_LOOP:
            products = self._floor(UPDATES, case, threads=1)
            # An env step and an update take their times one after the other.
            floor = 1.0 / (1.0 / products + 1.0 / self.physics)
        elif case.metric in (UPDATES, UPDATES_ALONE):
            floor = self._floor(UPDATES, case, threads=case.threads)
        elif any(other.who == FLOOR and other.metric == case.metric for other in self.cases):
            floor = self.physics
        else:
            return None
        return self.medians[case.key] / floor

    @property
    def physics(self) -> float:
        """Env steps per second of the simulator alone."""
        (floor,) = (c for c in self.cases if c.who == FLOOR and c.metric != UPDATES)
        return self.medians[floor.key]

    def text(self) -> str:
        """Return the table."""
        lines = []
        for metric in METRICS:
            cases = [case for case in self.cases if case.metric == metric]
            lines += ["", f"{metric:<52}{'median':>8}  {'rounds':>15}{'x SB3':>8}{'x floor':>9}"]
            lines += [self._line(case) for case in cases]
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        """Return rounds, medians and ratios as plain JSON values."""
        ratios = {
            case.key: {"to_sb3": self.ratio_to_theirs(case), "to_floor": self.ratio_to_floor(case)}
            for case in self.cases
            if case.who != FLOOR
        }
        rounds = [dict(values) for values in self.rounds]
        return {"medians": self.medians, "ratios": ratios, "rounds": rounds}

    def _floor(self, metric: str, case: Case, *, threads: int) -> float:
        (floor,) = (
            other
            for other in self.cases
            if (other.metric, other.who, other.algorithm, other.threads)
            == (metric, FLOOR, case.algorithm, threads)
        )
        return self.medians[floor.key]

    def _line(self, case: Case) -> str:
        values = self._values(case)
        plural = "s" if case.threads > 1 else ""
        name = f"  {case.algorithm.name:<5}{case.who:<18} {case.threads} thread{plural}"
        if case.collectors is not None:
            name += f", collectors {case.collectors}"
        spread = f"{min(values):.0f} to {max(values):.0f}"
        ratios = (self.ratio_to_theirs(case), self.ratio_to_floor(case))
        cells = ["" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
        return f"{name:<52}{median(values):>8.0f}  {spread:>15}{cells[0]:>8}{cells[1]:>9}"

    def _values(self, case: Case) -> list[float]:
        return [values[case.key] for values in self.rounds]


def conditions() -> dict[str, Any]:
    """Return what the figures depend on: the machine, how busy it is, versions."""
    return {
        **machine.machine(),
        "load_average": os.getloadavg()[0],
        "versions": {name: version(name) for name in _PACKAGES},
    }


def settings() -> dict[str, Any]:
    """Return the sizes that both sides share."""
    return {
        "env_id": common.ENV_ID,
        "hidden_sizes": common.HIDDEN,
        "batch_size": common.BATCH_SIZE,
        "updates_per_env_step": 1,
        "replay_capacity": common.CAPACITY,
        "env_steps_before_the_clock": common.STARTED,
    }
