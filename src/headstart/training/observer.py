"""Progress of a run, and what a run reports it to."""

import time
from dataclasses import dataclass, field

from headstart.policy import Policy
from headstart.training.evaluation import EvalResult


@dataclass
class Progress:
    """Where a run stands."""

    phase: str = "starting"
    env_steps: int = 0
    warm_start_env_steps: int = 0
    episodes: int = 0
    updates: int = 0
    """Updates within cycles; the warm start's are counted apart."""
    warm_start_updates: int = 0
    evaluation_seconds: float = 0.0
    checkpoint_seconds: float = 0.0
    started: float = field(default_factory=time.monotonic)

    @property
    def wall_seconds(self) -> float:
        """Seconds since the run started, evaluation included."""
        return time.monotonic() - self.started


class Observer:
    """What a trainer reports to. Every method may be left as it is."""

    def progressed(self, progress: Progress) -> None:
        """Called after every cycle, every 50 warm-start updates, and before an evaluation."""

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Called after every evaluation with the row of metrics that belongs to it."""

    def resumable(self) -> None:
        """Called wherever the run could be stopped, and go on from as if nothing had been.

        What is raised here ends the run.
        """
