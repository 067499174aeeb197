"""``headstart doctor``: is this machine ready."""

import argparse
import json
import shutil
import sys
import textwrap
from dataclasses import asdict

from headstart.cli.parser import Parser
from headstart.doctor.check import Check
from headstart.doctor.examination import examine
from headstart.text import counted

DESCRIPTION = """\
Try whether this machine is ready: the versions of Python and the packages, the simulator, OpenGL
and ffmpeg for videos, threads, GPU, cores and memory, and the directories that are written to.
It takes some ten seconds.

Each line is ok, advice (something is missing or slow that the main job does not need) or a problem,
and says below how to repair it. Exits with 0 if there is no problem, and with 1 otherwise.

examples:
  headstart doctor
  headstart doctor --json > machine.json
"""

# What the main job runs on; it can be drawn.
_ENVIRONMENT = "FetchPickAndPlace-v4"
# Of a terminal: on narrower ones the names get lines of their own.
_WIDE = 60
_INDENT = len("problem  gymnasium-robotics  ")


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    checks = []
    for check in examine(_ENVIRONMENT):
        checks.append(check)
        if not arguments.json:
            print(_text(check, _width()), flush=True)
    ready = all(check.status != "problem" for check in checks)
    if arguments.json:
        print(json.dumps({"ready": ready, "checks": [asdict(check) for check in checks]}))
    else:
        print(_verdict(checks))
    if not ready:
        raise SystemExit(1)


def _text(check: Check, width: int | None) -> str:
    """Return a check as lines of a terminal, or as a line with another for how to repair it.

    Args:
        check: what to show.
        width: of the terminal; ``None`` breaks no lines.
    """
    head = f"{check.status:<7}  {check.name}"
    indent = " " * (_INDENT if width is None or width >= _WIDE else 2)
    if len(indent) < _INDENT:
        lines = [head, *_wrap(check.found, indent, width)]
    else:
        first, *rest = _wrap(check.found, indent, width)
        lines = [head.ljust(_INDENT) + first.strip(), *rest]
    if check.repair is not None:
        # In one piece, whatever the width: it is there to be copied.
        lines.append(f"{indent}{check.repair}")
    return "\n".join(lines)


def _wrap(text: str, indent: str, width: int | None) -> list[str]:
    if width is None:
        return [indent + text]
    return textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _verdict(checks: list[Check]) -> str:
    problems = [check.name for check in checks if check.status == "problem"]
    advice = [check.name for check in checks if check.status == "advice"]
    if problems:
        return f"not ready: {counted(len(problems), 'problem')} ({', '.join(problems)})"
    return f"ready, with advice on {', '.join(advice)}" if advice else "ready"
