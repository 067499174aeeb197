"""Where a run stands between two cycles, as plain values, and back."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from headstart.policy import Policy
from headstart.training.evaluation import EvalResult
from headstart.training.trainer import Ahead, Progress, Trainer


@dataclass(frozen=True, kw_only=True)
class Counters:
    """``Progress``, its clock read."""

    env_steps: int
    warm_start_env_steps: int
    episodes: int
    updates: int
    warm_start_updates: int
    evaluation_seconds: float
    checkpoint_seconds: float
    wall_seconds: float


@dataclass(frozen=True, kw_only=True)
class AskedAhead:
    """Which episodes had been asked for; their policy is a file of its own."""

    first: int
    count: int


@dataclass(frozen=True, kw_only=True)
class RunState:
    """All of a run besides agent, replay, demonstrations and configuration."""

    begun: bool
    counters: Counters
    num_asked: int
    ahead: AskedAhead | None
    evaluated_at: int
    last_result: EvalResult | None
    successes: list[bool]
    metrics: dict[str, tuple[float, int]]
    """Sums and counts of what the updates reported since the last evaluation."""
    streams: dict[str, Any]

    def __post_init__(self) -> None:
        counters = asdict(self.counters)
        numbers = [*counters.values(), self.num_asked, *(count for _, count in self.sums)]
        if min(numbers) < 0 or not np.isfinite([*counters.values(), *self.totals]).all():
            raise ValueError("a counter is negative or not finite")
        ahead = 0 if self.ahead is None else self.ahead.count
        if self.counters.episodes + ahead != self.num_asked:
            raise ValueError(f"{self.counters.episodes} episodes of {self.num_asked} asked for")

    @property
    def sums(self) -> list[tuple[float, int]]:
        """Sums and counts of all metrics."""
        return list(self.metrics.values())

    @property
    def totals(self) -> list[float]:
        """Sums of all metrics."""
        return [total for total, _ in self.sums]


def run_state(trainer: Trainer) -> RunState:
    """Return where a trainer stands."""
    progress, ahead = trainer.progress, trainer.ahead
    return RunState(
        begun=trainer.begun,
        counters=Counters(
            env_steps=progress.env_steps,
            warm_start_env_steps=progress.warm_start_env_steps,
            episodes=progress.episodes,
            updates=progress.updates,
            warm_start_updates=progress.warm_start_updates,
            evaluation_seconds=progress.evaluation_seconds,
            checkpoint_seconds=progress.checkpoint_seconds,
            wall_seconds=progress.wall_seconds,
        ),
        num_asked=trainer.num_asked,
        ahead=None if ahead is None else AskedAhead(first=ahead.first, count=len(ahead.pending)),
        evaluated_at=trainer.evaluated_at,
        last_result=trainer.last_result,
        successes=list(trainer.successes),
        metrics=trainer.metrics.state(),
        streams=trainer.streams.state(),
    )


def restore_run(trainer: Trainer, state: RunState, policy_ahead: Policy | None) -> None:
    """Put a new trainer where another stood; agent and replay are put back already.

    Args:
        trainer: one that has not begun.
        state: where the other stood.
        policy_ahead: the policy of the episodes that had been asked for, if there were some.

    Raises:
        ValueError: if the state does not go with this trainer.
    """
    counters, ahead = state.counters, state.ahead
    if trainer.replay.num_added != counters.episodes:
        raise ValueError(f"{trainer.replay.num_added} episodes stored of {counters.episodes}")
    if (ahead is None) != (policy_ahead is None):
        raise ValueError("episodes asked for, and their policy, are not both there")
    trainer.streams.restore(state.streams)
    trainer.begun = state.begun
    trainer.progress = Progress(
        env_steps=counters.env_steps,
        warm_start_env_steps=counters.warm_start_env_steps,
        episodes=counters.episodes,
        updates=counters.updates,
        warm_start_updates=counters.warm_start_updates,
        evaluation_seconds=counters.evaluation_seconds,
        checkpoint_seconds=counters.checkpoint_seconds,
        started=time.monotonic() - counters.wall_seconds,
    )
    trainer.num_asked = state.num_asked
    trainer.evaluated_at = state.evaluated_at
    trainer.last_result = state.last_result
    trainer.successes = list(state.successes)
    trainer.metrics.restore(state.metrics)
    if ahead is not None and policy_ahead is not None:
        # The same jobs again: an episode is a pure function of its job.
        indices = range(ahead.first, ahead.first + ahead.count)
        pending = trainer.ask(policy_ahead, indices, trainer.config.exploration)
        trainer.ahead = Ahead(policy_ahead, ahead.first, pending)
