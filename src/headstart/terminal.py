"""The terminal: where progress goes, and bars for a person who waits."""

import contextlib
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol, cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def console() -> Console:
    """Return the console for progress and logs: standard error, so that results stay apart."""
    return Console(file=cast(IO[str], _Tolerant()), stderr=True)


class _Tolerant(io.TextIOBase):
    """Standard error, which may be a closed pipe, a terminal that is gone or a file on a full disk.

    None of these must end a run that is being watched.
    """

    def __init__(self) -> None:
        self._stream = sys.stderr

    def write(self, text: str) -> int:
        """Write what can be written."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        """Return whether it may be watched."""
        return not self._stream.closed and self._stream.isatty()

    def fileno(self) -> int:
        """Return that of standard error."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return that of standard error."""
        return self._stream.encoding


def bar(output: Console) -> Progress:
    """Return a bar for a terminal; on anything else it shows nothing."""
    columns: list[Any] = [
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    ]
    # On anything but a terminal a bar would print itself over and over; lines are printed instead.
    return Progress(*columns, console=output, disable=not output.is_terminal)


class Tick(Protocol):
    """Advances a progress bar by one; whatever it is handed does not matter."""

    def __call__(self, _: object = None) -> None:
        """Advance."""


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Tick]:
    """Show a bar while a known number of things is done."""
    with bar(console()) as progress:
        task = progress.add_task(title, total=total)

        def tick(_: object = None) -> None:
            progress.advance(task)

        yield tick
