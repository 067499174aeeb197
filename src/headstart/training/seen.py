"""What the observers of a run have seen: a run that is resumed shows them nothing twice."""

import contextlib
import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from headstart.durable import read_whole, replace_file
from headstart.run_files import RUN_ID, SEEN
from headstart.strict_json import build, parse_json

_MOST = 4096


@dataclass(kw_only=True)
class Seen:
    """How far the observers of a run have been shown it."""

    updates: int = -1
    """Updates, those of the warm start included, at the last call of ``logged``."""
    env_steps: int = -1
    """Env steps at the last call of ``evaluated``."""

    def write(self, directory: Path) -> None:
        """Put it into a run directory, if the disk takes it."""
        with contextlib.suppress(OSError):
            # Many times a minute, and only a loss of power could undo it: no wait for the disk.
            replace_file(directory / SEEN, json.dumps(asdict(self)).encode(), synced=False)


def read_seen(directory: Path) -> Seen:
    """Return what a run directory says of it; nothing was seen where it says nothing valid."""
    try:
        return build(Seen, parse_json(read_whole(directory / SEEN, _MOST)))
    except (OSError, ValueError):
        return Seen()


def new_id() -> str:
    """Return an id that no other run has, for trackers."""
    return uuid.uuid4().hex[:16]


def read_id(directory: Path) -> str:
    """Return the id of the run in a directory; a new one where there is none."""
    try:
        found = read_whole(directory / RUN_ID, _MOST).decode("ascii").strip()
    except (OSError, ValueError):
        return new_id()
    return found if found.isalnum() and len(found) <= 64 else new_id()


def write_id(directory: Path, run_id: str) -> None:
    """Put the id of a run into its directory, if the disk takes it."""
    with contextlib.suppress(OSError):
        replace_file(directory / RUN_ID, run_id.encode())
