"""Files that a run writes while it continues, on a disk that may refuse."""

import contextlib
import logging
import os
from pathlib import Path

from headstart.files.atomic import replace_file

_log = logging.getLogger("headstart")


class Trouble:
    """Reports that something cannot be written when that begins and when it is over, not each time.

    Args:
        what: what cannot be written.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._reported: str | None = None

    def report(self, error: OSError) -> str:
        """Log why, unless that was logged already, and return it."""
        reason = error.strerror or str(error)
        if reason != self._reported:
            _log.warning(
                "%s cannot be written (%s); training continues and tries again", self._what, reason
            )
        self._reported = reason
        return reason

    def over(self) -> None:
        """Log that it was written, if it could not be before."""
        if self._reported is not None:
            _log.warning("%s written again", self._what)
        self._reported = None


class GrowingFile:
    """Holds its content too: what the disk refuses is logged once, and written when it can be.

    Args:
        path: the file; what is in it is replaced.
        content: what it begins with.
    """

    def __init__(self, path: Path, content: bytes = b"") -> None:
        self.path, self.content = path, content
        self._trouble = Trouble(str(path))
        self._bring_up_to_date(None)

    def append(self, more: bytes) -> None:
        """Add to it, readable at once by all who follow the file."""
        before = len(self.content)
        self.content += more
        self._bring_up_to_date(before)

    def flush(self) -> None:
        """Write what could not be written before."""
        self._bring_up_to_date(len(self.content))

    def _bring_up_to_date(self, before: int | None) -> None:
        """Write what follows the first ``before`` bytes, or all if these are not in the file."""
        try:
            if before is not None and self.path.is_file() and self.path.stat().st_size == before:
                self._write_after(before)
            else:
                # Something was refused earlier, or somebody deleted the file.
                self.path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(self.path, self.content)
            self._trouble.over()
        except OSError as error:
            self._trouble.report(error)

    def _write_after(self, before: int) -> None:
        try:
            with self.path.open("ab") as file:
                file.write(self.content[before:])
        except OSError:
            # Half a line is worse than none; a full disk still lets files shrink.
            with contextlib.suppress(OSError):
                os.truncate(self.path, before)
            raise
