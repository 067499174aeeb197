"""Periods in env steps."""

from collections.abc import Iterable


def period_ended(period: int, *, before: int, now: int) -> bool:
    """Return whether a multiple of ``period`` lies in ``(before, now]``.

    However far a cycle jumps, each period is seen to end; ``now % period == 0`` misses such steps.
    """
    return now // period > before // period


def last_due(period: int, moments: Iterable[int]) -> int:
    """Return the last of ascending moments by which a period had ended since the last such one.

    The others are where a run ended, and was made longer later.
    """
    last = 0
    for moment in moments:
        if period_ended(period, before=last, now=moment):
            last = moment
    return last
