"""Programs that read untrusted files with a large library, each in a process that may die."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import InputError

CLAIM = 1 << 30
"""Bytes of all arrays together; a compressed file may claim to hold any number."""
MEMORY = 3 << 30
"""Bytes of addresses for the reader."""
_SECONDS_PER_MB = 3.0


def need(module: str, what: str, extra: str) -> None:
    """Refuse what needs a package that is missing.

    Raises:
        InputError: that says how to install it.
    """
    if importlib.util.find_spec(module) is None:
        raise InputError(f"{what} needs {module}: run `pip install -e '.[{extra}]'`")


def read_with(
    program: Path, source: Path, request: Mapping[str, Any], *, size: int, name: str, seconds: float
) -> dict[str, NDArray[Any]]:
    """Return the arrays that a program makes of a file.

    Args:
        program: takes the path of the file, that of the ``.npz`` to write, and the request.
        source: the file or directory.
        request: what is wanted of it, as JSON; limits are added.
        size: bytes of the file, in proportion to which the program may take time.
        name: what to call the file in messages.
        seconds: that it may take at least.

    Raises:
        ValueError: if the file is refused, or the program ends in another way or takes too long.
    """
    wanted = json.dumps({**request, "claim": CLAIM, "memory": MEMORY})
    with tempfile.TemporaryDirectory(prefix="headstart-") as scratch:
        out = Path(scratch) / "episodes.npz"
        arguments = [str(source.absolute()), str(out), wanted]
        run_reader(program, arguments, seconds + _SECONDS_PER_MB * size / 1e6, name)
        with np.load(out, allow_pickle=False) as file:
            return {each: file[each] for each in file.files}


def run_reader(program: Path, arguments: list[str], seconds: float, name: str) -> None:
    """Run a program on a file; see ``read_with``.

    Raises:
        ValueError: if it does not end well, and in time.
    """
    # Threads of BLAS would need the memory of the limit. "::" keeps HDF5 from loading plug-ins;
    # Arrow's own allocator takes more addresses than there are.
    settings = {
        "OPENBLAS_NUM_THREADS": "1",
        "HDF5_PLUGIN_PRELOAD": "::",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "OMP_NUM_THREADS": "1",
    }
    try:
        done = subprocess.run(
            # -P, or the modules next to the reader would hide those of Python.
            [sys.executable, "-P", str(program), *arguments],
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"{name} is damaged: it was not read in {seconds:.0f} s") from error
    if done.returncode == 2:
        raise ValueError(f"{name}: {done.stdout}")
    if done.returncode != 0:
        library = "Parquet" if "parquet" in program.name else "HDF5"
        raise ValueError(
            f"{name} is damaged: the {library} library fails on it (code {done.returncode})"
        )
