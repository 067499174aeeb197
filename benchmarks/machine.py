"""What a benchmark ran on."""

import platform
from pathlib import Path


def machine() -> dict[str, str]:
    """Return the names of the processor and of the Python version."""
    return {"processor": _processor(), "python": platform.python_version()}


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
