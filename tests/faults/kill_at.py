"""Signals that a process sends itself at a chosen call of a chosen function."""

import importlib
import itertools
import os
import signal
from dataclasses import dataclass
from functools import wraps
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When, and what."""

    place: str
    """The function as ``module:name`` or ``module:Class.name``, the module being where it is
    looked up."""
    when: Literal["before", "amid", "after"]
    """Amid is for ``Path.write_bytes`` and ``write_text``: half of it is in the file then."""
    count: int
    """At which of its calls, from 1 on."""
    number: int = signal.SIGKILL


def arm(moment):
    """Make this process signal itself at a moment."""
    module, _, name = moment.place.partition(":")
    *outer, last = name.split(".")
    holder = importlib.import_module(module)
    for part in outer:
        holder = getattr(holder, part)
    function, calls = getattr(holder, last), itertools.count(1)

    @wraps(function)
    def counted(*arguments, **options):
        now = moment.when if next(calls) == moment.count else None
        if now == "before":
            _strike(moment)
        if now == "amid":
            path, content = arguments
            function(path, content[: len(content) // 2], **options)
            _strike(moment)
        result = function(*arguments, **options)
        if now == "after":
            _strike(moment)
        return result

    setattr(holder, last, counted)


def _strike(moment):
    os.kill(os.getpid(), moment.number)
