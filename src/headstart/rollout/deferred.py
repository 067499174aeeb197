"""Episodes that are run, or waited for, when they are fetched."""

from collections.abc import Callable
from typing import NoReturn

from headstart.data.episode import Episode
from headstart.errors import EpisodeError


class Deferred:
    """Gets its episode when that is first fetched.

    Args:
        run: returns the episode.
    """

    def __init__(self, run: Callable[[], Episode]) -> None:
        self._run = run
        self._outcome: Episode | EpisodeError | None = None

    def result(self) -> Episode:
        """Return the episode, or raise what it ended in."""
        if self._outcome is None:
            try:
                self._outcome = self._run()
            except EpisodeError as error:
                self._outcome = error
        if isinstance(self._outcome, EpisodeError):
            raise self._outcome
        return self._outcome


def refuse(error: Exception) -> NoReturn:
    """Raise an error in place of an episode."""
    raise error
