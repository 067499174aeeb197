"""Periods in env steps."""

from collections.abc import Iterable

from headstart.training.config import CycleConfig
from headstart.training.state import TrainerState

_CLONES_AT_ONCE = 10


def period_ended(period: int, *, before: int, now: int) -> bool:
    """Return whether a multiple of ``period`` lies in ``(before, now]``.

    However far a cycle jumps, each period is seen to end; ``now % period == 0`` misses such steps.
    """
    return now // period > before // period


def evaluation_period_over(period: int, state: TrainerState) -> bool:
    """Return whether a period has ended since the last evaluation of a run."""
    now, before = state.progress.env_steps, state.evaluated_at
    # A run that ended within its warm start was evaluated where the long one is not.
    during = before < state.progress.warm_start_env_steps
    return period_ended(period, before=0 if during else before, now=now)


def updates_due(cycle: CycleConfig, owed: float, env_steps: float) -> tuple[int, float]:
    """Return how many updates a cycle of so many env steps has, and the fraction left over.

    Args:
        cycle: its settings.
        owed: the fraction of an update that was left over before.
        env_steps: of the cycle, by each learner.
    """
    if cycle.updates is not None:
        return cycle.updates, owed
    assert cycle.updates_per_step is not None
    owed += cycle.updates_per_step * env_steps
    # A tenth ten times is a little less than one.
    due = int(owed + 1e-9)
    return due, max(0.0, owed - due)


def clones_due(done: int, updates: int) -> int:
    """Return how many of the updates of cloning are made at once, after so many of them.

    A run is saved after multiples of 50, and this many divide it.
    """
    return min(_CLONES_AT_ONCE - done % _CLONES_AT_ONCE, updates - done)


def last_due(period: int, moments: Iterable[int]) -> int:
    """Return the last of ascending moments by which a period had ended since the last such one.

    The others are where a run ended, and was made longer later.
    """
    last = 0
    for moment in moments:
        if period_ended(period, before=last, now=moment):
            last = moment
    return last
