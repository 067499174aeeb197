"""The files that a user asks for, held against the disk before the work begins."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from headstart.errors import InputError

DEMO_FILES = (".npz",)
PICTURES = (".png", ".svg", ".pdf")
VIDEOS = (".mp4", ".gif")
"""What the names of these files may end in."""


def check_output(path: Path, what: str, suffixes: Sequence[str]) -> None:
    """Refuse a file that could not be written.

    Args:
        path: the file.
        what: what it is to be, for the message, such as ``"a video"``.
        suffixes: what its name may end in, in small letters.

    Raises:
        InputError: if its name or directory is wrong.
    """
    if path.suffix.lower() not in suffixes:
        *others, last = suffixes
        names = f"{', '.join(others)} or {last}" if others else last
        raise InputError(f"{path}: {what} must be called something{names}")
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if not os.path.isdir(path.parent):
        raise InputError(f"{path}: there is no directory {path.parent} to write it to")
    if os.path.isdir(path):
        raise InputError(f"{path}: is a directory; name a file")
    check_writable(path, path.parent)


def check_writable(path: Path, directory: Path) -> None:
    """Refuse a directory in which nothing can be written.

    Args:
        path: what is to be written, for the message.
        directory: where; it exists.

    Raises:
        InputError: names the reason.
    """
    try:
        # Without a name where the system can do that.
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        raise InputError(
            f"{path}: nothing can be written in {directory.absolute()} ({error.strerror}); name "
            f"another place"
        ) from error


def check_new_output(path: Path, what: str, suffixes: Sequence[str], *, force: bool) -> None:
    """Refuse a file that could not be written, or that lies there already.

    Args:
        path: the file.
        what: what it is to be, for the message, such as ``"a video"``.
        suffixes: what its name may end in, in small letters.
        force: whether the user wants it replaced (``--force``).

    Raises:
        InputError: if its name or directory is wrong, or it exists and ``force`` is not given.
    """
    check_output(path, what, suffixes)
    if os.path.lexists(path) and not force:
        raise InputError(f"{path}: exists already; give another name, or --force to replace it")


def check_new_folder(path: Path) -> None:
    """Refuse a folder that could not be made, or that holds something already.

    Raises:
        InputError: names the reason.
    """
    if os.path.lexists(path) and (not os.path.isdir(path) or os.listdir(path)):
        raise InputError(f"{path}: exists already; name a folder that is new or empty")
    if not os.path.isdir(path.parent):
        raise InputError(f"{path}: there is no directory {path.parent} to make it in")
    check_writable(path, path.parent)
