"""Who runs the episodes: this process, or collector processes beside it."""

import os
import pickle
import queue
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, Self

from headstart.data.episode import Episode
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.rollout.job import EpisodeJob, run_episode


class Pending(Protocol):
    """An episode that has been asked for."""

    def result(self) -> Episode:
        """Wait for the episode and return it."""


class Executor(Protocol):
    """Runs jobs. Which executor it is changes when episodes are ready, never what they are."""

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


def make_executor(env_id: str, collectors: int) -> Executor:
    """Return an executor with that many collector processes; 0 runs episodes in this process."""
    if collectors < 0:
        raise InputError(f"collectors must not be negative, got {collectors}")
    return ProcessExecutor(env_id, collectors) if collectors else SerialExecutor(env_id)


class _Deferred:
    """Runs its job when the episode is first fetched."""

    def __init__(self, executor: "SerialExecutor", job: EpisodeJob) -> None:
        self._executor = executor
        self._job = job
        self._episode: Episode | None = None

    def result(self) -> Episode:
        if self._episode is None:
            self._episode = run_episode(self._executor.env, self._job)
        return self._episode


class SerialExecutor:
    """Runs each job in this process when its episode is fetched."""

    def __init__(self, env_id: str) -> None:
        self.env = make_env(env_id)

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Pending]:
        """Ask for episodes; they come in the order of the jobs."""
        return [_Deferred(self, job) for job in jobs]

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ProcessExecutor:
    """Runs jobs in collector processes, one environment each.

    Collectors are plain ``python -m`` processes that speak pickle over their own pipes, not
    ``multiprocessing`` children: a script or notebook that trains needs no main guard, and a
    collector imports neither the script nor torch.
    """

    def __init__(self, env_id: str, num_collectors: int) -> None:
        # Built here once, so that an environment that cannot be built is told once and in words.
        make_env(env_id).close()
        self._collectors = [_Collector(env_id) for _ in range(num_collectors)]
        self._idle: queue.SimpleQueue[_Collector] = queue.SimpleQueue()
        for collector in self._collectors:
            self._idle.put(collector)
        self._threads = ThreadPoolExecutor(num_collectors, "headstart-collector")

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Future[Episode]]:
        """Ask for episodes; they come in the order of the jobs."""
        return [self._threads.submit(self._run, job) for job in jobs]

    def close(self) -> None:
        """Stop the collectors at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for collector in self._collectors:
            collector.stop()
        self._threads.shutdown(wait=True)

    def _run(self, job: EpisodeJob) -> Episode:
        collector = self._idle.get()
        try:
            return collector.run(job)
        finally:
            self._idle.put(collector)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Collector:
    """The parent's end of one collector process."""

    def __init__(self, env_id: str) -> None:
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "headstart.rollout.collector", env_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **one_thread},
        )

    def run(self, job: EpisodeJob) -> Episode:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(job, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
            answer = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            code = self._process.wait()
            raise RuntimeError(
                f"a collector process died with exit code {code} in episode {job.index}"
            ) from error
        if isinstance(answer, Episode):
            return answer
        if isinstance(answer, InputError):
            raise answer
        raise RuntimeError(f"episode {job.index} failed in a collector process:\n{answer}")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    # Half a job was still in the pipe; the collector that would read it is gone.
                    continue
