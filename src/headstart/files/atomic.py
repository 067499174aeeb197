"""Files that are whole or absent, even after a crash or a loss of power."""

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path, *, synced: bool = True) -> Iterator[Path]:
    """Put a file in place of another in one step: a reader sees the old one or the new one.

    Args:
        path: the file.
        synced: whether to return only when a loss of power cannot undo it.

    Yields:
        The path to write the new file to.

    Raises:
        OSError: if it cannot be written; what was there before is there still.
    """
    staged = _staged(path)
    try:
        # A link that somebody else has left there would lead to another file.
        staged.unlink(missing_ok=True)
        yield staged
        if synced:
            _sync(staged)
        staged.replace(path)
    finally:
        with contextlib.suppress(OSError):  # of a name that is too long, for instance
            staged.unlink(missing_ok=True)
    if synced:
        _sync(path.parent)


def replace_file(path: Path, content: bytes, *, synced: bool = True) -> None:
    """Put ``content`` in place of a file in one step; see ``replacing``.

    Raises:
        OSError: if it cannot be written; what was there before is there still.
    """
    with replacing(path, synced=synced) as staged:
        staged.write_bytes(content)


def read_whole(path: Path, most: int) -> bytes:
    """Return the content of a file.

    Args:
        path: the file; a link is followed.
        most: how many bytes it may have.

    Raises:
        ValueError: if it has more, which then are not read, or is a pipe, a device or a directory.
        OSError: if it cannot be read.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is a pipe or a device and not a file")
        if found.st_size > most:
            raise ValueError(f"it has {found.st_size} bytes, of which {most} are read at most")
        return file.read(found.st_size)


@contextlib.contextmanager
def making_directory(path: Path) -> Iterator[Path]:
    """Make a directory with all that is in it in one step.

    Args:
        path: its name; an empty directory of that name is taken.

    Yields:
        The directory to write its files to.

    Raises:
        OSError: if it cannot be made, or a directory of that name is not empty.
    """
    staged = _staged(path)
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    try:
        yield staged
        for file in staged.rglob("*"):
            _sync(file)
        _sync(staged)
        staged.rename(path)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    _sync(path.parent)


def _without_waiting(path: str, flags: int) -> int:
    # Opening a pipe waits for somebody to write to it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _staged(path: Path) -> Path:
    """Return what a file or directory is called until it is whole."""
    name = path.name
    if len(os.fsencode(name)) > 250:  # of the 255 bytes that most file systems take
        name = hashlib.sha256(os.fsencode(name)).hexdigest() + name[-5:]
    # Its suffix stays, by which writers of pictures and videos know what to write.
    return path.with_name(f".tmp.{name}")


def _sync(path: Path) -> None:
    """Return once the disk has a file, or the names in a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
