"""Episodes that several processes need, each run by one of them."""

from collections.abc import Sequence

from headstart.data.episode import Episode
from headstart.errors import InputError, RunError
from headstart.rollout.executors import Executor, Pending
from headstart.rollout.job import EpisodeJob
from headstart.training.group import Group


class SharedExecutor(Executor):
    """Runs each job in one of several processes, and returns all episodes in each of them.

    All processes ask for the same episodes, and fetch them in the same order.

    Args:
        inner: runs the jobs of this process.
        group: the processes.
    """

    def __init__(self, inner: Executor, group: Group) -> None:
        self.inner, self._group = inner, group
        self.repeated = 0

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the collectors of this process so far."""
        return getattr(self.inner, "cpu_seconds", 0.0)

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Pending]:
        """Ask for episodes; they come in the order of the jobs."""
        size = self._group.size
        own = [*self.inner.submit(jobs[self._group.rank :: size])]
        rounds = [_Round(self, own[n : n + 1]) for n in range(-(-len(jobs) // size))]
        return [_Place(rounds[number // size], number % size) for number in range(len(jobs))]

    def close(self) -> None:
        """Close what runs the jobs of this process."""
        self.inner.close()

    def exchange(self, own: Sequence[Pending]) -> list[Episode | Exception | None]:
        """Return what came of a job of each process.

        Args:
            own: that of this one, none where the others have the last jobs.
        """
        outcome: Episode | Exception | None = None
        try:
            outcome = own[0].result() if own else None
        except (InputError, RunError) as error:
            outcome = error
        outcomes = self._group.gathered((outcome, self.inner.repeated))
        self.repeated = sum(repeated for _, repeated in outcomes)
        return [each for each, _ in outcomes]


class _Round:
    """A job of each process."""

    def __init__(self, executor: SharedExecutor, own: Sequence[Pending]) -> None:
        self._executor, self._own = executor, own
        self._outcomes: list[Episode | Exception | None] | None = None

    def outcome(self, rank: int) -> Episode | Exception | None:
        if self._outcomes is None:
            self._outcomes = self._executor.exchange(self._own)
        return self._outcomes[rank]


class _Place:
    """One episode of a round."""

    def __init__(self, its_round: _Round, rank: int) -> None:
        self._round, self._rank = its_round, rank

    def result(self) -> Episode:
        outcome = self._round.outcome(self._rank)
        if isinstance(outcome, Episode):
            return outcome
        assert outcome is not None
        raise outcome
