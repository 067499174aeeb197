"""Outcome of a run."""

from dataclasses import dataclass, field
from pathlib import Path

from headstart.envs.source import EnvLike
from headstart.policy import Policy
from headstart.training.evaluation import EvalResult
from headstart.training.progress import Progress


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
