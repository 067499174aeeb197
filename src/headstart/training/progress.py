"""How far a run is: what observers are shown, checkpoints keep, and rows of metrics hold."""

import math
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Phase = Literal[
    "starting", "cloning demonstrations", "teaching the critics", "training", "evaluating"
]


def _counter(metric: str | None = None) -> Any:
    """Return a number from 0 on, which rows of metrics show if it has a name there."""
    return field(default=0, metadata={} if metric is None else {"metric": metric})


@dataclass
class Progress:
    """Counters and clocks of a run.

    A new one is a line here: checkpoints keep it, and rows of metrics show it if it names a metric.
    """

    phase: Phase = "starting"
    env_steps: int = _counter("time/env_steps")
    expansion_env_steps: int = _counter("time/expansion_env_steps")
    """Taken to expand the demonstrations, before the run began; not among ``env_steps``."""
    warm_start_env_steps: int = _counter()
    episodes: int = _counter("time/episodes")
    """Training episodes that were stored."""
    dropped_episodes: int = _counter("health/dropped_episodes")
    """Training episodes that failed however often they were run."""
    updates: int = _counter("time/updates")
    """Updates within cycles; the warm start's are counted apart."""
    warm_start_updates: int = _counter("time/warm_start_updates")
    evaluation_seconds: float = _counter("time/evaluation_seconds")
    checkpoint_seconds: float = _counter("time/checkpoint_seconds")
    earlier_seconds: float = _counter()
    """Wall-clock seconds of the processes that the run was resumed from."""

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        numbers = [getattr(self, it.name) for it in fields(self) if it.default == 0]
        if not all(0 <= number < math.inf for number in numbers):
            raise ValueError("a counter is negative or not finite")

    @property
    def wall_seconds(self) -> float:
        """Seconds since the run started, evaluation included."""
        return self.earlier_seconds + time.monotonic() - self._started

    def metrics(self) -> dict[str, float]:
        """Return the counters and clocks that rows of metrics show, by name."""
        shown = {it.metadata["metric"]: it.name for it in fields(self) if "metric" in it.metadata}
        values = {metric: getattr(self, name) for metric, name in shown.items()}
        return {**values, "time/wall_seconds": self.wall_seconds}

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, the clock read."""
        return {**asdict(self), "earlier_seconds": self.wall_seconds}
