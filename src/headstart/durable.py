"""Files that are whole or absent, even after a crash or a loss of power."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Put a file in place of another in one step: whoever reads sees the old one or the new one.

    Yields:
        The path to write the new file to.

    Raises:
        OSError: if it cannot be written; what was there before is there still.
    """
    staged = path.with_name(f".{path.name}.tmp")
    try:
        yield staged
        _sync(staged)
        staged.replace(path)
    finally:
        with contextlib.suppress(OSError):  # of a name that is too long, for instance
            staged.unlink(missing_ok=True)
    _sync(path.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` in place of a file in one step.

    Raises:
        OSError: if it cannot be written; what was there before is there still.
    """
    with replacing(path) as staged:
        staged.write_bytes(content)


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
    staged = path.with_name(f".{path.name}.tmp")
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


def _sync(path: Path) -> None:
    """Return once the disk has a file, or the names in a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
