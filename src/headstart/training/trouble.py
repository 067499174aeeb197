"""What the disk refuses while training goes on."""

import logging

_log = logging.getLogger("headstart")


class Trouble:
    """Tells that something cannot be written when it begins and when it is over, not each time.

    Args:
        what: what cannot be written.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._told: str | None = None

    def tell(self, error: OSError) -> str:
        """Tell why, unless that was told already, and return it."""
        reason = error.strerror or str(error)
        if reason != self._told:
            _log.warning(
                "%s cannot be written (%s); training goes on and tries again", self._what, reason
            )
        self._told = reason
        return reason

    def over(self) -> None:
        """Tell that it was written, if it is news."""
        if self._told is not None:
            _log.warning("%s written again", self._what)
        self._told = None
