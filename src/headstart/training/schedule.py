"""Periods in env steps."""


class Every:
    """Due once per period, however far a cycle jumps; ``step % period == 0`` misses such steps."""

    def __init__(self, period: int) -> None:
        self.period = period
        self._next = period

    def due(self, env_steps: int) -> bool:
        """Return whether a period has ended since the last time this was due."""
        if env_steps < self._next:
            return False
        self._next = (env_steps // self.period + 1) * self.period
        return True
