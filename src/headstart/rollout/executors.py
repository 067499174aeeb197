"""Who runs the episodes: this process, or collector processes beside it."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from headstart.data.episode import Episode
from headstart.envs.source import EnvLike
from headstart.errors import require
from headstart.rollout.cluster import RayExecutor
from headstart.rollout.deferred import Deferred
from headstart.rollout.job import EpisodeJob
from headstart.rollout.limits import EPISODE_TIMEOUT
from headstart.rollout.pickled import copy_jobs
from headstart.rollout.processes import ProcessExecutor
from headstart.rollout.ray_protocol import is_ray
from headstart.rollout.worker import Worker, run_attempts
from headstart.settings import convert

Collectors = int | str
"""How many processes run episodes, 0 for this process; or ``"ray"`` or ``"ray://HOST:PORT"`` for
those of a Ray cluster, see ``RayExecutor``. No result depends on it."""

_MOST = 1024
"""Collectors; each is a process with an environment of its own."""


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

    One of your own derives from this class, or has its members. It may run jobs in any order, at
    once, anywhere and more than once, since an episode depends on nothing but its job. It owes:

    - from ``submit`` one ``Pending`` a job, in their order; futures are such;
    - to each episode a copy of its policy as that is at ``submit``: ``copy_jobs`` in this process,
      ``pickle_policies`` and ``pickle_job`` in others;
    - to a job that fails another try in an environment built again, ``run_attempts``; ``Worker``
      runs jobs in a process, ``open_worker`` opens one from bytes in another.
    """

    repeated: int
    """How often a job had to be run again because the environment or its process failed."""

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Pending]:
        """Ask for episodes; they come in the order of the jobs.

        What is asked for runs while the caller does something else, or when it is fetched.
        """

    def close(self) -> None:
        """Stop; what was asked for and not fetched is lost."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def make_executor(
    env: EnvLike,
    collectors: Collectors,
    *,
    timeout: float = EPISODE_TIMEOUT,
    is_built: bool = False,
) -> Executor:
    """Return an executor with that many collector processes; 0 runs episodes in this process.

    Args:
        env: the environment, all that ``make_env`` takes.
        collectors: how many processes, or a Ray cluster.
        timeout: seconds that an episode may take in a collector, before it is killed and the
            episode run again; one that hangs in this process hangs it.
        is_built: whether the environment has been built in this process, and so can be.

    Raises:
        InputError: if the environment cannot be built, or not be sent to another process, or there
            is no such cluster.
    """
    require(timeout > 0.0, "the timeout of an episode must be positive", timeout)
    if isinstance(collectors, str) and is_ray(collectors):
        return RayExecutor(env, collectors, timeout, is_built=is_built)
    number = convert(int, collectors, "collectors")
    require(number >= 0, "collectors must not be negative", number)
    require(number <= _MOST, f"collectors must be at most {_MOST}", number)
    if number:
        return ProcessExecutor(env, number, timeout, is_built=is_built)
    return SerialExecutor(env)


@contextlib.contextmanager
def open_executor(
    env: EnvLike,
    collectors: Collectors,
    executor: Executor | None,
    *,
    timeout: float = EPISODE_TIMEOUT,
) -> Iterator[Executor]:
    """Yield the caller's executor, which stays open, or else a new one.

    The environment has been built in this process before.

    Raises:
        InputError: if the caller wants collectors too, or as ``make_executor``.
    """
    if executor is None:
        with make_executor(env, collectors, timeout=timeout, is_built=True) as made:
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


class SerialExecutor(Executor):
    """Runs each job in this process when its episode is fetched.

    Args:
        env: the environment, all that ``make_env`` takes.

    Raises:
        InputError: if it cannot be built.
    """

    def __init__(self, env: EnvLike) -> None:
        self.repeated = 0
        self._worker = Worker(env)

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Pending]:
        """Ask for episodes; they come in the order of the jobs, with policies as they are now."""
        pairs = zip(jobs, copy_jobs(jobs), strict=True)
        return [Deferred(partial(self._run, job, copy)) for job, copy in pairs]

    def close(self) -> None:
        """Close the environment."""
        self._worker.close()

    def _run(self, job: EpisodeJob, copy: Callable[[], EpisodeJob]) -> Episode:
        return run_attempts(self, self._worker.name, job, lambda: self._worker.run(copy))
