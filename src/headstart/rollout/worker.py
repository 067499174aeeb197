"""Running jobs one after another, and again where they fail: what all executors share."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium as gym

from headstart.data.episode import Episode
from headstart.envs.make import env_source, make_env
from headstart.envs.source import EnvLike
from headstart.errors import EpisodeError, InputError, RunError
from headstart.rollout.failure import ATTEMPTS, Failure
from headstart.rollout.job import EpisodeJob, run_episode
from headstart.text import describe_error


@dataclass(frozen=True)
class NotBuilt:
    """Why the environment cannot be built in this process."""

    reason: str


Answer = Episode | InputError | RunError | NotBuilt | Failure
"""An episode, or why there is none: an error that comes again, or what may not."""


class Worker:
    """Runs jobs one after another in an environment that it builds.

    Args:
        env: the environment, all that ``make_env`` takes.

    Raises:
        InputError: if it cannot be built.
    """

    def __init__(self, env: EnvLike) -> None:
        self._source = env_source(env)
        self._env: gym.Env[Any, Any] | None = make_env(self._source)

    @property
    def name(self) -> str:
        """What messages call the environment."""
        return self._source.name

    def run(self, job: EpisodeJob | Callable[[], EpisodeJob]) -> Answer:
        """Return the episode of a job, or of the one that a function returns, or why there is none.

        Raises:
            RunError: if an episode failed before, and the environment cannot be built again.
        """
        env = self._require_env()
        try:
            return run_episode(env, job if isinstance(job, EpisodeJob) else job())
        except (InputError, RunError) as error:
            if isinstance(error, EpisodeError):
                self.close()
            return error
        except (Exception, SystemExit) as error:
            # What made an episode fail may have stayed in the environment.
            self.close()
            return Failure.of(error)

    def close(self) -> None:
        """Close the environment; the next job builds another one."""
        env, self._env = self._env, None
        if env is not None:
            with contextlib.suppress(Exception):
                env.close()

    def _require_env(self) -> gym.Env[Any, Any]:
        if self._env is None:
            try:
                self._env = make_env(self._source)
            except Exception as error:
                raise RunError(
                    f"{self.name}: an episode failed, and the environment cannot be built again: "
                    f"{describe_error(error)}"
                ) from error
        return self._env


class Repeats(Protocol):
    """What counts the attempts that failed: an executor."""

    repeated: int


def run_attempts(
    executor: Repeats, name: str, job: EpisodeJob, attempt: Callable[[], Answer]
) -> Episode:
    """Return the episode of a job, which is tried up to ``ATTEMPTS`` times.

    Args:
        executor: counts the attempts that fail.
        name: of the environment, for messages.
        job: what is run; of a job that runs elsewhere the policy is not looked at.
        attempt: runs the job once, in an environment in which nothing has failed.

    Raises:
        EpisodeError: if the last attempt fails too.
        InputError: if the environment cannot be built where the job is run, or as ``run_episode``.
        RunError: as ``run_episode``.
    """
    failures: list[Failure | NotBuilt] = []
    while len(failures) < ATTEMPTS:
        answer = attempt()
        if isinstance(answer, Episode):
            return answer
        if isinstance(answer, InputError | RunError):
            raise answer
        executor.repeated += 1
        failures.append(answer)
    last = failures[-1]
    if isinstance(last, Failure):
        raise last.error(name, job)
    raise InputError(
        f"environment {name!r} can be built in this process, and not in a collector "
        f"({last.reason}); use collectors=0"
    )
