"""Which training episodes a process stores, where each has a replay of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.data.episode import Episode
from headstart.training.config import LearnerConfig


@dataclass(frozen=True)
class Share:
    """Every so many-th episode of a run; all of them where there is one replay."""

    process: int = 0
    count: int = 1
    """Processes with a replay each."""

    @classmethod
    def of(cls, config: LearnerConfig, process: int) -> "Share":
        """Return the share of a process."""
        return cls() if config.processes is None else cls(process, config.processes)

    def has(self, number: int) -> bool:
        """Return whether the episode that is stored as this one, counted from 0, is in it."""
        return number % self.count == self.process

    def among(self, episodes: Sequence[Episode], first: int) -> list[Episode]:
        """Return those of some episodes that are in it, ``first`` being the number of the first.

        Where none is, because others have failed, it is the first one: every process takes part
        when episodes are counted into the normaliser.
        """
        own = [episode for number, episode in enumerate(episodes, first) if self.has(number)]
        return own or [*episodes[:1]]

    def size(self, stored: int) -> int:
        """Return how many of the first ``stored`` episodes are in it."""
        return len(range(self.process, stored, self.count))


ALL = Share()
