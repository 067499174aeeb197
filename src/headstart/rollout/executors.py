"""Who runs the episodes: this process, or collector processes beside it."""

import traceback as tracebacks
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from headstart.data.episode import Episode
from headstart.envs.make import make_env
from headstart.errors import InputError, RunError, require
from headstart.rollout.job import EpisodeJob, run_episode
from headstart.rollout.processes import ATTEMPTS, EPISODE_TIMEOUT, ProcessExecutor
from headstart.settings import convert


class Pending(Protocol):
    """An episode that has been asked for."""

    def result(self) -> Episode:
        """Wait for the episode and return it."""


class Executor(Protocol):
    """Runs jobs. Which executor it is changes when episodes are ready, never what they are."""

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


def make_executor(env_id: str, collectors: int, *, timeout: float = EPISODE_TIMEOUT) -> Executor:
    """Return an executor with that many collector processes; 0 runs episodes in this process.

    Args:
        env_id: the environment.
        collectors: how many processes.
        timeout: seconds that an episode may take in a collector, before it is killed and the
            episode run again; one that hangs in this process hangs it.
    """
    collectors = convert(int, collectors, "collectors")
    require(collectors >= 0, "collectors must not be negative", collectors)
    require(timeout > 0.0, "the timeout of an episode must be positive", timeout)
    if collectors:
        return ProcessExecutor(env_id, collectors, timeout)
    return SerialExecutor(env_id)


class _Deferred:
    """Runs its job when the episode is first fetched."""

    def __init__(self, executor: "SerialExecutor", job: EpisodeJob) -> None:
        self._executor = executor
        self._job = job
        self._episode: Episode | None = None

    def result(self) -> Episode:
        if self._episode is None:
            self._episode = self._executor.run(self._job)
        return self._episode


class SerialExecutor:
    """Runs each job in this process when its episode is fetched."""

    def __init__(self, env_id: str) -> None:
        self.repeated = 0
        self._env_id = env_id
        self._env = make_env(env_id)

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Pending]:
        """Ask for episodes; they come in the order of the jobs."""
        return [_Deferred(self, job) for job in jobs]

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def run(self, job: EpisodeJob) -> Episode:
        """Return the episode of a job; one that fails is run again in a new environment."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return run_episode(self._env, job)
            except (InputError, RunError):
                raise
            except Exception as error:
                self.repeated += 1
                if attempt == ATTEMPTS:
                    told = f"episode {job.index} failed {attempt} times:\n{tracebacks.format_exc()}"
                    raise RunError(told) from error
                self._env = make_env(self._env_id)
        raise AssertionError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
