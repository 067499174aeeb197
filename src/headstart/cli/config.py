"""Reading the options of ``train`` and ``resume``: their own, and one for every setting."""

import contextlib
import io
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from textwrap import wrap
from typing import Annotated, TypeVar

import tyro
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
)

from headstart.errors import InputError
from headstart.paths import user_path
from headstart.training.config import TrainConfig

T = TypeVar("T")
_types = ConstructorRegistry()


@_types.primitive_rule
def _whole_numbers(kind: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[int] | None:
    """Read ``2e6`` where an integer is expected, as Python and JSON take it."""
    if kind.type is not int:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="INT",
        instance_from_str=lambda words: _whole(words[0]),
        is_instance=lambda value: type(value) is int,
        str_from_instance=lambda value: [str(value)],
    )


def _whole(word: str) -> int:
    with contextlib.suppress(ValueError):
        return int(word)
    with contextlib.suppress(ValueError):
        if float(word).is_integer():
            return int(float(word))
    raise ValueError(f"must be an integer, got {word}")


@dataclass(frozen=True, kw_only=True)
class TrainCommand:
    """What ``headstart train`` is told."""

    env: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ENV")]
    """Gymnasium id, e.g. FetchPickAndPlace-v4."""
    preset: str = "fast"
    """Where the settings below start from: fast, nair2018 or her."""
    demos: tuple[str, ...] = ()
    """Demonstrations to learn from: files of `headstart demos collect`, or what `headstart demos
    import` reads. Several are joined."""
    expand: int | None = None
    """Demonstrations to make from these first, in new scenes, as `headstart demos expand` does; the
    run learns from them instead."""
    out: Path | None = None
    """Run directory to make; runs/ENV-PRESET-N if not given."""
    resume: bool = False
    """Continue the run that --out holds, if it holds one: for jobs that a cluster stops and starts
    again."""
    collectors: int | None = None
    """Processes that run episodes; 0 runs them here. No result depends on it."""
    settings: Annotated[TrainConfig, tyro.conf.arg(name="")]


@dataclass(frozen=True, kw_only=True)
class ResumeCommand:
    """What ``headstart resume`` is told."""

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    """Run directory, as `headstart train` made it."""
    env: str | None = None
    """The environment, if you do not want to trust the one that the directory names."""
    collectors: int | None = None
    """Processes that run episodes; 0 runs them here. No result depends on it."""
    allow_change: bool = False
    """Continue although a setting below changes what is learned."""
    settings: Annotated[TrainConfig, tyro.conf.arg(name="")]


def parse_train(options: Sequence[str], presets: Mapping[str, TrainConfig]) -> TrainCommand:
    """Read the options, which override fields of the preset that they name.

    Raises:
        InputError: if an option is unknown or its value is refused.
    """
    return _refusing(lambda: _parse(options, presets), "train")


def parse_resume(
    options: Sequence[str], settings_of: Callable[[Path], TrainConfig]
) -> ResumeCommand:
    """Read the options, which override settings of the run that they name.

    Raises:
        InputError: if an option is unknown or its value is refused.
    """
    # The run decides what the settings are unless they are given.
    return _refusing(lambda: _parse_resume(options, settings_of(_run_of(options))), "resume")


def resume_help(description: str) -> str:
    """Return the help of every option."""
    return _help(lambda: _parse_resume(["--help"], TrainConfig(), description))


def train_help(description: str, presets: Mapping[str, TrainConfig], options: Sequence[str]) -> str:
    """Return the help of every option with its default in the preset that the options name.

    Raises:
        InputError: if there is no such preset.
    """
    asked = ["--preset", _preset_of(options), "--help"]
    return _help(lambda: _parse(asked, presets, description))


def _refusing(parse: Callable[[], T], verb: str) -> T:
    """Parse, and put what tyro says of bad options into one line."""
    # Written to a buffer, tyro's messages come without colours.
    refusal = io.StringIO()
    try:
        with contextlib.redirect_stderr(refusal), _terminal(1000):
            return parse()
    except SystemExit as error:
        raise InputError(
            f"{_one_line(refusal.getvalue())}; see `headstart {verb} --help`"
        ) from error


def _help(parse: Callable[[], object]) -> str:
    # Wider, options stand side by side.
    width = min(max(shutil.get_terminal_size().columns, 20), 100)
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit), _terminal(width):
        parse()
    return "\n".join(_filled(text.getvalue().split("\n"), width))


def _filled(lines: Sequence[str], width: int) -> Iterator[str]:
    """Yield help without the line breaks that docstrings have in their source."""
    indent = 8 * " "
    for explains, block in groupby(lines, lambda line: line.startswith(indent)):
        if explains:
            words = " ".join(line.strip() for line in block)
            yield from wrap(
                words,
                width,
                initial_indent=indent,
                subsequent_indent=indent,
                break_on_hyphens=False,
                break_long_words=False,
            )
        else:
            yield from block


def _parse(
    options: Sequence[str], presets: Mapping[str, TrainConfig], description: str = ""
) -> TrainCommand:
    preset = _preset_of(options)
    if preset not in presets:
        raise InputError(f"unknown preset {preset!r}; there are {', '.join(presets)}")
    default = TrainCommand(env=tyro.MISSING, preset=preset, settings=presets[preset])
    command = tyro.cli(
        TrainCommand,
        default=default,
        args=_with_demos_last(options),
        prog="headstart train",
        description=description,
        registry=_types,
    )
    return replace(command, out=command.out and user_path(command.out))


def _parse_resume(
    options: Sequence[str], settings: TrainConfig, description: str = ""
) -> ResumeCommand:
    command = tyro.cli(
        ResumeCommand,
        default=ResumeCommand(run=tyro.MISSING, settings=settings),
        args=list(options),
        prog="headstart resume",
        description=description,
        registry=_types,
    )
    return replace(command, run=user_path(command.run))


def _run_of(options: Sequence[str]) -> Path:
    """Find the run directory before all else is read."""
    if options and not options[0].startswith("-"):
        return user_path(Path(options[0]))
    return _parse_resume(options, TrainConfig()).run


def _with_demos_last(options: Sequence[str]) -> list[str]:
    """Return the options with every ``--demos`` in one, at the end.

    The last of several would replace the others, and any but the last option take ENV for a file.

    Raises:
        InputError: if there is one without a value.
    """
    others: list[str] = []
    demos: list[str] = []
    within = False
    for word in options:
        if word == "--demos" or word.startswith("--demos="):
            within = word == "--demos"
            demos += [] if within else [word.removeprefix("--demos=")]
        elif within and not word.startswith("-"):
            demos.append(word)
        else:
            within = False
            others.append(word)
    if len(others) == len(options):
        return others
    if not any(demos):
        raise InputError("--demos names no file; see `headstart train --help`")
    return [*others, "--demos", *demos]


def _preset_of(options: Sequence[str]) -> str:
    """Find the preset before all else is read: it decides the defaults of all else."""
    for name, value in pairwise([*options, ""]):
        if name == "--preset":
            return value
        if name.startswith("--preset="):
            return name.removeprefix("--preset=")
    return "fast"


@contextlib.contextmanager
def _terminal(columns: int) -> Iterator[None]:
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
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
    return "; ".join([wrong.rstrip("."), *suggestions[:1]])
