"""The run directory: configuration, demonstrations, metrics and policies of one run."""

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.demos.storage import DemoSet, save_demos
from headstart.errors import InputError
from headstart.files.atomic import making_directory, replace_file
from headstart.files.output import check_writable
from headstart.files.run_files import BEST, CONFIG, DEMOS, LATEST, POLICIES, policy_file
from headstart.policy import Policy
from headstart.runs.audience import Seen
from headstart.runs.checkpoint_files import SavedRun
from headstart.runs.growing_file import Trouble
from headstart.runs.lock import Lock, locked
from headstart.runs.metrics_log import MetricsLog
from headstart.runs.record import RunRecord, demos_hash, read_record, resume_advice
from headstart.training.evaluation import EvalResult
from headstart.training.observer import Observer
from headstart.training.schedule import last_due, period_ended
from headstart.training.trainer import Trainer

_NUMBERED = re.compile(r"[0-9]{8,}\.safetensors", re.ASCII)
_log = logging.getLogger("headstart")


class RunDirectory(Observer):
    """Writes what a run leaves behind. A disk that refuses does not end the run.

    Args:
        lock: holds the directory.
        path: the directory, which is there.
        record: what the run is made of.
        rows: the metrics of the evaluations so far, each a line of JSON.
        policies: best and latest policy so far, as the content of their files.

    Raises:
        OSError: if its record cannot be read.
    """

    def __init__(
        self,
        lock: Lock,
        path: Path,
        record: RunRecord,
        rows: bytes = b"",
        policies: Mapping[str, bytes] | None = None,
    ) -> None:
        self.path = path
        self.record = record
        self._log = MetricsLog(path, rows)
        self.policies = dict(policies or {})
        self._unwritten: dict[str, bytes] = {}
        self._trouble = Trouble(f"{path / POLICIES}: policies")
        self._lock = lock
        own = [CONFIG] if record.demos is None else [CONFIG, DEMOS]
        # What a run needs to continue, should the directory be deleted.
        self._begun_with = {name: (path / name).read_bytes() for name in own}
        self._lost: set[str] = set()

    @property
    def rows(self) -> bytes:
        """The content of ``metrics.jsonl``."""
        return self._log.content

    def logged(self, metrics: dict[str, float], env_steps: int) -> None:
        """Write the means of the last updates for TensorBoard."""
        # Not into what lies there now if the directory was moved.
        if self._lock.is_held():
            self._log.write_updates(metrics, env_steps)

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Write the metrics, and the policy as latest, best and numbered where it is due.

        Raises:
            RunError: if another run has taken the directory's place.
        """
        env_steps = int(metrics["time/env_steps"])
        config, best = self.record.config, self._log.best("eval/success_rate")
        assert config.evaluation.every is not None
        before = last_due(config.evaluation.every, self._log.env_steps)
        # Reported below if it fails.
        with contextlib.suppress(OSError):
            self.secure()
        self._log.write(metrics, env_steps)
        described = replace(
            policy,
            metadata={
                **self.record.to_json(),
                "env_steps": env_steps,
                "success_rate": result.success_rate,
                "evaluation_episodes": result.episodes,
            },
        )
        content = described.to_bytes()
        self.policies[LATEST] = content
        # A tie goes to the later policy: it has learned from more.
        if best is None or result.success_rate >= best:
            self.policies[BEST] = content
        self._unwritten.update(self.policies)
        if period_ended(config.policy_every, before=before, now=env_steps):
            self._unwritten[f"{env_steps:08d}"] = content
        self.flush()

    def secure(self) -> None:
        """Make the directory again if it was deleted or moved.

        Raises:
            OSError: if it cannot be written.
            RunError: if another run has taken its place.
        """
        if not self._lock.is_held():
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.take_again()
            _log.warning("%s was deleted or moved; it is written again", self.path)
            self._lost = set(self._begun_with)
            self._unwritten = {**self.policies, **self._unwritten}
        for name in sorted(self._lost):
            replace_file(self.path / name, self._begun_with[name])
            self._lost.remove(name)

    def flush(self) -> str | None:
        """Write the policies that are not on the disk yet, and return what is wrong if one fails.

        A policy that cannot be written is tried again at the next evaluation.

        Raises:
            RunError: if another run has taken the directory's place.
        """
        directory = self.path / POLICIES
        try:
            self.secure()
            directory.mkdir(parents=True, exist_ok=True)
            for name in list(self._unwritten):
                replace_file(directory / policy_file(name), self._unwritten[name])
                del self._unwritten[name]
        except OSError as error:
            return f"{directory}: policies could not be written ({self._trouble.report(error)})"
        self._trouble.over()
        return None

    def put_back(self, env_steps: int) -> None:
        """Make the directory what it was at the last evaluation that the run has seen.

        Args:
            env_steps: when that was; numbered policies from after it are deleted.

        Raises:
            OSError: if it cannot be written.
        """
        directory = self.path / POLICIES
        directory.mkdir(parents=True, exist_ok=True)
        for name in (BEST, LATEST):
            path = directory / policy_file(name)
            if name in self.policies:
                replace_file(path, self.policies[name])
            else:
                path.unlink(missing_ok=True)
        for path in directory.iterdir():
            if _NUMBERED.fullmatch(path.name) and int(path.stem) > env_steps:
                path.unlink()

    def close(self) -> None:
        """Write what of the metrics could not be written before."""
        # Not into what lies there now if the directory was moved.
        with contextlib.suppress(OSError):
            if self._lock.is_held():
                self._log.flush()


@contextlib.contextmanager
def new_run(path: Path, record: RunRecord, demos: DemoSet | None) -> Iterator[RunDirectory]:
    """Make the directory of a new run, and hold it for this process.

    Args:
        path: where; a directory that is there already must be empty.
        record: what the run is made of.
        demos: its demonstrations, which the directory keeps.

    Raises:
        InputError: if the directory holds a run already, or cannot be written.
    """
    path = path.absolute()
    claim_directory(path)
    try:
        # An empty directory may be a mount point, or where the user stands: it is filled in place,
        # its record last.
        place = contextlib.nullcontext(path) if path.exists() else making_directory(path)
        with place as directory:
            if demos is not None:
                save_demos(directory / DEMOS, demos)
                sha256 = demos_hash(directory / DEMOS)
                record = replace(record, demos={**demos.describe(), "sha256": sha256})
            (directory / POLICIES).mkdir()
            record.write(directory)
    except OSError as error:
        raise InputError(f"{path}: cannot be written as a run directory ({error})") from error
    with locked(path) as lock, contextlib.closing(RunDirectory(lock, path, record)) as run:
        yield run


@contextlib.contextmanager
def reopen_run(
    lock: Lock,
    path: Path,
    record: RunRecord,
    trainer: Trainer,
    changed: Mapping[str, tuple[Any, Any]],
    saved: SavedRun | None,
) -> Iterator[RunDirectory]:
    """Put the directory of a run where its trainer is, and hold it.

    Args:
        lock: holds the directory.
        path: the directory.
        record: what the run is made of.
        trainer: where it continues, and with which settings.
        changed: those that differ from the run's.
        saved: the checkpoint that it continues from, if there is one.

    Raises:
        InputError: if the directory cannot be written.
    """
    if changed:
        record = record.with_change(trainer.config, trainer.progress.env_steps, changed)
    rows, policies = (b"", {}) if saved is None else (saved.rows, saved.policies)
    with contextlib.ExitStack() as stack:
        try:
            if changed:
                record.write(path)
                # What observers have seen belongs to another course of the run.
                Seen().write(path)
            run = RunDirectory(lock, path, record, rows, policies)
            stack.enter_context(contextlib.closing(run))
            run.put_back(max(trainer.state.evaluated_at, 0))
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror})") from error
        yield run


def claim_directory(path: Path) -> None:
    """Make sure that a new run can be written to ``path``, before any work is done.

    Raises:
        InputError: if it is a file, holds something already, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and any(path.iterdir()):
            raise InputError(
                f"{path}: already holds files; choose another --out{_earlier_run(path)}"
            )
        place = path if path.exists() else path.parent
    except OSError as error:
        raise InputError(f"{path}: cannot be written as a run directory ({error})") from error
    check_writable(path, place)


def _earlier_run(path: Path) -> str:
    """Return how to continue the run of a directory, if it holds one."""
    try:
        return f", or {resume_advice(path, read_record(path))}"
    except InputError:
        return ""
