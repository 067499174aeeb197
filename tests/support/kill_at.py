"""What a process does to itself, a signal mostly, at a chosen call of a chosen function."""

import importlib
import itertools
import os
import signal
import sys
from dataclasses import dataclass
from functools import wraps
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When, and what."""

    place: str
    """The function as ``module:name`` or ``module:Class.name``, the module being where it is
    looked up."""
    when: Literal["before", "during", "after"]
    """During is for ``Path.write_bytes`` and ``write_text``: half of it is in the file then."""
    count: int
    """At which of its calls, from 1 on."""
    until: int | None = None
    """The last of its calls, if it is not that one alone."""
    number: int = signal.SIGKILL
    deed: tuple[str, list] | None = None
    """What to do instead of sending the signal: a function, and its arguments."""


def arm(moment):
    """Make this process signal itself at a moment."""
    holder, last = _find(moment.place)
    function, calls = getattr(holder, last), itertools.count(1)
    struck = range(moment.count, (moment.until or moment.count) + 1)

    @wraps(function)
    def counted(*arguments, **options):
        now = moment.when if next(calls) in struck else None
        if now == "before":
            _strike(moment)
        if now == "during":
            path, content = arguments
            function(path, content[: len(content) // 2], **options)
            _strike(moment)
        result = function(*arguments, **options)
        if now == "after":
            _strike(moment)
        return result

    setattr(holder, last, counted)


class CountedCalls:
    """Counts the calls that this thread makes from now on, of Python and of C functions.

    Args:
        kill_at: at which of them it kills this process, from 1 on; never if ``None``.
    """

    def __init__(self, kill_at=None):
        self.count, self._kill_at, self._process = 0, kill_at, os.getpid()
        sys.setprofile(self._note)

    def _note(self, frame, event, argument):
        if event in ("call", "c_call"):
            self.count += 1
            # What a fork of this process calls is not counted for this process.
            if self.count == self._kill_at and os.getpid() == self._process:
                os.kill(self._process, signal.SIGKILL)


def _find(place):
    """Return what holds a function, and its name there."""
    module, _, name = place.partition(":")
    *outer, last = name.split(".")
    holder = importlib.import_module(module)
    for part in outer:
        holder = getattr(holder, part)
    return holder, last


def _strike(moment):
    if moment.deed is None:
        os.kill(os.getpid(), moment.number)
        return
    place, arguments = moment.deed
    holder, last = _find(place)
    getattr(holder, last)(*arguments)
