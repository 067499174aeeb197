"""What a container may use: the limits of Linux control groups, of both versions."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Version 1 says "no limit" with a number that no machine has.
_NO_LIMIT = 2**60


@dataclass(frozen=True)
class Limits:
    """What a process may use; ``None`` is all that there is."""

    cores: float | None
    memory: int | None
    """In bytes."""


def container_limits(root: Path = Path("/")) -> Limits:
    """Return the limits of this process, the smallest of its groups' and those around them.

    Args:
        root: where ``proc`` and ``sys`` lie.
    """
    groups = list(_groups(root))
    cores = [number for group in groups for number in _cores(group)]
    memory = [number for group in groups for number in _memory(group)]
    return Limits(min(cores, default=None), min(memory, default=None))


def _groups(root: Path) -> Iterator[Path]:
    """Yield directories of control groups; some may not be there, in a container for instance."""
    with contextlib.suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            group = root / "sys/fs/cgroup" / controllers
            yield group
            for part in path.split("/"):
                group /= part
                yield group


def _cores(group: Path) -> Iterator[float]:
    version_1 = _words(group / "cpu.cfs_quota_us") + _words(group / "cpu.cfs_period_us")
    for words in (_words(group / "cpu.max"), version_1):
        # Without a limit the quota is "max", or -1.
        if len(words) == 2 and words[0].isdigit():
            yield int(words[0]) / int(words[1])


def _memory(group: Path) -> Iterator[int]:
    for word in _words(group / "memory.max") + _words(group / "memory.limit_in_bytes"):
        if word.isdigit() and int(word) < _NO_LIMIT:
            yield int(word)


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []
