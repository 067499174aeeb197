"""What all verbs share in reading the command line."""

import argparse
import contextlib
import gc
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Any, Literal, NoReturn, get_args, get_origin

from headstart.cli.words import explain, with_inner_no
from headstart.errors import InputError
from headstart.files.paths import user_path
from headstart.processors import usable_cores
from headstart.rollout.ray_protocol import is_ray
from headstart.settings import kind_in_words, without_none
from headstart.text import did_you_mean


class Help(argparse.RawDescriptionHelpFormatter):
    """Help that is at most 100 columns wide and breaks no option in two."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=help_width())

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(text, width, break_on_hyphens=False, break_long_words=False)


class SettingsHelp(Help):
    """Help on many options with long names: what each does is below it."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        # As an argument of the constructor it would be lowered in narrow terminals.
        self._max_help_position = 8

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """Leave the settings of sections, dozens of them, to the list below."""
        shown = [action for action in actions if "." not in action.dest]
        super().add_usage(usage, shown, groups, prefix)


class Parser(argparse.ArgumentParser):
    """An argument parser that refuses in one line and never abbreviates options."""

    given: Sequence[str] = ()
    """What the user typed after the verb."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", Help)
        super().__init__(allow_abbrev=False, **options)
        for kind in (int, float):
            self.register("type", kind, reader(kind))
        # For argparse, -1e3 and -inf would be options.
        self._negative_number_matcher = re.compile(r"-(\d|\.\d|inf)")
        # Of parsers and those of their verbs, the last to be used stays.
        self.set_defaults(parser=self)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Read words as argparse does, where nothing of them can be explained better."""
        words = sys.argv[1:] if args is None else list(args)
        if mistake := explain(words, self._actions, self._negative_number_matcher):
            self.error(mistake)
        return super().parse_known_args(words, namespace)

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """Raise for words that mean nothing to this parser, with what may be meant."""
        options = [word.partition("=")[0] for word in words if word.startswith("-")]
        if not options:
            self.error(f"unexpected argument {words[0]!r}")
        hint = did_you_mean(with_inner_no(options[0]), self._option_string_actions)
        self.error(f"unknown option {options[0]!r}{hint}")

    def error(self, message: str) -> NoReturn:
        """Raise what the command line prints as one line."""
        raise InputError(f"{message}; see `{self.prog} --help`")


def help_width() -> int:
    """Return how many columns help takes."""
    return min(max(shutil.get_terminal_size().columns, 20), 100)


def reader(kind: Any) -> Callable[[str], Any]:
    """Return a function that reads a word of the command line as a value of this kind."""
    taken, optional = without_none(kind)
    read_word = _READERS.get(taken)

    def read(word: str) -> Any:
        if optional and word == "None":
            return None
        if get_origin(taken) is Literal and word in get_args(taken):
            return word
        if read_word is not None:
            with contextlib.suppress(ValueError, KeyError):
                return read_word(word)
        raise argparse.ArgumentTypeError(f"must be {kind_in_words(kind)}, got {word}")

    return read


def at_least(lowest: int) -> Callable[[str], int]:
    """Return a function that reads a whole number with a lower bound."""

    def read(word: str) -> int:
        number = int(reader(int)(word))
        if number < lowest:
            raise argparse.ArgumentTypeError(f"must be at least {lowest}, got {word}")
        return number

    return read


def _number(word: str) -> float:
    """Read a number in ASCII; Python takes the digits of every script."""
    if not word.isascii():
        raise ValueError(word)
    return float(word)


def _whole(word: str) -> int:
    """Read ``2e6`` too, which Python and JSON take for an integer."""
    number = _number(word)
    with contextlib.suppress(ValueError):
        return int(word)
    if not number.is_integer():
        raise ValueError(word)
    return int(number)


def _truth(word: str) -> bool:
    return {"true": True, "false": False}[word.lower()]


_READERS: dict[Any, Callable[[str], Any]] = {
    int: _whole,
    float: _number,
    str: str,
    bool: _truth,
}


def add_collectors(parser: argparse.ArgumentParser) -> None:
    """Let the user choose the number of collector processes, or a cluster of them."""
    parser.add_argument(
        "--collectors",
        type=_collectors,
        metavar="N",
        default=default_collectors(),
        help="processes that run episodes; 0 runs them here (default: one a core); `ray` or "
        "`ray://HOST:PORT`: those of a Ray cluster",
    )


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Let the user name a policy, and the environment that it is to run in."""
    parser.add_argument(
        "policy",
        metavar="POLICY",
        type=user_path,
        help="a run directory (its best policy) or a file",
    )
    parser.add_argument("--env", metavar="ENV", help="environment, if not the policy's own")


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Let the user name runs."""
    parser.add_argument(
        "runs",
        type=user_path,
        nargs="+",
        metavar="DIR",
        help="run directories, or directories that runs lie in, such as that of a sweep",
    )


def add_seed(parser: argparse.ArgumentParser, of: str = "episodes") -> None:
    """Let the user choose the seed from which those of all episodes are made."""
    parser.add_argument("--seed", type=at_least(0), default=0, help=f"root of the {of}' seeds (0)")


def _collectors(word: str) -> int | str:
    if is_ray(word):
        return word
    with contextlib.suppress(ValueError):
        _whole(word)
        return at_least(0)(word)
    raise argparse.ArgumentTypeError(f"must be an integer, `ray` or `ray://HOST:PORT`, got {word}")


def add_force(parser: argparse.ArgumentParser) -> None:
    """Let the user have a file replaced; without it no command does that."""
    parser.add_argument(
        "--force", action="store_true", help="replace the file if it exists; refused otherwise"
    )


def default_collectors(limit: int | None = None) -> int:
    """Return a number of collector processes that suits this machine."""
    return min(usable_cores(), limit or 64)


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Look for no garbage within a ``with`` block, and never again among what it imports.

    Modules leave next to none and stay to the end, but looking for it takes long among the objects
    of torch, again and again.
    """
    enabled, before = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > before:
            gc.freeze()
        if enabled:
            gc.enable()
