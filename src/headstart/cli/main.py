"""The ``headstart`` command: finds the verb, and turns errors and interrupts into exit codes."""

import argparse
import contextlib
import importlib
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from typing import NoReturn

import headstart
from headstart import torchrun
from headstart.cli.parser import Parser, without_collection
from headstart.errors import InputError, RunError, SharedInputError
from headstart.standard_streams import abandon_stdout, open_standard_streams
from headstart.text import printable

DESCRIPTION = """\
A handful of demonstrations and a sparse goal reward become a robot policy.
"""
EXAMPLE = """\
the main job, from nothing to a policy:
  headstart demos collect FetchPickAndPlace-v4 --episodes 100 --out demos.npz
  headstart train FetchPickAndPlace-v4 --demos demos.npz --out runs/first
  headstart evaluate runs/first --episodes 500
  headstart play runs/first --video runs/first/play.mp4
  headstart plot runs/first --out curves.png

the same without demonstrations, which it then makes from nothing:
  headstart train FetchPickAndPlace-v4 --out runs/found

`headstart VERB --help` explains a verb.
"""
VERBS = {
    "demos": "collect, import, export, inspect or watch demonstrations",
    "teleop": "demonstrate in the browser",
    "train": "train a policy",
    "resume": "continue a run that was stopped or killed, or make it longer",
    "sweep": "train with many seeds and settings",
    "evaluate": "success rate of a policy",
    "play": "watch a policy, in a window or a video",
    "plot": "learning curves of runs",
    "watch": "a live page of runs in the browser",
    "report": "one page on runs that opens anywhere: curves, successes, films, settings",
    "export": "a policy as ONNX, as C, or as a folder for the Hugging Face Hub",
    "serve": "a policy over a websocket",
    "envs": "try whether an environment keeps the goal contract",
    "doctor": "check whether this machine is ready, and how to repair it",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; exits with 0 done, 1 failed, 2 bad input, 130 interrupted."""
    open_standard_streams()
    # `module:Id` may name a module in the current directory; last, so that it hides no other.
    sys.path.append("")
    logger = logging.getLogger("headstart")
    if not logger.handlers:
        logger.addHandler(_StandardError())
        # What other processes of the same run have to say, the first one says too.
        logger.setLevel(logging.ERROR if torchrun.rank() else logging.INFO)
    try:
        command = parse(sys.argv[1:] if arguments is None else arguments)
        command.run(command)
    except SharedInputError as error:
        _end(2, None if torchrun.rank() else printable(error, longest=None))
    except InputError as error:
        # An untrusted file can be quoted in it.
        _end(2, printable(error, longest=None))
    except RunError as error:
        _end(1, str(error))
    except KeyboardInterrupt as interrupt:
        _end(130, None if torchrun.rank() else str(interrupt) or "interrupted")
    except BrokenPipeError:
        # The reader of our output, `head` for instance, has seen enough.
        _end(0, None)
    finally:
        complete = _written_out()
        if arguments is None:
            # What simulators print at the very end of the process is not a result.
            abandon_stdout()
    if not complete:
        _end(1, "standard output cannot be written to its end")


class _StandardError(logging.Handler):
    """Prints what is logged on standard error, as it is when it is printed.

    A live display takes its place meanwhile, and prints such lines above itself.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        with contextlib.suppress(OSError, ValueError):
            print(self.format(record), file=sys.stderr)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read a command line; ``run`` of the result does what it says, ``command`` is its text.

    Raises:
        InputError: if it cannot be understood.
    """
    parser = Parser(prog="headstart", description=DESCRIPTION, epilog=EXAMPLE)
    parser.add_argument("--version", action="version", version=headstart.__version__)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, summary in VERBS.items():
        subparser = verbs.add_parser(verb, help=summary)
        if verb in arguments[:1]:
            # Only the verb that is asked for is imported: some need torch, which takes a second.
            subparser.given = arguments[1:]
            with without_collection():
                module = importlib.import_module(f"headstart.cli.{verb}")
            module.add_options(subparser)
    known, rest = parser.parse_known_args([_with_dashes(word) for word in arguments])
    known.command = shlex.join(["headstart", *arguments])
    if rest:
        known.parser.refuse(rest)
    return known


def _with_dashes(word: str) -> str:
    """Return an option that is written with underscores, as settings are, with dashes."""
    name, equals, value = word.partition("=")
    return f"{name.replace('_', '-')}{equals}{value}" if name.startswith("--") else word


def _end(code: int, message: str | None) -> NoReturn:
    # Nobody may be there to read it; the code says it too.
    with contextlib.suppress(OSError, ValueError):
        if message is not None:
            process = f"process {torchrun.rank()}: " if torchrun.rank() else ""
            print(f"headstart: {process}{message}", file=sys.stderr)
    _written_out()
    raise SystemExit(code) from None


def _written_out() -> bool:
    """Write what of the results is still buffered; Python would only warn that it could not."""
    try:
        sys.stdout.flush()
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return isinstance(error, BrokenPipeError)
    return True
