"""Standard input, output and error, which may be closed, or unable to show every character."""

import io
import os
import sys


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
