"""Where the time of a run goes: each moment counts to one part of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from headstart.processors import usable_cores
from headstart.training.progress import Progress

Part = Literal["cloning", "acting", "waiting", "sampling", "update", "evaluation", "checkpoint"]


class Clock:
    """Counts seconds into a run's progress: of the learner's parts, and of processors.

    Parts may lie within each other; a moment counts to the innermost alone.

    Args:
        progress: returns the counters, which are replaced when a run is resumed.
        collector_cpu_seconds: returns the processor time of the collectors so far.
    """

    def __init__(
        self, progress: Callable[[], Progress], collector_cpu_seconds: Callable[[], float]
    ) -> None:
        self._progress, self._collector_cpu_seconds = progress, collector_cpu_seconds
        self._part, self._since = "", time.perf_counter()
        self._read = self._processors()

    @contextmanager
    def __call__(self, part: Part) -> Iterator[None]:
        """Count what passes within a ``with`` block to a part."""
        outer = self._begin(part)
        try:
            yield
        finally:
            self._begin(outer)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that counts its time within updates to ``update_NAME`` as well."""

        def call(*arguments: Any, **options: Any) -> Any:
            # Cloning has the same functions, and is a part of its own.
            if not self._part.startswith("update"):
                return function(*arguments, **options)
            outer = self._begin(f"update_{name}")
            try:
                return function(*arguments, **options)
            finally:
                self._begin(outer)

        return call

    def read_processors(self) -> None:
        """Count the processor time since it was last read, and what there was of it."""
        before, self._read = self._read, self._processors()
        progress = self._progress()
        wall, learner, collectors = (
            now - then for now, then in zip(self._read, before, strict=True)
        )
        progress.core_seconds += wall * usable_cores()
        progress.learner_cpu_seconds += learner
        progress.collector_cpu_seconds += max(0.0, collectors)

    def _begin(self, part: str) -> str:
        """Begin with a part, ``""`` for none of them, and return the previous one."""
        now, before, progress = time.perf_counter(), self._part, self._progress()
        seconds = now - self._since
        if before.startswith("update_"):
            progress.update_seconds += seconds
        if before:
            name = f"{before}_seconds"
            setattr(progress, name, getattr(progress, name) + seconds)
        self._part, self._since = part, now
        return before

    def _processors(self) -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), self._collector_cpu_seconds()
