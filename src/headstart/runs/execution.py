"""A trainer that runs to its end, with or without a run directory."""

import ctypes
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from headstart.agents.precision import multiplies_bfloat16
from headstart.errors import RunError
from headstart.files.run_files import BEST, CHECKPOINTS
from headstart.policy import Policy, policy_from_bytes
from headstart.runs.audience import read_id
from headstart.runs.checkpoint import Restored
from headstart.runs.checkpoint_files import CheckpointFiles
from headstart.runs.checkpointer import Checkpointer
from headstart.runs.directory import RunDirectory
from headstart.runs.own_replays import HandsOver
from headstart.runs.record import resume_advice_of
from headstart.runs.signals import stop_signals
from headstart.runs.together import AllAlike
from headstart.training.config import MatmulPrecision, TrainConfig
from headstart.training.evaluation import EvalResult
from headstart.training.group import ALONE, Group
from headstart.training.observer import (
    Observer,
    RunHandle,
    RunInterrupted,
    TrainResult,
    describe_policy,
)
from headstart.training.trainer import Trainer

_log = logging.getLogger("headstart")

_PRECISIONS = {"float32": "highest", "bfloat16": "medium"}


def run(trainer: Trainer) -> TrainResult:
    """Run a trainer to its end, without writing anything.

    Raises:
        RunInterrupted: if Ctrl-C ends it; holds the policies so far.
        RunError: if the run cannot continue.
    """
    best = _Best()
    # First: an observer may raise KeyboardInterrupt.
    trainer.observers = [best, *trainer.observers]
    return _execute(trainer, lambda: best.policy)


def run_in(
    directory: RunDirectory,
    trainer: Trainer,
    restored: Restored | None = None,
    group: Group = ALONE,
) -> TrainResult:
    """Run a trainer to its end, and save it now and then.

    Raises:
        RunInterrupted: if a signal asked for it; the run is saved.
        RunError: if the run cannot continue, or the disk refuses the policies at the end too.
    """
    resumed_at = None if restored is None else trainer.progress.env_steps
    trainer.handle = replace(
        trainer.handle,
        id=read_id(directory.path),
        directory=directory.path,
        resumed_at=resumed_at,
    )
    with stop_signals() as stop:
        trainer.should_stop = lambda: stop.made
        checkpointer = Checkpointer(directory, trainer, restored, group)
        # The directory first, so that no evaluation is reported that is not on disk.
        trainer.observers = [directory, *trainer.observers, checkpointer]

        def best() -> Policy | None:
            content = directory.policies.get(BEST)
            return None if content is None else policy_from_bytes(content)

        def save(ended: bool) -> str:
            message = "" if ended else checkpointer.save_stopped()
            if ended:
                checkpointer.save()
                failure = directory.flush()
                if failure is not None:
                    raise RunError(failure)
            # The others wait: torchrun ends what is left of a run as soon as one process has ended.
            return group.from_first(lambda: message)

        return _execute(trainer, best, save, group)


def run_beside(path: Path, trainer: Trainer, group: Group) -> TrainResult:
    """Run a trainer in another process than the one that saves the run.

    Args:
        path: the run directory.
        trainer: the same as there.
        group: the processes.

    Raises:
        RunInterrupted, RunError: as ``run_in``.
    """
    best, own = _Best(), HandsOver(group, trainer)
    has_replay = trainer.share.count > 1
    trainer.handle = replace(trainer.handle, directory=path)
    trainer.observers = [best, *([own] if has_replay else [])]

    def save(ended: bool) -> str:
        if has_replay:
            own.hand_over()
        # What the first process says of it.
        return group.from_first(lambda: "")

    with stop_signals() as stop:
        trainer.should_stop = lambda: stop.made
        return _execute(trainer, lambda: best.policy, save, group)


def _stop_together(trainer: Trainer, group: Group) -> None:
    """Let each process ask the run to stop, and all of them do it at the same place."""
    asked, signalled = trainer.handle, trainer.should_stop
    # What the others have not heard of decides nothing here.
    trainer.handle = replace(asked)

    def should_stop() -> bool:
        stopped, ended = group.any_of(signalled(), asked.stop_requested)
        trainer.handle.stop_requested = ended
        return stopped

    trainer.should_stop = should_stop


def _execute(
    trainer: Trainer,
    best: Callable[[], Policy | None],
    save: Callable[[bool], str] = lambda ended: "",
    group: Group = ALONE,
) -> TrainResult:
    """Run a trainer, and report to its observers how it begins and ends.

    Args:
        trainer: one that has not begun, or that continues.
        best: returns the policy of the best evaluation so far.
        save: saves the run, which has ended or was asked to stop, and returns what to report of it.
        group: the processes that run it together.
    """
    config = trainer.config
    if group.size > 1:
        trainer.observers = [AllAlike(group, trainer), *trainer.observers]
    observers = trainer.observers
    try:
        for observer in observers:
            observer.started(config, trainer.handle)
        if group.size > 1:
            _stop_together(trainer, group)
        keep_freed_memory()
        if config.matmul_precision == "bfloat16" and not multiplies_bfloat16():
            _log.warning("matmul_precision bfloat16: torch multiplies float32 here all the same")
        with torch_settings(threads=config.torch_threads, matmul_precision=config.matmul_precision):
            ended = trainer.run()
        message = save(ended)
        result = _result(trainer, best()) if ended else None
    except KeyboardInterrupt as interrupt:
        # A second signal, or Ctrl-C where nothing is saved: it ends the run at once.
        message, result = str(interrupt), None
    except BaseException as error:
        _fail(observers, error)
        raise
    if result is None:
        interrupted = _interrupted(trainer, best(), message)
        _fail(observers, interrupted)
        raise interrupted
    for observer in observers:
        observer.finished(result)
    return result


def _result(trainer: Trainer, best: Policy | None) -> TrainResult:
    policy, evaluation = _latest(trainer), trainer.state.last_result
    assert evaluation is not None
    return TrainResult(
        policy=policy,
        best_policy=best or policy,
        evaluation=evaluation,
        progress=trainer.progress,
        env=trainer.env or trainer.handle.env_id,
        directory=trainer.handle.directory,
    )


def _interrupted(trainer: Trainer, best: Policy | None, message: str) -> RunInterrupted:
    """Return what a caller gets of a run that was interrupted."""
    directory = trainer.handle.directory
    if directory is None:
        message = (
            f"interrupted after {trainer.progress.env_steps} env steps; not saved, as there is no "
            f"out=DIR: .policy and .best_policy of this exception hold what was learned"
        )
    elif not message:
        saved = CheckpointFiles(directory / CHECKPOINTS).numbers()
        place = "the last checkpoint" if saved else "its beginning, as no checkpoint is there"
        message = f"interrupted; from {place}, {resume_advice_of(directory)}"
    return RunInterrupted(
        message,
        policy=_latest(trainer),
        best_policy=best,
        evaluation=trainer.state.last_result,
        progress=trainer.progress,
        directory=directory,
    )


def _latest(trainer: Trainer) -> Policy:
    policy, env_steps = trainer.agent.policy(deployed=True), trainer.progress.env_steps
    result = trainer.state.last_result if trainer.state.evaluated_at == env_steps else None
    return describe_policy(policy, trainer.handle, env_steps, result)


def _fail(observers: Sequence[Observer], error: BaseException) -> None:
    for observer in observers:
        observer.failed(error)


class _Best(Observer):
    """Keeps the policy of the best evaluation, where no run directory does."""

    policy: Policy | None = None
    _run: RunHandle
    _rate = -1.0

    def started(self, config: TrainConfig, run: RunHandle) -> None:
        """Note where policies come from."""
        self._run = run

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Keep a policy that is not worse."""
        if result.success_rate >= self._rate:
            env_steps = int(metrics["time/env_steps"])
            self._rate = result.success_rate
            self.policy = describe_policy(policy, self._run, env_steps, result)


@contextmanager
def torch_settings(*, threads: int, matmul_precision: MatmulPrecision) -> Iterator[None]:
    """Use so many threads, and products of such precision; afterwards all is as before.

    With ``bfloat16`` factors are rounded to 8 significant bits and products are summed in float32,
    on processors that can do this; others use float32.
    """
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(_PRECISIONS[matmul_precision])
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_float32_matmul_precision(before[1])


# From malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_KEPT = 16 * 2**20
_KEPT_IN_ALL = 64 * 2**20


def keep_freed_memory() -> None:
    """Make the C library keep up to 64 MiB of freed memory; does nothing where it is not glibc.

    An update allocates and frees a hundred tensors, and the system fills every page of them with
    zeros first: a tenth of the time of an update. The setting holds until the process ends.
    """
    if sys.platform != "linux":
        return
    # Other C libraries have no such function.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_IN_ALL)
