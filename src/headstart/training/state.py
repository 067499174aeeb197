"""Where a trainer stands: all that changes as it runs, besides agents and replay."""

import math
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from headstart.training.config import MOST_EPISODES
from headstart.training.evaluation import EvalResult
from headstart.training.metrics import MeanMetrics, evaluation_metrics

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


@dataclass(kw_only=True)
class TrainerState:
    """All that changes as a trainer runs, besides agents, replay and random streams.

    A checkpoint writes and reads it as it is.
    """

    progress: Progress = field(default_factory=Progress)
    begun: bool = False
    """Whether the demonstrations have been counted into the normaliser."""
    num_asked: int = 0
    """Training episodes asked for so far."""
    owed_updates: float = 0.0
    """Updates that env steps have earned and no cycle has made, less than one."""
    evaluated_at: int = -1
    """Env steps at the last evaluation, -1 before the first."""
    last_result: EvalResult | None = None
    metrics: MeanMetrics = field(default_factory=MeanMetrics)
    """Of the updates since the last evaluation."""
    recent: MeanMetrics = field(default_factory=MeanMetrics)
    """Of the updates since observers were last shown them."""
    successes: list[bool] = field(default_factory=list)
    """Of the training episodes since the last evaluation."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.owed_updates < math.inf:
            raise ValueError(f"{self.owed_updates} owed updates: negative or not finite")
        if self.num_ahead < 0:
            raise ValueError(f"{self.num_over} episodes of {self.num_asked} asked for")
        if self.num_ahead > MOST_EPISODES:
            raise ValueError(f"{self.num_ahead} episodes asked for at once")

    def row(self, mean_q: float) -> dict[str, float]:
        """Return the metrics of the last evaluation, and of the run until then, by name."""
        assert self.last_result is not None
        row = {
            **evaluation_metrics(self.last_result, mean_q),
            **{f"train/{name}": value for name, value in self.metrics.means().items()},
            **self.progress.metrics(),
        }
        if self.successes:
            row["rollout/success_rate"] = sum(self.successes) / len(self.successes)
        return row

    @property
    def num_over(self) -> int:
        """Training episodes that were stored or dropped."""
        return self.progress.episodes + self.progress.dropped_episodes

    @property
    def num_ahead(self) -> int:
        """Training episodes that have been asked for and are not over."""
        return self.num_asked - self.num_over
