"""Where the tests keep their files: in memory, as most of the suite's time is fsync.

A process that is killed leaves the same files there as on a disk, so all of the tests can. Some
are on the disk all the same, by the fixture ``disk``.
"""

import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
FREE = 2**30
"""How many bytes must be free there; all of the tests' files take a tenth of it."""
DISK = "HEADSTART_TESTS_DISK"
"""The variable that says to the workers where files would be otherwise."""


def use_memory(config):
    """Have pytest and ``tempfile`` make directories in memory, unless another place is named."""
    os.environ.setdefault(DISK, tempfile.gettempdir())
    if config.option.basetemp is None and "PYTEST_DEBUG_TEMPROOT" not in os.environ and _has_room():
        os.environ["PYTEST_DEBUG_TEMPROOT"] = os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def _has_room():
    try:
        found = os.statvfs(MEMORY)
    except (AttributeError, OSError):
        return False
    executes = not found.f_flag & os.ST_NOEXEC
    return (
        executes
        and os.access(MEMORY, os.W_OK | os.X_OK)
        and found.f_bavail * found.f_frsize >= FREE
    )
