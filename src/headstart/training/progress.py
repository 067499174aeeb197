"""How far a run is: what observers are shown, checkpoints keep, and rows of metrics hold."""

import math
import time
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Phase = Literal[
    "starting", "cloning demonstrations", "teaching the critics", "training", "evaluating"
]


def _counter(metric: str | None = None, *, profiled: bool = False) -> Any:
    """Return a number from 0 on, which rows of metrics show if it has a name there.

    One that is ``profiled`` counts, and is shown, where the settings ask for a profile alone.
    """
    return field(default=0, metadata={"metric": metric, "profiled": profiled})


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
    cloning_seconds: float = _counter("time/cloning_seconds")
    acting_seconds: float = _counter("time/acting_seconds")
    """In episodes that the learner runs itself, those of evaluations apart."""
    waiting_seconds: float = _counter("time/waiting_seconds")
    """For the episodes of collectors, those of evaluations apart."""
    sampling_seconds: float = _counter("time/sampling_seconds")
    update_seconds: float = _counter("time/update_seconds")
    """Of agents, cloning and sampling apart."""
    evaluation_seconds: float = _counter("time/evaluation_seconds")
    checkpoint_seconds: float = _counter("time/checkpoint_seconds")
    update_inputs_seconds: float = _counter("time/update_inputs_seconds", profiled=True)
    update_targets_seconds: float = _counter("time/update_targets_seconds", profiled=True)
    update_critics_seconds: float = _counter("time/update_critics_seconds", profiled=True)
    update_actor_seconds: float = _counter("time/update_actor_seconds", profiled=True)
    update_steps_seconds: float = _counter("time/update_steps_seconds", profiled=True)
    update_averaging_seconds: float = _counter("time/update_averaging_seconds", profiled=True)
    learner_cpu_seconds: float = _counter("time/learner_cpu_seconds")
    collector_cpu_seconds: float = _counter("time/collector_cpu_seconds")
    core_seconds: float = _counter("time/core_seconds")
    """Wall-clock seconds times usable cores, over the time in which processors were read."""
    earlier_seconds: float = _counter()
    """Wall-clock seconds of the processes that the run was resumed from."""

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        numbers = [getattr(self, it.name) for it in fields(self) if it.default == 0]
        if not all(0 <= number < math.inf for number in numbers):
            raise ValueError("a counter is negative or not finite")

    @property
    def all_updates(self) -> int:
        """Updates made so far, those of the warm start included."""
        return self.warm_start_updates + self.updates

    @property
    def wall_seconds(self) -> float:
        """Seconds since the run started, evaluation included."""
        return self.earlier_seconds + time.monotonic() - self._started

    def metrics(self) -> dict[str, float]:
        """Return the counters and clocks that rows of metrics show, by name."""
        values = {
            it.metadata["metric"]: getattr(self, it.name)
            for it in fields(self)
            if it.metadata.get("metric") and (getattr(self, it.name) or not it.metadata["profiled"])
        }
        return {**values, "time/wall_seconds": self.wall_seconds}

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, the clock read."""
        return {**asdict(self), "earlier_seconds": self.wall_seconds}
