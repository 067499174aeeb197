"""When a run is saved."""

import logging
import time

from headstart.errors import RunError
from headstart.files.run_files import CHECKPOINTS, METRICS
from headstart.runs.checkpoint import ReplayParts, Restored, run_files
from headstart.runs.checkpoint_files import CheckpointFiles, saved_policy_file
from headstart.runs.directory import RunDirectory
from headstart.runs.growing_file import Trouble
from headstart.runs.record import resume_advice
from headstart.training.observer import Observer
from headstart.training.trainer import Trainer

_log = logging.getLogger("headstart")


class Checkpointer(Observer):
    """Saves a run every so many seconds, and at its end.

    Args:
        directory: the run directory.
        trainer: the run.
        restored: what the run continues from, if it is not new.
    """

    def __init__(
        self,
        directory: RunDirectory,
        trainer: Trainer,
        restored: Restored | None = None,
    ) -> None:
        self._directory, self._trainer = directory, trainer
        self._checkpoint = directory.record.config.checkpoint
        self._files = CheckpointFiles(directory.path / CHECKPOINTS)
        parts = {} if restored is None else restored.parts
        self._parts = ReplayParts(self._files, parts)
        self._kept = {} if restored is None else {restored.number: frozenset(parts)}
        self._next = 0 if restored is None else restored.number + 1
        self._saved_at = time.monotonic()
        self._saved_env_steps = None if restored is None else trainer.progress.env_steps
        self._trouble = Trouble(f"{self._files.path}: checkpoints")

    def resumable(self) -> None:
        """Save the run if it is time to."""
        if time.monotonic() - self._saved_at >= self._checkpoint.seconds:
            self.save()

    def save(self) -> str | None:
        """Save the run, and return why not if the disk refuses: training continues meanwhile.

        Raises:
            RunError: if something in the run is not finite, or another run has taken the
                directory's place.
        """
        try:
            with self._trainer.clock("checkpoint"):
                self._write()
        except OSError as error:
            return self._trouble.report(error)
        finally:
            self._saved_at = time.monotonic()
        self._trouble.over()
        self._saved_env_steps = self._trainer.progress.env_steps
        return None

    def _write(self) -> None:
        self._directory.secure()
        try:
            files = run_files(self._trainer)
            entries = self._parts.update(self._trainer.replay)
        except ValueError as error:
            raise RunError(f"the run cannot be saved, {error}") from error
        files[METRICS] = self._directory.rows
        for name, content in self._directory.policies.items():
            files[saved_policy_file(name)] = content
        self._files.write(self._next, files, entries)
        # Only now that this one is whole.
        self._kept[self._next] = frozenset(entries)
        self._kept = dict(list(self._kept.items())[-self._checkpoint.keep :])
        self._files.prune(self._kept, frozenset().union(*self._kept.values()))
        self._next += 1

    def save_stopped(self) -> str:
        """Save a run that was asked to stop, and return whether it is saved, and what resumes it.

        Raises:
            RunError: as ``save``.
        """
        failure = self.save()
        saved = self._saved_env_steps
        if failure is None:
            state = f"saved at {saved} env steps"
        elif saved is None:
            state = f"not saved ({failure})"
        else:
            state = f"not saved now ({failure}), last at {saved} env steps"
        return (
            f"interrupted; {state}; {resume_advice(self._directory.path, self._directory.record)}"
        )
