"""Where files are written: the current directory, and the one for temporary files."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from headstart.doctor.check import Check, Status
from headstart.doctor.versions import required_modules
from headstart.files.atomic import replace_file
from headstart.text import printable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_GIB = 2**30
# A run of the defaults with its checkpoints, and the least that one of a few minutes takes.
_ROOMY, _LEAST = 1.0 * _GIB, 0.1 * _GIB


def check_gone() -> Iterator[Check]:
    """Find out whether the current directory has been deleted; yield nothing if it is there."""
    try:
        os.getcwd()
    except FileNotFoundError:
        # The shell remembers its name.
        found = f"{printable(os.environ.get('PWD', 'the current one'))} has been deleted"
        repair = "go to a directory that is there with `cd`, and run this again"
        yield Check("directory", "problem", found, repair)


def check_temporary_files() -> Iterator[Check]:
    """Write a file where Python puts temporary ones."""
    name, repair = "temporary files", "run `export TMPDIR=DIRECTORY` with one that you can write to"
    try:
        place = tempfile.gettempdir()
        _write(Path(place))
    except OSError as error:
        yield Check(name, "advice", f"cannot be written ({_reason(error)})", repair)
        return
    wanted = os.environ.get("TMPDIR")
    if wanted and os.path.abspath(wanted) != place:
        found = f"{printable(place)}, as TMPDIR={printable(wanted)} cannot be written"
        yield Check(name, "advice", found, repair)
    else:
        yield Check(name, "ok", printable(place))


def check_current_directory() -> Iterator[Check]:
    """Write a file durably, lock it, and look for room and for files in the way of modules."""
    place = Path.cwd()
    try:
        _write(place)
    except OSError as error:
        found = f"{printable(place)} cannot be written to and flushed ({_reason(error)})"
        repair = "go to a directory of yours with `cd`, or name files elsewhere with --out"
        yield Check("directory", "problem", found, repair)
        return
    yield _shadows(place)
    yield _locks(place)
    yield _room(place)


def _write(place: Path) -> None:
    """Write, flush and remove a file as a run does.

    Raises:
        OSError: if that cannot be done.
    """
    file = _scratch(place)
    try:
        replace_file(file, b"headstart")
    finally:
        file.unlink(missing_ok=True)


def _locks(place: Path) -> Check:
    """Lock a file twice, as two processes that work on one run would."""
    name, file = "file locks", _scratch(place)
    repair = "never let two processes work on one run, or keep runs on a local disk"
    if fcntl is None:
        return Check(name, "advice", "none on this system", repair)
    exclusive = fcntl.LOCK_EX | fcntl.LOCK_NB
    try:
        with file.open("w") as holder, file.open() as other:
            fcntl.flock(holder, exclusive)
            try:
                fcntl.flock(other, exclusive)
            except BlockingIOError:
                return Check(name, "ok", "one process at a time works on a run")
        return Check(name, "advice", "they hold nobody off here", repair)
    except OSError as error:
        return Check(name, "advice", f"do not work here ({_reason(error)})", repair)
    finally:
        file.unlink(missing_ok=True)


def _room(place: Path) -> Check:
    """Say how much room the disk has."""
    free = shutil.disk_usage(place).free
    found = f"{free / _GIB:.1f} GiB free"
    repair = "make room, or name a directory on another disk with --out"
    if free >= _ROOMY:
        return Check("disk", "ok", found)
    return Check("disk", "problem" if free < _LEAST else "advice", found, repair)


def _shadows(place: Path) -> Check:
    """Look for files that collectors, which start here, would take for other modules."""
    files = [*place.glob("*.py"), *(file.parent for file in place.glob("*/__init__.py"))]
    needed = set(required_modules().values())
    hiding = [file for file in files if file.stem in needed | sys.stdlib_module_names]
    if not hiding or sys.flags.safe_path:
        return Check("directory", "ok", printable(place))
    names = printable(", ".join(sorted(file.name for file in hiding)))
    found = f"{printable(place)}: collectors would take {names} for what has that name elsewhere"
    # Of Python's own modules, collectors may never import the one that is hidden.
    status: Status = "problem" if needed & {file.stem for file in hiding} else "advice"
    return Check("directory", status, found, "rename them, or run headstart in another directory")


def _scratch(place: Path) -> Path:
    return place / f".headstart-doctor-{os.getpid()}"


def _reason(error: OSError) -> str:
    return printable(error.strerror or error)
