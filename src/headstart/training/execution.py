"""A trainer that runs to its end, with or without a run directory."""

from dataclasses import dataclass

from headstart.errors import RunError
from headstart.policy import Policy
from headstart.training.checkpointer import Checkpointer, Restored
from headstart.training.evaluation import EvalResult
from headstart.training.observer import Progress
from headstart.training.run_directory import RunDirectory
from headstart.training.signals import stop_signals
from headstart.training.torch_settings import torch_settings
from headstart.training.trainer import Trainer


@dataclass(frozen=True)
class TrainResult:
    """What a run came to."""

    policy: Policy
    """The deployed policy at the end; the best one is in the run directory."""
    evaluation: EvalResult
    """The last evaluation."""
    progress: Progress


def run(trainer: Trainer) -> TrainResult:
    """Run a trainer to its end."""
    config = trainer.config
    with torch_settings(threads=config.torch_threads, matmul_precision=config.matmul_precision):
        result = trainer.run()
    return TrainResult(trainer.agent.policy(deployed=True), result, trainer.progress)


def run_in(
    directory: RunDirectory, trainer: Trainer, restored: Restored | None = None
) -> TrainResult:
    """Run a trainer to its end, and save it now and then.

    Raises:
        KeyboardInterrupt: if a signal asked for it; the run is saved.
        RunError: if the disk refuses the policies at the end too.
    """
    with stop_signals() as stop:
        checkpointer = Checkpointer(directory, trainer, stop, restored)
        # The directory first, so that nobody is told of an evaluation that is not on disk.
        trainer.observers = [directory, *trainer.observers, checkpointer]
        result = run(trainer)
        checkpointer.save()
        failure = directory.flush()
        if failure is not None:
            raise RunError(failure)
    return result
