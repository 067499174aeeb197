"""Who runs the runs of a sweep."""

from pathlib import Path
from typing import Protocol

from headstart.sweeps.spec import RunSpec


class Running(Protocol):
    """A run that was started."""

    def ended(self) -> str | None:
        """Return how its process ended, as a sentence, or ``None`` while it is there."""

    def stop(self) -> None:
        """Ask it to stop where it can be resumed, and to save."""

    def kill(self) -> None:
        """End it at once."""


class Launcher(Protocol):
    """Starts runs, each of which calls ``run_job`` and so says itself how far it is."""

    def has_room(self, spec: RunSpec) -> bool:
        """Return whether a run may be started now."""

    def start(self, spec: RunSpec, sweep: Path) -> Running:
        """Start a run of the sweep in a directory, or find the one that was started before."""
