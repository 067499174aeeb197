"""Saving demonstrations that take a while to make, also when Ctrl-C comes meanwhile."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.demos.record import CollectingInterrupted
from headstart.demos.storage import DemoSet, save_demos


def make_and_save(out: Path, wanted: str, make: Callable[[], DemoSet]) -> DemoSet:
    """Make demonstrations, write them to a file and return them.

    Args:
        out: the file.
        wanted: how many are to be made, in words.
        make: makes them.

    Raises:
        KeyboardInterrupt: on Ctrl-C or SIGTERM, after what is finished is saved.
    """
    try:
        # Schedulers send SIGTERM where a person types Ctrl-C.
        with on_signal(signal.default_int_handler, signal.SIGTERM):
            demos = make()
    except CollectingInterrupted as interrupt:
        _save(out, interrupt.demos)
        finished = len(interrupt.demos.episodes)
        message = f"interrupted; {out} holds the first {finished} of {wanted}"
        raise KeyboardInterrupt(message) from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted before the first of {wanted}; nothing is written to {out}"
        ) from None
    _save(out, demos)
    return demos


def _save(out: Path, demos: DemoSet) -> None:
    # A second Ctrl-C must not lose what the first one, or none, was to save.
    with on_signal(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM):
        save_demos(out, demos)


@contextmanager
def on_signal(action: Any, *signals: signal.Signals) -> Iterator[None]:
    """Let the signals do something else while it is entered."""
    before = [(number, signal.signal(number, action)) for number in signals]
    try:
        yield
    finally:
        for number, usual in before:
            signal.signal(number, usual)
