"""What both sides share: the task, the sizes, and the stop-watch."""

import time
from collections.abc import Callable
from dataclasses import dataclass

ENV_ID = "FetchPickAndPlace-v4"
HIDDEN = (256, 256, 256)
BATCH_SIZE = 256
LEARNING_RATE = 1e-3
TAU = 0.005
DISCOUNT = 0.98
NOISE = 0.1
CAPACITY = 100_000
"""Replay size of both; Stable-Baselines3 fills a list of that many dicts at the start."""
STARTED = 500
"""Env steps taken before the clock of a whole loop starts: replay filled, caches and pools warm."""


@dataclass(frozen=True)
class Algorithm:
    """A size of update.

    Target policy smoothing, a part of TD3, is in Stable-Baselines3's update and not in ours.
    """

    name: str
    num_critics: int
    actor_delay: int
    hidden: tuple[int, ...] = HIDDEN
    layer_norm: bool = False
    batch_size: int = BATCH_SIZE


FAST = Algorithm("fast", num_critics=2, actor_delay=1, hidden=(128, 128, 128), layer_norm=True)
"""The update of the preset without demonstrations; Stable-Baselines3 has none with layer norm."""
TD3 = Algorithm("TD3", num_critics=2, actor_delay=2)
DDPG = Algorithm("DDPG", num_critics=1, actor_delay=1)


def per_second(call: Callable[[], int], seconds: float) -> float:
    """Call for ``seconds``, after a tenth of that to warm up; return the sum of counts per second.

    Args:
        call: does some work and returns how many units it was.
        seconds: how long to measure.
    """
    _count(call, seconds / 10)
    begun = time.perf_counter()
    count = _count(call, seconds)
    return count / (time.perf_counter() - begun)


def _count(call: Callable[[], int], seconds: float) -> int:
    end = time.perf_counter() + seconds
    count = call()
    while time.perf_counter() < end:
        count += call()
    return count


class Clock:
    """Measures the steady part of a loop that reports how far it is.

    The rate is taken between two reports, after start-up and the first ``STARTED`` env steps.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None

    def finished(self, env_steps: int, updates: int) -> bool:
        """Take in one report; return whether the loop has run for long enough."""
        now = time.perf_counter()
        if self._first is None:
            if env_steps >= STARTED:
                self._first = (now, env_steps)
                self._lag = env_steps - updates
            return False
        if now - self._first[0] < self.seconds:
            return False
        # What is compared is one update per env step; make sure that it is what was run.
        assert abs(env_steps - updates - self._lag) <= 1, (env_steps, updates)
        self._last = (now, env_steps)
        return True

    @property
    def rate(self) -> float:
        """Env steps, and as many updates, per second."""
        assert self._first is not None
        assert self._last is not None
        return (self._last[1] - self._first[1]) / (self._last[0] - self._first[0])
