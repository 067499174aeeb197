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


Arguments = tuple[tuple[str, bool | int | float | str], ...]

_MOST_ENVS = 8
"""How many environments with different arguments stay open."""


class Worker:
    """Runs jobs one after another in an environment that it builds.

    Args:
        env: the environment, all that ``make_env`` takes.

    Raises:
        InputError: if it cannot be built.
    """

    def __init__(self, env: EnvLike) -> None:
        self._source = env_source(env)
        # By their arguments beyond those of the source.
        self._envs: dict[Arguments, gym.Env[Any, Any]] = {(): make_env(self._source)}
        self._spaces = self._envs[()].observation_space, self._envs[()].action_space

    @property
    def name(self) -> str:
        """What messages call the environment."""
        return self._source.name

    def run(self, job: EpisodeJob | Callable[[], EpisodeJob]) -> Answer:
        """Return the episode of a job, or of the one that a function returns, or why there is none.

        Raises:
            RunError: if an episode failed before, and the environment cannot be built again.
        """
        arguments: Arguments = ()
        try:
            job = job if isinstance(job, EpisodeJob) else job()
            arguments = tuple(sorted(job.task.env_kwargs.items()))
            return run_episode(self._env_with(arguments), job)
        except (InputError, RunError) as error:
            if isinstance(error, EpisodeError):
                self._close(arguments)
            return error
        except (Exception, SystemExit) as error:
            # What made an episode fail may have stayed in the environment.
            self._close(arguments)
            return Failure.of(error)

    def close(self) -> None:
        """Close its environments; the next job builds another one."""
        for arguments in [*self._envs]:
            self._close(arguments)

    def _close(self, arguments: Arguments) -> None:
        env = self._envs.pop(arguments, None)
        if env is not None:
            with contextlib.suppress(Exception):
                env.close()

    def _env_with(self, arguments: Arguments) -> gym.Env[Any, Any]:
        """Return the environment with more arguments.

        Raises:
            InputError: if there are some, and it cannot be built or has other spaces.
            RunError: if there are none: it was built before.
        """
        env = self._envs.pop(arguments, None)
        # The last used one last.
        self._envs[arguments] = env = self._build(arguments) if env is None else env
        if len(self._envs) > _MOST_ENVS:
            self._close(next(iter(self._envs)))
        return env

    def _build(self, arguments: Arguments) -> gym.Env[Any, Any]:
        source = self._source.with_options(dict(arguments))
        try:
            env = make_env(source)
        except Exception as error:
            if arguments:
                raise
            raise RunError(
                f"{self.name}: an episode failed, and the environment cannot be built again: "
                f"{describe_error(error)}"
            ) from error
        if (env.observation_space, env.action_space) != self._spaces:
            env.close()
            raise InputError(
                f"{source.name}: env_kwargs of a task give it other spaces than {self.name} has"
            )
        return env


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
