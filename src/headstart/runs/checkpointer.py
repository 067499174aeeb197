"""When a run is saved."""

import logging
import time
from collections.abc import Sequence

from headstart.errors import RunError
from headstart.files.run_files import CHECKPOINTS, METRICS
from headstart.runs.checkpoint import OwnState, ReplayParts, Restored, run_files
from headstart.runs.checkpoint_files import CheckpointFiles, Entry, saved_policy_file
from headstart.runs.directory import RunDirectory
from headstart.runs.growing_file import Trouble
from headstart.runs.own_replays import hand_over
from headstart.runs.record import resume_advice
from headstart.training.group import ALONE, Group
from headstart.training.observer import Observer
from headstart.training.trainer import Trainer

_log = logging.getLogger("headstart")


class Checkpointer(Observer):
    """Saves a run every so many seconds, and at its end.

    Args:
        directory: the run directory.
        trainer: the run.
        restored: what the run continues from, if it is not new.
        group: the processes of the run.
    """

    def __init__(
        self,
        directory: RunDirectory,
        trainer: Trainer,
        restored: Restored | None = None,
        group: Group = ALONE,
    ) -> None:
        self._directory, self._trainer = directory, trainer
        self._checkpoint = directory.record.config.checkpoint
        self._files = CheckpointFiles(directory.path / CHECKPOINTS)
        parts = {} if restored is None else restored.parts
        # One replay is the same in all processes.
        self._group = group if trainer.share.count > 1 else ALONE
        self._parts = [
            ReplayParts(self._files, parts, process) for process in range(self._group.size)
        ]
        self._kept = {} if restored is None else {restored.number: frozenset(parts)}
        self._next = 0 if restored is None else restored.number + 1
        self._saved_at = time.monotonic()
        self._saved_env_steps = None if restored is None else trainer.progress.env_steps
        self._trouble = Trouble(f"{self._files.path}: checkpoints")

    def resumable(self) -> None:
        """Save the run if it is time to."""
        due = time.monotonic() - self._saved_at >= self._checkpoint.seconds
        if self._group.from_first(lambda: due):
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
        try:
            files = run_files(self._trainer)
            each = hand_over(self._group, self._trainer, self._saved)
        except ValueError as error:
            raise RunError(f"the run cannot be saved, {error}") from error
        self._directory.secure()
        entries: dict[str, Entry] = {}
        for process, (own, parts) in enumerate(zip(each, self._parts, strict=True)):
            files |= own.files(process)
            entries |= parts.add(own.state.replay, own.rows)
        files[METRICS] = self._directory.rows
        for name, content in self._directory.policies.items():
            files[saved_policy_file(name)] = content
        self._files.write(self._next, files, entries)
        # Only now that this one is whole.
        self._kept[self._next] = frozenset(entries)
        self._kept = dict(list(self._kept.items())[-self._checkpoint.keep :])
        self._files.prune(self._kept, frozenset().union(*self._kept.values()))
        self._next += 1

    def _saved(self, states: Sequence[OwnState]) -> list[int]:
        """Return up to which of its episodes each process has been saved."""
        pairs = zip(states, self._parts, strict=True)
        return [parts.saved(state.replay) for state, parts in pairs]

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
