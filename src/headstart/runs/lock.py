"""One process at a time on one run directory."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from headstart.errors import InputError, RunError

try:
    import fcntl
except ImportError:  # Windows: two processes on one run are the user's to avoid
    fcntl = None  # type: ignore[assignment]


class Lock:
    """Holds a run directory for this process; ends with the process, however that ends.

    Args:
        directory: the run directory.

    Raises:
        InputError: if another process holds it, or it cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory, self._path = directory, directory / "lock"
        try:
            self._descriptor = self._taken()
        except OSError as error:
            raise InputError(f"{directory}: cannot be written ({error.strerror})") from error

    def is_held(self) -> bool:
        """Return whether the directory of that name is still the one that was taken.

        Raises:
            OSError: if that cannot be detected.
        """
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._descriptor))
        except (FileNotFoundError, NotADirectoryError):
            return False

    def take_again(self) -> None:
        """Take the directory that lies in place of the one that was deleted or moved.

        Raises:
            OSError: if it cannot be written.
            RunError: if it is of another run, or taken by another process.
        """
        if self._path.exists():
            raise RunError(
                f"{self._directory}: was deleted or moved, and another run has taken its place; "
                f"this one must not write there"
            )
        try:
            descriptor = self._taken()
        except InputError as error:
            raise RunError(str(error)) from error
        self.close()
        self._descriptor = descriptor

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)

    def _taken(self) -> int:
        # No link is followed: in an untrusted run it may lead to a file elsewhere.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._path, flags, 0o644)
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise InputError(
                f"{self._directory}: process {holder} is working on this run; stop it first"
            ) from None
        except OSError:
            pass  # A network file system without locks.
        # Who holds it is only for the message; on a full disk it goes without.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        return descriptor


def is_held(directory: Path) -> bool | None:
    """Return whether a process works on a run, without touching it; ``None`` if nobody can say."""
    try:
        found = os.stat(directory / "lock")
        held = Path("/proc/locks").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError as error:
        return None if error.filename == "/proc/locks" else False
    except OSError:
        return None
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    return any(device in line.split() and "FLOCK" in line for line in held.splitlines())


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[Lock]:
    """Hold a run directory.

    Raises:
        InputError: if another process holds it, or it cannot be written.
    """
    with contextlib.closing(Lock(directory)) as lock:
        yield lock
