"""Where a trainer stands: all that changes as it runs, besides agents and replay."""

import math
from dataclasses import dataclass, field

from headstart.data.episode import Episode
from headstart.training.config import MOST_EPISODES
from headstart.training.evaluation import EvalResult
from headstart.training.metrics import MeanMetrics, evaluation_metrics
from headstart.training.progress import Progress


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
    evaluated_clone: int = -1
    """Updates of the warm start at the last evaluation before any env step, -1 before the first."""
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

    def ask(self, count: int) -> range:
        """Return the indices of ``count`` new training episodes."""
        first, self.num_asked = self.num_asked, self.num_asked + count
        return range(first, self.num_asked)

    def count(self, episode: Episode) -> None:
        """Count a training episode that was stored."""
        self.progress.env_steps += len(episode)
        self.progress.episodes += 1
        self.successes.append(episode.success)

    def take_recent(self) -> dict[str, float]:
        """Return means over the updates since the last call, and the counters, by name."""
        means = {f"updates/{name}": value for name, value in self.recent.means().items()}
        self.recent.clear()
        return {**means, **self.progress.metrics()}

    @property
    def num_over(self) -> int:
        """Training episodes that were stored or dropped."""
        return self.progress.episodes + self.progress.dropped_episodes

    @property
    def num_ahead(self) -> int:
        """Training episodes that have been asked for and are not over."""
        return self.num_asked - self.num_over
