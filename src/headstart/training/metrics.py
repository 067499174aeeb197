"""Metrics of a run: one JSON line and one TensorBoard point per evaluation."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from torch import Tensor


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

    def pop(self) -> dict[str, float]:
        """Return the means and start anew."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums.clear()
        self._counts.clear()
        return means


class MetricsLog:
    """Writes ``metrics.jsonl`` and ``tensorboard/`` in a run directory."""

    def __init__(self, directory: Path) -> None:
        # Imported here: it takes longer than a short evaluation, and tests often go without.
        from torch.utils.tensorboard.writer import SummaryWriter

        self._lines: IO[str] = (directory / "metrics.jsonl").open("a", encoding="utf-8")
        self._tensorboard = SummaryWriter(str(directory / "tensorboard"))

    def write(self, metrics: Mapping[str, float], env_steps: int) -> None:
        """Append one row, readable at once by whoever follows the file."""
        self._lines.write(json.dumps(dict(metrics)) + "\n")
        self._lines.flush()
        for name, value in metrics.items():
            self._tensorboard.add_scalar(name, value, env_steps)

    def close(self) -> None:
        """Close both files."""
        self._lines.close()
        self._tensorboard.close()
