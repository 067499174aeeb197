"""Standard input, output and error, which whoever started this process may have closed."""

import os
import sys


def open_standard_streams() -> None:
    """Have all three, though the shell closed some (``>&-``).

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
