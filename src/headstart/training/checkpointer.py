"""When a run is saved, and where it goes on."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headstart.errors import InputError, RunError
from headstart.policy import policy_from_bytes
from headstart.run_files import BEST, CHECKPOINTS, LATEST, METRICS, policy_file
from headstart.text import printable
from headstart.training.checkpoint import ReplayPart, ReplayParts, restore, run_files
from headstart.training.checkpoint_files import CheckpointFiles, Manifest
from headstart.training.follow_up import resume_advice
from headstart.training.metrics import rows_to_go_on_from
from headstart.training.observer import Observer
from headstart.training.run_directory import RunDirectory
from headstart.training.signals import StopRequest
from headstart.training.trainer import Trainer
from headstart.training.trouble import Trouble

_log = logging.getLogger("headstart")


@dataclass(frozen=True)
class SavedRun:
    """A checkpoint that has been read and verified."""

    number: int
    manifest: Manifest
    files: Mapping[str, bytes]
    parts: Mapping[str, bytes] = field(repr=False)

    @property
    def rows(self) -> bytes:
        """The metrics of the evaluations so far."""
        return self.files[METRICS]

    @property
    def policies(self) -> dict[str, bytes]:
        """Best and latest policy so far."""
        names = {name: _policy_file(name) for name in (BEST, LATEST)}
        return {name: self.files[file] for name, file in names.items() if file in self.files}


@dataclass(frozen=True)
class Restored:
    """What of a checkpoint is on the disk already."""

    number: int
    parts: Mapping[str, ReplayPart]


class Checkpointer(Observer):
    """Saves a run every so many seconds, and when it is asked to stop.

    Args:
        directory: the run directory.
        trainer: the run.
        stop: whether somebody has asked the run to stop.
        restored: what the run goes on from, if it is not new.
    """

    def __init__(
        self,
        directory: RunDirectory,
        trainer: Trainer,
        stop: StopRequest,
        restored: Restored | None = None,
    ) -> None:
        self._directory, self._trainer, self._stop = directory, trainer, stop
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
        """Save the run if it is time to, or if somebody has asked it to stop."""
        if self._stop.made:
            failure = self.save()
            raise KeyboardInterrupt(self._farewell(failure))
        if time.monotonic() - self._saved_at >= self._checkpoint.seconds:
            self.save()

    def save(self) -> str | None:
        """Save the run, and return why not if the disk refuses: training goes on meanwhile.

        Raises:
            RunError: if something in the run is not finite, or another run has taken the
                directory's place.
        """
        begun = time.monotonic()
        try:
            self._write()
        except OSError as error:
            return self._trouble.tell(error)
        finally:
            self._saved_at = time.monotonic()
            self._trainer.progress.checkpoint_seconds += self._saved_at - begun
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
            files[_policy_file(name)] = content
        self._files.write(self._next, files, entries)
        # Only now that this one is whole.
        self._kept[self._next] = frozenset(entries)
        self._kept = dict(list(self._kept.items())[-self._checkpoint.keep :])
        self._files.prune(self._kept, frozenset().union(*self._kept.values()))
        self._next += 1

    def _farewell(self, failure: str | None) -> str:
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


def newest_run(directory: Path) -> SavedRun | None:
    """Return the newest checkpoint of a run directory that is whole, or ``None`` without any.

    What is damaged is told, and passed over.

    Raises:
        InputError: if there are checkpoints, but none is whole, or the newest one is of a later
            version of headstart.
    """
    files = CheckpointFiles(directory / CHECKPOINTS)
    numbers = files.numbers()
    for number in numbers:
        try:
            manifest, content = files.read(number)
            parts = {name: files.read_part(name, it) for name, it in manifest.parts.items()}
            return SavedRun(number, manifest, content, parts)
        except InputError:
            raise
        except (OSError, ValueError) as error:
            reason = printable(error)
            _log.warning("%s: checkpoint %d is not whole (%s)", files.path, number, reason)
    if numbers:
        raise InputError(f"{files.path}: none is whole; delete it to begin the run anew")
    return None


def restore_saved(directory: Path, trainer: Trainer, saved: SavedRun) -> Restored:
    """Put a trainer that has not begun where a checkpoint says.

    Raises:
        InputError: if the checkpoint and the run's configuration do not go together.
    """
    try:
        rows_to_go_on_from(saved.rows)
        for content in saved.policies.values():
            policy_from_bytes(content)
        spans = restore(trainer, saved.files, saved.parts)
    except (ValueError, KeyError, MemoryError) as error:
        path = directory / CHECKPOINTS / f"{saved.number:08d}"
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(
            f"{path}: does not go with the run's configuration ({printable(reason)})"
        ) from error
    entries = saved.manifest.parts
    parts = {name: ReplayPart(entries[name], *span) for name, span in spans.items()}
    return Restored(saved.number, parts)


def _policy_file(name: str) -> str:
    return f"policy.{policy_file(name)}"
