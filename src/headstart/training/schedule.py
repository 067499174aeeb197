"""Periods in env steps."""


def period_ended(period: int, *, before: int, now: int) -> bool:
    """Return whether a multiple of ``period`` lies in ``(before, now]``.

    However far a cycle jumps, each period is seen to end; ``now % period == 0`` misses such steps.
    """
    return now // period > before // period
