"""The machine itself: cores, memory, threads, GPU, and what its processor can multiply."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from headstart.doctor.check import Check
from headstart.doctor.child import ask
from headstart.doctor.limits import container_limits
from headstart.text import counted, printable

_GIB = 2**30
# Measured on a Fetch task: the learner, and one collector beside it.
_LEARNER, _COLLECTOR = 0.6 * _GIB, 0.35 * _GIB
# As Linux calls them: the first two of x86, the last of ARM.
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
_SECONDS = 180.0


def check_cores() -> Iterator[Check]:
    """Say how many cores there are to use."""
    cores, limit = usable_cores(), container_limits().cores
    if limit is None or limit >= cores:
        total = os.cpu_count() or cores
        yield Check("cores", "ok", f"{cores}" if total == cores else f"{cores} of {total}")
    else:
        found = f"{counted(cores, 'core')}, of which this container may use {limit:g}"
        mend = f"add `--collectors {max(1, int(limit))}` to commands: their default is one a core"
        yield Check("cores", "advice", found, mend)


def check_memory() -> Iterator[Check]:
    """Say whether a learner, and a collector for each core, fit into the memory."""
    sizes = _memory_sizes()
    if sizes is None:
        yield Check("memory", "ok", "unknown on this system")
        return
    limit = container_limits().memory or sizes[0]
    total, free = (min(size, limit) for size in sizes)
    found = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB available"
    collectors = int((free - _LEARNER) // _COLLECTOR)
    if free < _LEARNER:
        mend = f"close other programs: training takes {_LEARNER / _GIB:.1f} GiB"
        yield Check("memory", "problem", found, mend)
    elif collectors < min(usable_cores(), 64):
        mend = f"add `--collectors {collectors}` to commands, or close other programs"
        yield Check("memory", "advice", found, mend)
    else:
        yield Check("memory", "ok", found)


def check_torch() -> Iterator[Check]:
    """Say how many threads torch takes, whether the environment is odd about it, and the GPU."""
    answer = ask("torch", seconds=_SECONDS)
    facts = answer.facts[0] if answer.facts else {"threads": "an unknown number", "gpu": None}
    yield _threads(f"torch takes {facts['threads']} unless told")
    gpu = facts["gpu"] or ("unknown, as torch does not run" if answer.error else "torch sees none")
    yield Check("gpu", "ok", f"{gpu}; headstart trains on the CPU")


def check_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> Iterator[Check]:
    """Say whether the processor multiplies bfloat16; float32 does on all.

    Args:
        cpuinfo: where Linux describes the processors.
    """
    try:
        words = set(cpuinfo.read_text().split())
    except OSError:
        yield Check("bfloat16", "ok", "unknown on this system")
        return
    names = ", ".join(name for name in _BFLOAT16 if name in words)
    if names:
        found = f"{names}: with wide networks `--matmul-precision bfloat16` is faster"
    else:
        found = "not in this processor: leave --matmul-precision at float32"
    yield Check("bfloat16", "ok", found)


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _threads(found: str) -> Check:
    cores, value = usable_cores(), os.environ.get("OMP_NUM_THREADS")
    mend = "run `unset OMP_NUM_THREADS`; training has --torch-threads"
    if value is None:
        return Check("threads", "ok", found)
    found = f"{found}; OMP_NUM_THREADS={printable(value, 40)}"
    if not re.fullmatch(r"\s*[1-9]\d*(,\d+)*\s*", value):
        return Check("threads", "advice", f"{found} is no number of threads", mend)
    if int(value.partition(",")[0]) > cores:
        return Check("threads", "advice", f"{found} is more than {counted(cores, 'core')}", mend)
    return Check("threads", "ok", found)


def _memory_sizes() -> tuple[int, int] | None:
    """Return the bytes of memory that there are, and how many are available."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kibibytes = {name: int(size.split()[0]) for name, _, size in (x.partition(":") for x in lines)}
    return 1024 * kibibytes["MemTotal"], 1024 * kibibytes["MemAvailable"]
