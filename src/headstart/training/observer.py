"""What a run reports to, through which it can be stopped, and its outcome."""

import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from headstart.envs.source import EnvLike
from headstart.envs.task import TaskConfig
from headstart.policy import Policy
from headstart.training.config import TrainConfig
from headstart.training.evaluation import EvalResult
from headstart.training.progress import Progress


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
    task: TaskConfig | None = None
    """What was declared of the environment from outside."""
    resumed_at: int | None = None
    """Env steps that a resumed run continues from; ``None`` for a run that begins."""
    stop_requested: bool = False

    def stop(self) -> None:
        """Ask the run to end after the current cycle, with an evaluation, as if it were finished.

        The run is saved if it has a directory, and can be resumed. May be called at any time and
        from any thread.
        """
        self.stop_requested = True


def new_id() -> str:
    """Return an id that no other run has, for trackers."""
    return uuid.uuid4().hex[:16]


def describe_policy(
    policy: Policy, run: RunHandle, env_steps: int, result: EvalResult | None
) -> Policy:
    """Return a policy that says where it comes from and what it scored, if it was evaluated."""
    metadata: dict[str, Any] = {"env_id": run.env_id, "env_steps": env_steps}
    if run.task is not None and run.task.goal_regions.coordinate is not None:
        metadata["config"] = {"task": {"goal_regions": asdict(run.task.goal_regions)}}
    if result is not None:
        metadata |= {"success_rate": result.success_rate, "evaluation_episodes": result.episodes}
    return replace(policy, metadata=metadata)


@dataclass(frozen=True)
class TrainResult:
    """Outcome of a run that reached its end, or was stopped by ``RunHandle.stop``."""

    policy: Policy
    """The deployed policy at the end."""
    best_policy: Policy
    """The policy of the best evaluation; the later one if several are equally good."""
    evaluation: EvalResult
    """The last evaluation, on episodes that choose the best policy; ``evaluate`` uses others."""
    progress: Progress
    env: EnvLike = field(repr=False)
    """The environment, from which it can be built again."""
    directory: Path | None = None
    """The run directory, if there is one."""


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM during training; holds what was learned until then.

    Args:
        message: one sentence: whether the run is saved, and how to continue it.
        policy: the deployed policy.
        best_policy: the policy of the best evaluation, ``None`` before the first one.
        evaluation: the last evaluation, ``None`` before the first one.
        progress: how far the run came.
        directory: the run directory, if there is one.
    """

    def __init__(
        self,
        message: str,
        *,
        policy: Policy,
        best_policy: Policy | None,
        evaluation: EvalResult | None,
        progress: Progress,
        directory: Path | None,
    ) -> None:
        super().__init__(message)
        self.policy = policy
        self.best_policy = best_policy
        self.evaluation = evaluation
        self.progress = progress
        self.directory = directory


class Observer:
    """Base of what follows a run; every method may be left as it is.

    Order of the calls: ``started``; then ``progressed``, ``logged`` and ``evaluated`` as they
    happen; then ``finished``, or ``failed`` if the run ends in an exception.
    """

    def started(self, config: TrainConfig, run: RunHandle) -> None:
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

    def finished(self, result: TrainResult) -> None:
        """Called at the end of a run, when everything is saved."""

    def failed(self, error: BaseException) -> None:
        """Called if a run ends in an exception, ``KeyboardInterrupt`` included."""
