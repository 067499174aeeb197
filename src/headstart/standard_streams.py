"""Standard input, output and error, which may be closed, or unable to show every character."""

import contextlib
import ctypes
import io
import os
import sys
from collections.abc import Iterator


def open_standard_streams() -> None:
    """Have all three, though the shell closed some (``>&-``), and take any text in all of them.

    The next file to be opened, of a run perhaps, would otherwise be taken for standard error.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # Of all numbers that are free the lowest is taken, which is this one.
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))
    _escape_the_unprintable()


def _escape_the_unprintable() -> None:
    """Print names that the encoding of standard output lacks with escapes, as standard error does.

    Where it is ASCII, the path of a run with an umlaut would otherwise end a good run in an error.
    """
    stream = sys.stdout
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def prints_to_stderr(when: bool = True) -> Iterator[None]:
    """Send what is printed meanwhile to standard error, in Python or by a simulator in C.

    Standard output is then left for one JSON object.

    Args:
        when: whether to; nothing is sent elsewhere if not.
    """
    if not when:
        yield
        return
    sys.stdout.flush()
    output = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _flush_c()
        os.dup2(output, 1)
        os.close(output)


@contextlib.contextmanager
def silent_stdout() -> Iterator[None]:
    """Drop what is printed to standard output meanwhile, in Python or by a simulator in C."""
    sys.stdout.flush()
    _flush_c()
    output, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        _flush_c()
        os.dup2(output, 1)
        os.close(output)
        os.close(nothing)


def abandon_stdout() -> None:
    """Send to standard error what is printed from here on, as simulators do when they end."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        _flush_c()
        os.dup2(2, 1)


def _flush_c() -> None:
    """Write out what ``printf`` has buffered, which it does where the output is not a terminal."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)
