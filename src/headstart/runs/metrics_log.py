"""``metrics.jsonl`` and ``tensorboard/``: one JSON line and one point per evaluation."""

import itertools
import json
import math
from collections.abc import Mapping
from pathlib import Path

from headstart.files.run_files import METRICS, metric_rows
from headstart.runs.growing_file import GrowingFile
from headstart.runs.tensorboard_file import beginning, new_event_file, scalars


def rows_to_continue_from(content: bytes) -> list[dict[str, float]]:
    """Return the rows of the ``metrics.jsonl`` of a run that continues.

    Raises:
        ValueError: if they are not numbers by name, or lack one that a run continues from.
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
        self._rows = rows_to_continue_from(content)
        self._lines = GrowingFile(directory / METRICS, content)
        after = int(self.last("time/env_steps") or 0) + 1
        self._events = GrowingFile(
            new_event_file(directory / "tensorboard"),
            beginning(after if content else None),
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
        """Append one row, readable at once by all who follow the files."""
        self._rows.append(dict(metrics))
        self._lines.append(json.dumps(dict(metrics)).encode() + b"\n")
        self._events.append(scalars(metrics, env_steps))

    def write_updates(self, metrics: Mapping[str, float], env_steps: int) -> None:
        """Append what updates report between evaluations, to ``tensorboard/`` only."""
        means = {name: value for name, value in metrics.items() if name.startswith("updates/")}
        self._events.append(scalars(means, env_steps))

    def flush(self) -> None:
        """Write what could not be written before."""
        self._lines.flush()
        self._events.flush()
