"""The caller's observers: none ends a run by failing, and none is shown a row twice."""

import contextlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from headstart.errors import InputError
from headstart.files.atomic import read_whole, replace_file
from headstart.files.run_files import RUN_ID, SEEN
from headstart.files.strict_json import build, parse_json
from headstart.policy import Policy
from headstart.runs.display import TrainingDisplay
from headstart.training.config import TrainConfig
from headstart.training.evaluation import EvalResult
from headstart.training.observer import (
    Observer,
    RunHandle,
    TrainResult,
    describe_policy,
    new_id,
)
from headstart.training.progress import Progress

_MOST = 4096  # bytes of a file that says what was seen
_log = logging.getLogger("headstart")


def gather_observers(
    observers: Iterable[Observer] | Observer | None, progress: bool
) -> list[Observer]:
    """Return the observers of a run: a display if it is wanted, and the caller's own.

    Raises:
        InputError: if something is not an observer.
    """
    given = [observers] if isinstance(observers, Observer) else list(observers or ())
    for observer in given:
        if isinstance(observer, type):
            raise InputError(f"observers must be objects: {observer.__name__}(), not the class")
        if not isinstance(observer, Observer):
            raise InputError(
                f"observers must be objects of subclasses of headstart.Observer, got "
                f"{type(observer).__name__}"
            )
    display: list[Observer] = [TrainingDisplay()] if progress else []
    return [*display, *([Audience(given)] if given else [])]


class Audience(Observer):
    """Passes everything on to observers, in their order.

    One that raises an ``Exception`` is left out from then on, with one warning: a tracker whose
    server is down must not cost a run. ``KeyboardInterrupt`` and ``SystemExit`` pass.

    Rows that were shown before a run was killed are not shown again when it is resumed.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = list(observers)
        self._seen = Seen()
        self._run = RunHandle("", "")

    def started(self, config: TrainConfig, run: RunHandle) -> None:
        """Read what has been seen, and pass it on."""
        self._run = run
        if run.directory is not None:
            write_id(run.directory, run.id)
            self._seen = read_seen(run.directory)
        self._tell(lambda observer: observer.started(config, run))

    def progressed(self, progress: Progress) -> None:
        """Pass it on."""
        self._tell(lambda observer: observer.progressed(progress))

    def logged(self, metrics: dict[str, float], env_steps: int) -> None:
        """Pass it on if it is new."""
        updates = _updates(metrics)
        if updates > self._seen.updates:
            self._seen.updates = updates
            self._note()
            self._tell(lambda observer: observer.logged(dict(metrics), env_steps))

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Pass it on if it is new."""
        env_steps = int(metrics["time/env_steps"])
        seen, now = self._seen, (env_steps, _updates(metrics))
        # A clone is evaluated before the first env step, as what it was made from.
        if now > (seen.env_steps, seen.evaluated_updates):
            seen.env_steps, seen.evaluated_updates = now
            self._note()
            described = describe_policy(policy, self._run, env_steps, result)
            self._tell(lambda observer: observer.evaluated(described, result, dict(metrics)))

    def resumable(self) -> None:
        """Pass it on."""
        self._tell(lambda observer: observer.resumable())

    def finished(self, result: TrainResult) -> None:
        """Pass it on."""
        self._tell(lambda observer: observer.finished(result))

    def failed(self, error: BaseException) -> None:
        """Pass it on."""
        self._tell(lambda observer: observer.failed(error))

    def _note(self) -> None:
        if self._run.directory is not None:
            # Before the observers see the row: a tracker prefers one that is missing to one that
            # comes twice.
            self._seen.write(self._run.directory)

    def _tell(self, call: Callable[[Observer], None]) -> None:
        for observer in list(self._observers):
            try:
                call(observer)
            except Exception:
                self._observers.remove(observer)
                name = type(observer).__name__
                _log.warning(
                    "observer %s failed; the run continues without it", name, exc_info=True
                )


@dataclass(kw_only=True)
class Seen:
    """How far the observers of a run have been shown it."""

    updates: int = -1
    """Updates, those of the warm start included, at the last call of ``logged``."""
    env_steps: int = -1
    """Env steps at the last call of ``evaluated``."""
    evaluated_updates: int = -1
    """Updates then."""

    def write(self, directory: Path) -> None:
        """Put it into a run directory, if the disk takes it."""
        with contextlib.suppress(OSError):
            # Many times a minute, and only a loss of power could undo it: no wait for the disk.
            replace_file(directory / SEEN, json.dumps(asdict(self)).encode(), synced=False)


def _updates(metrics: Mapping[str, float]) -> int:
    return int(metrics["time/updates"] + metrics["time/warm_start_updates"])


def read_seen(directory: Path) -> Seen:
    """Return what a run directory says of it; nothing was seen where it says nothing valid."""
    try:
        return build(Seen, parse_json(read_whole(directory / SEEN, _MOST)))
    except (OSError, ValueError):
        return Seen()


def read_id(directory: Path) -> str:
    """Return the id of the run in a directory; a new one where there is none."""
    try:
        found = read_whole(directory / RUN_ID, _MOST).decode("ascii").strip()
    except (OSError, ValueError):
        return new_id()
    return found if found.isalnum() and len(found) <= 64 else new_id()


def write_id(directory: Path, run_id: str) -> None:
    """Put the id of a run into its directory, if the disk takes it."""
    with contextlib.suppress(OSError):
        replace_file(directory / RUN_ID, run_id.encode())
