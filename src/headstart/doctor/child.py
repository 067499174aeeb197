"""Trying things in a process of their own: what is broken may abort a process, or hang it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.text import printable


@dataclass(frozen=True)
class Answer:
    """What a probe reported, one JSON value after the other, and how it failed if it did."""

    facts: list[Any]
    error: str | None


def ask(probe: str, *arguments: str, seconds: float, unset: Sequence[str] = ()) -> Answer:
    """Run a probe of ``headstart.doctor.probes``; the current directory hides no module from it.

    Args:
        probe: its name.
        arguments: its own.
        seconds: how long it may take.
        unset: environment variables to leave out.
    """
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    process = subprocess.Popen(
        [sys.executable, "-m", "headstart.doctor.probes", probe, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Of whatever it starts in turn, too.
        env={**environment, "PYTHONSAFEPATH": "1"},
        # A group of its own: a probe may start processes too, and all of them must end.
        start_new_session=True,
    )
    ending = None
    try:
        output, noise = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        output, noise = process.communicate()
        ending = f"no answer within {seconds:g} s"
    finally:
        _kill(process)
    if ending is None and process.returncode != 0:
        ending = _ending(process.returncode, noise.decode(errors="replace"))
    lines = [json.loads(line) for line in output.splitlines()]
    errors = [what for kind, what in lines if kind == "error"]
    # How it ends no longer matters once it has said what is wrong.
    return Answer([what for kind, what in lines if kind == "fact"], *errors[:1] or [ending])


def unset_advice(variables: Sequence[str], works: Callable[[Sequence[str]], bool]) -> str | None:
    """Return how to repair what works as soon as some environment variables are not set.

    Args:
        variables: those that may be to blame.
        works: tries it without the variables it is given.
    """
    blamed = [name for name in variables if os.environ.get(name)]
    if not blamed or not works(blamed):
        return None
    values = ", ".join(f"{name}={printable(os.environ[name], 40)}" for name in blamed)
    return f"run `unset {' '.join(blamed)}`: it works without {values}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except AttributeError:  # Windows has no process groups.
        process.kill()


def _ending(code: int, noise: str) -> str:
    """Return how a process ended and the last that it said."""
    lines = [line for line in noise.splitlines() if line.strip()]
    last = f": {printable(lines[-1])}" if lines else ""
    if code > 0:
        return f"its process ended with exit code {code}{last}"
    return f"its process was killed ({signal.strsignal(-code) or -code}){last}"
