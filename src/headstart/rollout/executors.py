"""Who runs the episodes: this process, or collector processes beside it."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from headstart.data.episode import Episode
from headstart.envs.make import env_source, make_env
from headstart.envs.source import EnvLike
from headstart.errors import EpisodeError, InputError, RunError, require
from headstart.rollout.failure import ATTEMPTS, Failure
from headstart.rollout.job import Behaviour, EpisodeJob, run_episode
from headstart.rollout.limits import EPISODE_TIMEOUT
from headstart.rollout.pickled import copies_of
from headstart.rollout.processes import ProcessExecutor
from headstart.settings import convert
from headstart.text import describe_error


class Pending(Protocol):
    """An episode that has been asked for."""

    def result(self) -> Episode:
        """Wait for the episode and return it.

        Raises:
            EpisodeError: if it fails however often it is run, which costs nothing but the episode.
        """


@runtime_checkable
class Executor(Protocol):
    """Runs jobs. Which executor it is changes when episodes are ready, never what they are.

    Each job is run by a copy of its policy as it is when the job is submitted, see ``copies_of``.
    """

    repeated: int
    """How often a job had to be run again because the environment or its process failed."""

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Pending]:
        """Ask for episodes; they come in the order of the jobs."""

    def close(self) -> None:
        """Stop; what was asked for and not fetched is lost."""

    def __enter__(self) -> Self:
        """Return itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""


def make_executor(env: EnvLike, collectors: int, *, timeout: float = EPISODE_TIMEOUT) -> Executor:
    """Return an executor with that many collector processes; 0 runs episodes in this process.

    Args:
        env: the environment, all that ``make_env`` takes.
        collectors: how many processes.
        timeout: seconds that an episode may take in a collector, before it is killed and the
            episode run again; one that hangs in this process hangs it.

    Raises:
        InputError: if the environment cannot be built, or not be sent to another process.
    """
    collectors = convert(int, collectors, "collectors")
    require(collectors >= 0, "collectors must not be negative", collectors)
    require(timeout > 0.0, "the timeout of an episode must be positive", timeout)
    if collectors:
        return ProcessExecutor(env, collectors, timeout)
    return SerialExecutor(env)


@contextlib.contextmanager
def open_executor(
    env: EnvLike,
    collectors: int,
    executor: Executor | None,
    *,
    timeout: float = EPISODE_TIMEOUT,
) -> Iterator[Executor]:
    """Yield the caller's executor, which stays open, or else a new one.

    Raises:
        InputError: if the caller wants collectors too, or as ``make_executor``.
    """
    if executor is None:
        with make_executor(env, collectors, timeout=timeout) as made:
            yield made
        return
    require(
        isinstance(executor, Executor),
        "executor must have submit(jobs) and close() as make_executor's have, and repeated; "
        "collectors=N starts N processes",
        repr(executor),
    )
    require(collectors == 0, "an executor runs all episodes, collectors must be 0", collectors)
    yield executor


class _Deferred:
    """Runs its job when the episode is first fetched."""

    def __init__(
        self, executor: "SerialExecutor", job: EpisodeJob, copy: Callable[[], Behaviour]
    ) -> None:
        self._executor = executor
        self._job = job
        self._copy = copy
        self._outcome: Episode | EpisodeError | None = None

    def result(self) -> Episode:
        if self._outcome is None:
            try:
                self._outcome = self._executor.run(self._job, self._copy)
            except EpisodeError as error:
                self._outcome = error
        if isinstance(self._outcome, EpisodeError):
            raise self._outcome
        return self._outcome


class SerialExecutor:
    """Runs each job in this process when its episode is fetched.

    Args:
        env: the environment, all that ``make_env`` takes.

    Raises:
        InputError: if it cannot be built.
    """

    def __init__(self, env: EnvLike) -> None:
        self.repeated = 0
        self._source = env_source(env)
        self._env = make_env(self._source)

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Pending]:
        """Ask for episodes; they come in the order of the jobs, with policies as they are now."""
        copies: dict[int, Callable[[], Behaviour]] = {}
        for job in jobs:
            if id(job.policy) not in copies:
                copies[id(job.policy)] = copies_of(job.policy)
        return [_Deferred(self, job, copies[id(job.policy)]) for job in jobs]

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def run(self, job: EpisodeJob, copy: Callable[[], Behaviour]) -> Episode:
        """Return the episode of a job; one that fails is run again in a new environment.

        Args:
            job: what to run.
            copy: returns a copy of its policy.
        """
        failure = None
        for _ in range(ATTEMPTS):
            try:
                return run_episode(self._env, replace(job, policy=copy()))
            except EpisodeError:
                self._replace_env()
                raise
            except (InputError, RunError):
                raise
            except (Exception, SystemExit) as error:
                self.repeated += 1
                failure = Failure.of(error)
                self._replace_env()
        assert failure is not None
        raise failure.error(self._source.name, job)

    def _replace_env(self) -> None:
        """Build another environment: what made an episode fail may have stayed in this one."""
        with contextlib.suppress(Exception):
            self._env.close()
        try:
            self._env = make_env(self._source)
        except Exception as error:
            raise RunError(
                f"{self._source.name}: an episode failed, and the environment cannot be built "
                f"again: {describe_error(error)}"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
