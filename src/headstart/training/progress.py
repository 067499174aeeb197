"""Where a run stands."""

import time
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Where a run stands."""

    phase: str = "starting"
    env_steps: int = 0
    warm_start_env_steps: int = 0
    episodes: int = 0
    """Training episodes that were stored."""
    dropped_episodes: int = 0
    """Training episodes that failed however often they were run."""
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
