"""The machine itself: cores, memory, threads, GPU, and how it multiplies."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headstart.doctor.check import Check
from headstart.processors import usable_cores
from headstart.text import counted

_GIB = 2**30
# Measured on a Fetch task: the learner, and one collector beside it.
_LEARNER, _COLLECTOR = 0.6 * _GIB, 0.35 * _GIB


def check_cores(root: Path = Path("/")) -> Iterator[Check]:
    """Say how many cores there are to use.

    Args:
        root: where ``proc`` and ``sys`` lie.
    """
    cores, limit = usable_cores(), container_limits(root).cores
    if limit is None or limit >= cores:
        total = os.cpu_count() or cores
        yield Check("cores", "ok", f"{cores}" if total == cores else f"{cores} of {total}")
    else:
        found = f"{counted(cores, 'core')}, of which this container may use {limit:g}"
        repair = f"add `--collectors {max(1, int(limit))}` to commands: their default is one a core"
        yield Check("cores", "advice", found, repair)


def check_memory(root: Path = Path("/")) -> Iterator[Check]:
    """Say whether a learner, and a collector for each core, fit into the memory.

    Args:
        root: where ``proc`` and ``sys`` lie.
    """
    sizes = _memory_sizes(root)
    if sizes is None:
        yield Check("memory", "ok", "unknown on this system")
        return
    limit = container_limits(root).memory or sizes[0]
    total, free = (min(size, limit) for size in sizes)
    found = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB available"
    collectors = int((free - _LEARNER) // _COLLECTOR)
    if free < _LEARNER:
        repair = f"close other programs: training takes {_LEARNER / _GIB:.1f} GiB"
        yield Check("memory", "problem", found, repair)
    elif collectors < min(usable_cores(), 64):
        repair = f"add `--collectors {collectors}` to commands, or close other programs"
        yield Check("memory", "advice", found, repair)
    else:
        yield Check("memory", "ok", found)


def check_torch(threads: int, gpu: str | None, bfloat16: bool) -> Iterator[Check]:
    """Say what torch makes of the machine: its threads, and which GPU and which products it has."""
    found = f"torch takes {threads} by default; training sets 1 (--torch-threads)"
    if threads <= usable_cores():
        yield Check("threads", "ok", found)
    else:
        found = f"{found}; there are {counted(usable_cores(), 'core')}"
        repair = "run `unset OMP_NUM_THREADS MKL_NUM_THREADS`, or call torch.set_num_threads"
        yield Check("threads", "advice", found, repair)
    used = "training uses it with --device cuda" if gpu else "training runs on the CPU"
    yield Check("gpu", "ok", f"{gpu or 'torch sees none'}; {used}")
    if bfloat16:
        found = "torch multiplies in it: wide networks are faster with --matmul-precision bfloat16"
    else:
        found = "torch multiplies float32 here all the same: leave --matmul-precision at float32"
    yield Check("bfloat16", "ok", found)


def _memory_sizes(root: Path) -> tuple[int, int] | None:
    """Return the bytes of memory that there are, and how many are available."""
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kibibytes = {name: int(size.split()[0]) for name, _, size in (x.partition(":") for x in lines)}
    return 1024 * kibibytes["MemTotal"], 1024 * kibibytes["MemAvailable"]


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
