"""Metrics of a run: one JSON line and one TensorBoard point per evaluation."""

import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from headstart.durable import replace_file

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

    def pop(self) -> dict[str, float]:
        """Return the means and start anew."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums.clear()
        self._counts.clear()
        return means

    def state(self) -> dict[str, tuple[float, int]]:
        """Return sum and count of each metric."""
        return {name: (float(total), self._counts[name]) for name, total in self._sums.items()}

    def restore(self, state: Mapping[str, tuple[float, int]]) -> None:
        """Go on from sums and counts of earlier."""
        for name, (total, count) in state.items():
            # A sum of float32 tensors is one; written as a float and read back it is the same.
            self._sums[name] = torch.tensor(total)
            self._counts[name] = count


class MetricsLog:
    """Writes ``metrics.jsonl`` and ``tensorboard/`` in a run directory.

    Neither may end a run: what the disk refuses is told once, and the lines written later.

    Args:
        directory: the run directory.
        content: the lines of the evaluations so far.
    """

    def __init__(self, directory: Path, content: bytes = b"") -> None:
        # Imported here: it takes longer than a short evaluation, and tests often go without.
        from torch.utils.tensorboard.writer import SummaryWriter

        self._path = directory / "metrics.jsonl"
        self._rows: list[dict[str, float]] = [json.loads(line) for line in content.splitlines()]
        self.content = content
        replace_file(self._path, content)
        after = int(self.last("time/env_steps") or 0) + 1
        self._tensorboard: SummaryWriter | None = SummaryWriter(
            str(directory / "tensorboard"), purge_step=after if content else None
        )

    def last(self, name: str) -> float | None:
        """Return a metric of the last evaluation, if there was one."""
        return self._rows[-1][name] if self._rows else None

    def best(self, name: str) -> float | None:
        """Return the greatest value of a metric so far."""
        return max((row[name] for row in self._rows), default=None)

    def write(self, metrics: Mapping[str, float], env_steps: int) -> None:
        """Append one row, readable at once by whoever follows the file."""
        self._rows.append(dict(metrics))
        before = len(self.content)
        self.content += json.dumps(dict(metrics)).encode() + b"\n"
        self._bring_up_to_date(before)
        if self._tensorboard is not None:
            with self._without_tensorboard_on_failure():
                for name, value in metrics.items():
                    self._tensorboard.add_scalar(name, value, env_steps)

    def close(self) -> None:
        """Write what could not be written before, and close the files of TensorBoard."""
        self._bring_up_to_date(len(self.content))
        if self._tensorboard is not None:
            with self._without_tensorboard_on_failure():
                self._tensorboard.close()

    def _bring_up_to_date(self, before: int) -> None:
        """Write what follows the first ``before`` bytes, or all if these are not in the file."""
        try:
            if self._path.is_file() and self._path.stat().st_size == before:
                with self._path.open("ab") as file:
                    file.write(self.content[before:])
            else:
                # Lines were refused earlier, or somebody deleted the file.
                self._path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(self._path, self.content)
        except OSError as error:
            _log.warning("%s: cannot be written now (%s)", self._path, error.strerror)

    @contextlib.contextmanager
    def _without_tensorboard_on_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            # Its writer thread passes on whatever has happened to it, and never recovers.
            _log.warning("TensorBoard cannot be written any more (%s)", error)
            self._tensorboard = None
