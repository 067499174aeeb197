"""The caller's observers: none ends a run by failing, and none is shown a row twice."""

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from headstart.errors import InputError
from headstart.policy import Policy
from headstart.training.display import TrainingDisplay
from headstart.training.evaluation import EvalResult
from headstart.training.observer import Observer, RunHandle, describe_policy
from headstart.training.progress import Progress
from headstart.training.seen import Seen, read_seen, write_id

if TYPE_CHECKING:
    from headstart.training.config import TrainConfig
    from headstart.training.result import TrainResult

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

    def started(self, config: "TrainConfig", run: RunHandle) -> None:
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
        updates = int(metrics["time/updates"] + metrics["time/warm_start_updates"])
        if updates > self._seen.updates:
            self._seen.updates = updates
            self._note()
            self._tell(lambda observer: observer.logged(dict(metrics), env_steps))

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Pass it on if it is new."""
        env_steps = int(metrics["time/env_steps"])
        if env_steps > self._seen.env_steps:
            self._seen.env_steps = env_steps
            self._note()
            described = describe_policy(policy, self._run, env_steps, result)
            self._tell(lambda observer: observer.evaluated(described, result, dict(metrics)))

    def resumable(self) -> None:
        """Pass it on."""
        self._tell(lambda observer: observer.resumable())

    def finished(self, result: "TrainResult") -> None:
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
