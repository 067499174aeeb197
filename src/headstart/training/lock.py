"""One process at a time on one run directory."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from headstart.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: two processes on one run are the user's to avoid
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold a run directory for this process; the lock ends with the process, however it ends.

    Raises:
        InputError: if another process holds it.
    """
    path = directory / "lock"
    with path.open("a+", encoding="utf-8") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read(20).strip() or "unknown"
                raise InputError(
                    f"{directory}: process {holder} is working on this run; stop it first"
                ) from None
            except OSError:
                # A network file system without locks.
                yield
                return
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
