"""Paths as users write them."""

import os
from pathlib import Path

from headstart.errors import InputError


def user_path(path: str | Path) -> Path:
    """Return a path with ``~`` replaced by the home directory.

    A shell leaves ``--out=~/x`` alone, and Python never expands it. A name that begins with ``~``
    and names no user stays as it is.

    Raises:
        InputError: if it is not a path.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"a path must be text or a pathlib.Path, got {type(path).__name__}")
    return Path(os.path.expanduser(path))  # Of os.path: pathlib raises for an unknown user.
