"""Collector processes: each may die or hang, the episodes come all the same."""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from headstart.data.episode import Episode
from headstart.envs.make import make_env
from headstart.errors import InputError, RunError
from headstart.rollout.collector import Answer
from headstart.rollout.job import EpisodeJob
from headstart.rollout.pickled import pickled

EPISODE_TIMEOUT = 300.0
"""Seconds after which an episode is taken to hang."""
ATTEMPTS = 3
"""How often a job is tried before its failure is taken to lie in the job."""


class ProcessExecutor:
    """Runs jobs in collector processes, one environment each.

    Collectors are plain ``python -m`` processes that speak pickle over their own pipes, not
    ``multiprocessing`` children: a script or notebook that trains needs no main guard, and a
    collector imports neither the script nor torch.

    A collector that dies, hangs or fails is replaced, and its job run again: an episode depends on
    nothing but its job, so it is the same episode.

    Args:
        env_id: the environment.
        num_collectors: how many processes.
        timeout: seconds that an episode may take, the building of its environment included.
    """

    def __init__(self, env_id: str, num_collectors: int, timeout: float = EPISODE_TIMEOUT) -> None:
        # Built here once, so that an environment that cannot be built is told once and in words.
        make_env(env_id).close()
        self.repeated = 0
        self._collectors = [_Collector(env_id, timeout) for _ in range(num_collectors)]
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
        data = pickled(job)
        failures: list[str] = []
        while len(failures) < ATTEMPTS:
            collector = self._idle.get()
            try:
                answer = collector.run(data)
                if isinstance(answer, str):
                    collector.replace()
            finally:
                self._idle.put(collector)
            if isinstance(answer, Episode):
                return answer
            if isinstance(answer, InputError | RunError):
                raise answer
            failures.append(answer)
            self.repeated += 1
        told = "\n".join(dict.fromkeys(failures))
        raise RunError(f"episode {job.index} failed {ATTEMPTS} times in collectors:\n{told}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Collector:
    """The parent's end of one collector process."""

    def __init__(self, env_id: str, timeout: float) -> None:
        self._env_id = env_id
        self._timeout = timeout
        self._lock = threading.Lock()
        self._stopped = False
        self._process = self._started()

    def run(self, data: bytes) -> Answer:
        """Return the answer to a job, or what became of the collector as text."""
        with self._deadline() as deadline:
            try:
                return self._answer(data)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError):
                code = self._process.wait()
        if deadline.is_set():
            return f"a collector process hung for {self._timeout:g} s and was killed"
        return f"a collector process died with exit code {code}"

    def replace(self) -> None:
        """Start a new process in place of this one, unless the collector has been stopped."""
        with self._lock:
            self._end()
            if not self._stopped:
                self._process = self._started()

    def stop(self) -> None:
        """End the process for good."""
        with self._lock:
            self._stopped = True
            self._end()

    def _answer(self, data: bytes) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump(data, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()
        answer: Answer = pickle.load(self._process.stdout)
        return answer

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[threading.Event]:
        """Kill the process if it takes too long: whoever waits for its answer then sees its end."""
        passed = threading.Event()

        def kill() -> None:
            passed.set()
            self._process.kill()

        timer = threading.Timer(self._timeout, kill)
        timer.daemon = True
        timer.start()
        try:
            yield passed
        finally:
            timer.cancel()

    def _started(self) -> subprocess.Popen[bytes]:
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "headstart.rollout.collector", self._env_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **one_thread},
        )

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                # Half a job may still be in the pipe; the collector that would read it is gone.
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()
