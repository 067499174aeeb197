"""Metrics of a run: one JSON line and one TensorBoard point per evaluation."""

import itertools
import json
import logging
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from headstart.run_files import METRICS, metric_rows
from headstart.training.growing_file import GrowingFile

_log = logging.getLogger("headstart")


class MeanMetrics:
    """Means of what the updates report between two evaluations."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = defaultdict(int)

    def add(self, metrics: Mapping[str, Tensor]) -> None:
        """Count the metrics of one update."""
        for name, value in metrics.items():
            # Tensors are added up as they are: reading each one out would cost more than the sum.
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] += 1

    def means(self) -> dict[str, float]:
        """Return the means so far."""
        return {name: float(total) / self._counts[name] for name, total in self._sums.items()}

    def clear(self) -> None:
        """Start again from nothing."""
        self._sums.clear()
        self._counts.clear()

    def not_finite(self) -> str | None:
        """Return the name of the first metric whose sum is NaN or infinite, if there is one."""
        sums = self._sums.items()
        return next((name for name, total in sums if not math.isfinite(float(total))), None)

    def state(self) -> dict[str, tuple[float, int]]:
        """Return sum and count of each metric."""
        return {name: (float(total), self._counts[name]) for name, total in self._sums.items()}

    def restore(self, state: Mapping[str, tuple[float, int]]) -> None:
        """Go on from sums and counts of earlier."""
        for name, (total, count) in state.items():
            # A sum of float32 tensors is one; written as a float and read back it is the same.
            self._sums[name] = torch.tensor(total)
            self._counts[name] = count


def rows_to_go_on_from(content: bytes) -> list[dict[str, float]]:
    """Return the rows of the ``metrics.jsonl`` of a run that goes on.

    Raises:
        ValueError: if they are not numbers by name, or lack one that a run goes on from.
    """
    rows = metric_rows(content)
    for row, name in itertools.product(rows, ("time/env_steps", "eval/success_rate")):
        if not math.isfinite(row.get(name, math.nan)):
            raise ValueError(f"{METRICS} has a row without {name}")
    return rows


class MetricsLog:
    """Writes ``metrics.jsonl`` and ``tensorboard/`` in a run directory. Neither may end a run.

    Args:
        directory: the run directory.
        content: the lines of the evaluations so far.
    """

    def __init__(self, directory: Path, content: bytes = b"") -> None:
        self._rows = rows_to_go_on_from(content)
        self._lines = GrowingFile(directory / METRICS, content)
        self._events: GrowingFile | None = None
        try:
            # Imported here, where it may fail: it depends on how protobuf was built.
            from headstart.training import tensorboard_file
        except Exception as error:
            _log.warning("TensorBoard cannot be imported (%s); training goes on without", error)
            return
        self._scalars = tensorboard_file.scalars
        after = int(self.last("time/env_steps") or 0) + 1
        self._events = GrowingFile(
            tensorboard_file.new_event_file(directory / "tensorboard"),
            tensorboard_file.beginning(after if content else None),
        )

    @property
    def content(self) -> bytes:
        """The content of ``metrics.jsonl``."""
        return self._lines.content

    @property
    def env_steps(self) -> list[int]:
        """When the evaluations so far were."""
        return [int(row["time/env_steps"]) for row in self._rows]

    def last(self, name: str) -> float | None:
        """Return a metric of the last evaluation, if there was one."""
        return self._rows[-1][name] if self._rows else None

    def best(self, name: str) -> float | None:
        """Return the greatest value of a metric so far."""
        return max((row[name] for row in self._rows), default=None)

    def write(self, metrics: Mapping[str, float], env_steps: int) -> None:
        """Append one row, readable at once by whoever follows the files."""
        self._rows.append(dict(metrics))
        self._lines.append(json.dumps(dict(metrics)).encode() + b"\n")
        if self._events is not None:
            self._events.append(self._scalars(metrics, env_steps))

    def write_updates(self, metrics: Mapping[str, float], env_steps: int) -> None:
        """Append what updates report between evaluations, to ``tensorboard/`` only."""
        if self._events is not None:
            means = {name: value for name, value in metrics.items() if name.startswith("updates/")}
            self._events.append(self._scalars(means, env_steps))

    def flush(self) -> None:
        """Write what could not be written before."""
        self._lines.flush()
        if self._events is not None:
            self._events.flush()
