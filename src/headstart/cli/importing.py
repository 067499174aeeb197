"""Importing what takes long, quickly."""

import contextlib
import gc
import sys
from collections.abc import Iterator


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
