"""Reading ``--section.field value`` into a configuration, with tyro."""

import contextlib
import io
import os
import re
from collections.abc import Iterator, Sequence

import tyro

from headstart.errors import InputError
from headstart.training.config import TrainConfig


def parse_config(options: Sequence[str], default: TrainConfig) -> TrainConfig:
    """Override fields of a configuration by ``--section.field value``.

    Raises:
        InputError: if an option is unknown or its value is refused.
    """
    # Written to a buffer, tyro's messages come without frames and colours, and fit in one line.
    refusal = io.StringIO()
    try:
        with contextlib.redirect_stderr(refusal), _wide_terminal():
            return tyro.cli(TrainConfig, default=default, args=list(options))
    except SystemExit as error:
        raise InputError(_one_line(refusal.getvalue())) from error


def config_help(default: TrainConfig) -> str:
    """Return the help of every ``--section.field`` with its default."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        tyro.cli(TrainConfig, default=default, args=["--help"])
    return text.getvalue().partition("A whole training run.")[2]


@contextlib.contextmanager
def _wide_terminal() -> Iterator[None]:
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "1000"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def _one_line(message: str) -> str:
    """Return what is wrong and, if tyro has one, its suggestion."""
    # A title, a rule, what is wrong, a rule, hints; drawn in a box where the terminal can.
    lines = [line.strip(" │╭╮╰╯") for line in message.splitlines()]
    ruled = "\n".join("<rule>" if re.search(r"[-─]{4}$", line) else line for line in lines)
    sections = [" ".join(section.split()) for section in ruled.split("<rule>")]
    wrong = sections[1] if len(sections) > 1 else sections[0]
    suggestions = [part for part in sections[2:] if part.startswith("Perhaps you meant")]
    return "; ".join([wrong.rstrip("."), *suggestions[:1], "see `headstart train --help`"])
