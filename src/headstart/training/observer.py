"""What a run reports to, and through which it can be stopped."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.policy import Policy
from headstart.training.evaluation import EvalResult
from headstart.training.progress import Progress

if TYPE_CHECKING:
    from headstart.training.config import TrainConfig
    from headstart.training.result import TrainResult


@dataclass
class RunHandle:
    """A run as its observers see it: which one it is, and how to stop it."""

    id: str
    """Stays the same when the run is resumed: what a tracker attaches to."""
    env_id: str
    """What its environment is called."""
    num_demos: int = 0
    """Demonstrations that it learns from."""
    directory: Path | None = None
    """The run directory, if there is one."""
    resumed_at: int | None = None
    """Env steps that a resumed run continues from; ``None`` for a run that begins."""
    stop_requested: bool = False

    def stop(self) -> None:
        """Ask the run to end after the current cycle, with an evaluation, as if it were finished.

        The run is saved if it has a directory, and can be resumed. May be called at any time and
        from any thread.
        """
        self.stop_requested = True


def describe_policy(
    policy: Policy, run: RunHandle, env_steps: int, result: EvalResult | None
) -> Policy:
    """Return a policy that says where it comes from and what it scored, if it was evaluated."""
    metadata: dict[str, Any] = {"env_id": run.env_id, "env_steps": env_steps}
    if result is not None:
        metadata |= {"success_rate": result.success_rate, "evaluation_episodes": result.episodes}
    return replace(policy, metadata=metadata)


class Observer:
    """Base of what follows a run; every method may be left as it is.

    Order of the calls: ``started``; then ``progressed``, ``logged`` and ``evaluated`` as they
    happen; then ``finished``, or ``failed`` if the run ends in an exception.
    """

    def started(self, config: "TrainConfig", run: RunHandle) -> None:
        """Called once, before anything is collected or learned.

        Args:
            config: all settings of the run.
            run: which run it is. Keep it to stop the run later.
        """

    def progressed(self, progress: Progress) -> None:
        """Called after every cycle, every 50 warm-start updates, and before an evaluation."""

    def logged(self, metrics: dict[str, float], env_steps: int) -> None:
        """Called every ``config.log_every`` updates, those of the warm start included.

        Args:
            metrics: means over the updates since the previous call, ``updates/...``, and the
                counters and clocks of the run, ``time/...``.
            env_steps: taken so far; 0 while demonstrations are cloned.
        """

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Called after every evaluation.

        Args:
            policy: what was evaluated.
            result: its success.
            metrics: the row of ``metrics.jsonl``.
        """

    def resumable(self) -> None:
        """Called wherever the run can be saved and continued to the same bits."""

    def finished(self, result: "TrainResult") -> None:
        """Called at the end of a run, when everything is saved."""

    def failed(self, error: BaseException) -> None:
        """Called if a run ends in an exception, ``KeyboardInterrupt`` included."""
