"""What all verbs share in reading the command line."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from headstart.doctor.machine import usable_cores
from headstart.errors import InputError


class Parser(argparse.ArgumentParser):
    """An argument parser that refuses in one line and never abbreviates options."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    written_help: Callable[[Sequence[str]], str] | None = None
    """Writes all of the help, where argparse does not know all of the options."""
    given: Sequence[str] = ()
    """What the user typed after the verb."""

    def format_help(self) -> str:
        """Return the help."""
        return self.written_help(self.given) if self.written_help else super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raise what the command line prints as one line."""
        raise InputError(f"{message}; see `{self.prog} --help`")


def add_collectors(parser: argparse.ArgumentParser) -> None:
    """Let the user choose the number of collector processes."""
    parser.add_argument(
        "--collectors",
        type=int,
        default=default_collectors(),
        help="processes that run episodes; 0 runs them here (default: one a core)",
    )


def add_force(parser: argparse.ArgumentParser) -> None:
    """Let the user have a file replaced; without it no command does that."""
    parser.add_argument(
        "--force", action="store_true", help="replace the file if it exists; refused otherwise"
    )


def default_collectors(limit: int | None = None) -> int:
    """Return a number of collector processes that suits this machine."""
    return min(usable_cores(), limit or 64)
