"""Progress for a person who waits: a bar on a terminal, nothing elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from headstart.terminal import bar, console


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
