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
from pathlib import Path
from typing import Self

from headstart.data.episode import Episode
from headstart.envs.make import env_source, make_env
from headstart.envs.source import EnvLike
from headstart.errors import EpisodeError, InputError
from headstart.rollout.failure import Failure
from headstart.rollout.job import EpisodeJob
from headstart.rollout.limits import EPISODE_TIMEOUT
from headstart.rollout.pickled import pickle_job, pickle_policies, pickle_source
from headstart.rollout.worker import Answer, NotBuilt, run_attempts
from headstart.text import printable

_LONGEST_NAME = 1000
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Environment of a process that takes one core."""
_PROGRAM = (
    "import pickle, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    # Nothing comes from a parent that has died meanwhile.
    "sys.stdin.buffer.peek(1) or sys.exit(); "
    "sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from headstart.rollout.{} import main; main()"
)


class ProcessExecutor:
    """Runs jobs in collector processes, one environment each.

    Collectors are plain ``python`` processes that speak pickle over their own pipes, not
    ``multiprocessing`` children: a script or notebook that trains needs no main guard, and a
    collector imports neither the script nor torch. They find the modules that this process finds,
    and know the environments that it has registered.

    A collector that dies, hangs or fails is replaced, and its job run again: an episode depends on
    nothing but its job, so it is the same episode.

    Args:
        env: the environment, all that ``make_env`` takes.
        num_collectors: how many processes.
        timeout: seconds that an episode may take.
        is_built: whether the environment has been built in this process, and so can be.

    Raises:
        InputError: if the environment cannot be built, or not be sent to another process.
    """

    def __init__(
        self,
        env: EnvLike,
        num_collectors: int,
        timeout: float = EPISODE_TIMEOUT,
        *,
        is_built: bool = False,
    ) -> None:
        source = env_source(env)
        content = pickle_source(source)
        if not is_built:
            # Once, so that an environment that cannot be built is refused once.
            make_env(source).close()
        self.repeated = 0
        self._name = source.name
        self._collectors = [Collector(source.name, content, timeout) for _ in range(num_collectors)]
        self._idle: queue.SimpleQueue[Collector] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(num_collectors, "headstart-collector")
        for collector in self._collectors:
            self._threads.submit(self._open, collector)

    @property
    def at_once(self) -> int:
        """How many jobs it runs at once."""
        return len(self._collectors)

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all collectors so far."""
        return sum(collector.cpu_seconds for collector in self._collectors)

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Future[Episode]]:
        """Ask for episodes; they come in the order of the jobs, with policies as they are now."""
        policies = pickle_policies(jobs)
        return [self._threads.submit(self._run, job, policies[id(job.policy)]) for job in jobs]

    def close(self) -> None:
        """Stop the collectors at once."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for collector in self._collectors:
            collector.stop()
        self._threads.shutdown(wait=True)

    def _open(self, collector: "Collector") -> None:
        """Let a collector build its environment, while this process does something else."""
        try:
            collector.open()
        finally:
            self._idle.put(collector)

    def _run(self, job: EpisodeJob, policy: bytes | InputError) -> Episode:
        if isinstance(policy, InputError):
            raise policy
        data = pickle_job(job, policy)
        return run_attempts(self, self._name, job, lambda: self._attempt(data))

    def _attempt(self, data: bytes) -> Answer:
        collector = self._idle.get()
        try:
            return collector.answer(data)
        finally:
            self._idle.put(collector)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Collector:
    """The parent's end of one collector process.

    Args:
        name: of the environment, for messages.
        environment: as ``pickle_source`` returned it.
        timeout: seconds that an episode may take.
        path: where the process finds modules; by default where this one does.
    """

    def __init__(
        self, name: str, environment: bytes, timeout: float, path: Sequence[str] = ()
    ) -> None:
        self._name = printable(name, _LONGEST_NAME)
        self._environment = environment
        self._timeout = timeout
        self._lock = threading.Lock()
        self._stopped = False
        self._path = list(path) or module_path()
        self._trouble: Answer | None = None
        self._cpu_seconds = 0.0  # of the process, as it last said
        self._earlier_cpu_seconds = 0.0  # of those that it replaced
        self._process = self._start()

    @property
    def cpu_seconds(self) -> float:
        """Processor time of this collector's processes, as they last reported it."""
        return self._earlier_cpu_seconds + self._cpu_seconds

    def open(self) -> None:
        """Let the process build its environment, and wait until it has."""
        self._trouble = self._ask(
            max(self._timeout, EPISODE_TIMEOUT), self._path, self._environment
        )

    def answer(self, data: bytes) -> Answer:
        """Return the answer to a job, and start another process if an episode failed in this one.

        Args:
            data: the job, as ``pickle_job`` returned it.
        """
        answer = self._run(data)
        # What made an episode fail may have stayed in the environment.
        if isinstance(answer, Failure | NotBuilt | EpisodeError):
            self._replace()
        return answer

    def _run(self, data: bytes) -> Answer:
        """Return the answer to a job, or what became of the collector."""
        if self._trouble is not None:
            return self._trouble
        answer = self._ask(self._timeout, data)
        assert answer is not None
        return answer

    def _ask(self, timeout: float, *values: object) -> Answer | None:
        """Return the answer to some values, or what became of the collector."""
        process = self._process
        with deadline(process, timeout) as passed:
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                for value in values:
                    pickle.dump(value, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
                process.stdin.flush()
                answer: Answer | None
                answer, self._cpu_seconds = pickle.load(process.stdout)
                return answer
            except (EOFError, OSError, ValueError, pickle.UnpicklingError):
                code = process.wait()
        if passed.is_set():
            return Failure(f"a collector process hung for {timeout:g} s and was killed")
        return Failure(f"a collector process died with exit code {code}")

    def _replace(self) -> None:
        """Start a new process in place of this one, unless the collector has been stopped."""
        with self._lock:
            self._end()
            if self._stopped:
                return
            self._earlier_cpu_seconds, self._cpu_seconds = self.cpu_seconds, 0.0
            self._process = self._start()
        self.open()

    def stop(self) -> None:
        """End the process for good."""
        with self._lock:
            self._stopped = True
            self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            child_command("collector", self._name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
        )

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                # Half a job may still be in the pipe; the collector that would read it is gone.
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()


def child_command(module: str, name: str) -> list[str]:
    """Return the command of a process that runs ``main`` of a module of this package.

    It takes its module path from its standard input, pickled, before ``main`` reads from there.

    Args:
        module: which.
        name: for those who list processes.
    """
    # Without the current directory, whose modules could hide those of Python.
    return [sys.executable, "-P", "-c", _PROGRAM.format(module), name]


@contextlib.contextmanager
def deadline(process: "subprocess.Popen[bytes]", timeout: float) -> Iterator[threading.Event]:
    """Kill a process if it takes too long, which ends the wait for its answer."""
    passed = threading.Event()

    def kill() -> None:
        passed.set()
        process.kill()

    timer = threading.Timer(min(timeout, threading.TIMEOUT_MAX), kill)
    timer.daemon = True
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()


def module_path() -> list[str]:
    """Return where this process finds modules, wherever it goes later."""
    own = str(Path(__file__).parents[2])
    path = [os.path.abspath(entry) for entry in sys.path if isinstance(entry, str)]
    return path if own in path else [*path, own]
