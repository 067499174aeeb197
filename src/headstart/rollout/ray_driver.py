"""The process that speaks with Ray, and what Ray runs on the nodes."""

import os
import pickle
import shutil
import socket
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import lru_cache, partial
from typing import Any, BinaryIO

import ray

from headstart.errors import InputError, RunError
from headstart.processors import usable_cores
from headstart.rollout.collector import end_with
from headstart.rollout.failure import Failure
from headstart.rollout.pickled import join_job
from headstart.rollout.processes import Collector, module_path
from headstart.rollout.ray_protocol import LOCAL, Asked, Opened, Setup, other_version
from headstart.rollout.worker import Answer

_RETRIES = 20
"""How often Ray runs a job again whose node or worker is lost."""
_CONNECT_TIMES = 3
_TASKS_A_SLOT = 4
_STORE_BYTES = 200 * 2**20

Answered = tuple[Answer, float]
"""The answer to a job, and the processor seconds that it took."""


def main() -> None:
    """Run jobs on a cluster until standard input ends, which it does also when the parent dies.

    What goes out first is ``Opened``, or in a line why the cluster cannot be used; then for each
    job its number, its answer, and the processor seconds that it took.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    directory = ""
    try:
        address, directory, setup = (pickle.load(sys.stdin.buffer) for _ in range(3))
        opened = _open(address, directory)
        _send(answers, opened)
        if isinstance(opened, Opened):
            _Jobs(setup, opened.slots, answers).run()
    except (EOFError, OSError, pickle.UnpicklingError):
        # The parent has died.
        pass
    finally:
        ray.shutdown()
        shutil.rmtree(directory, ignore_errors=True)


class _Jobs:
    """Hands jobs to Ray as they come in, and their answers on as they are there."""

    def __init__(self, setup: Setup, slots: int, answers: BinaryIO) -> None:
        self._setup, self._slots = ray.put(setup), max(slots, 1)
        self._policy: tuple[bytes, Any] = (b"", None)
        self._answers, self._lock = answers, threading.Lock()
        self._attempt = ray.remote(num_cpus=1, max_retries=_RETRIES)(run_jobs)

    def run(self) -> None:
        """Return when the input ends."""
        while True:
            asked: Asked = pickle.load(sys.stdin.buffer)
            if asked.policy != self._policy[0]:
                # The cluster gets a policy once, and not with each job.
                self._policy = asked.policy, ray.put(asked.policy)
            # A task costs this process milliseconds: many jobs share some, several a collector.
            size = max(1, len(asked.jobs) // (_TASKS_A_SLOT * self._slots))
            for first in range(0, len(asked.jobs), size):
                numbers, jobs = zip(*asked.jobs[first : first + size], strict=True)
                answer = self._attempt.remote(self._setup, self._policy[1], jobs)
                answer.future().add_done_callback(partial(self._answered, numbers))

    def _answered(self, numbers: Sequence[int], future: "Future[list[Answered]]") -> None:
        try:
            answers = future.result()
        except ray.exceptions.RayTaskError as error:
            lost = RunError(f"on the Ray cluster: {_one_line(error.cause)}")
            answers = [(lost, 0.0) for _ in numbers]
        except Exception as error:
            # A worker or a node was lost again and again: a job may be the cause.
            answers = [(Failure(_one_line(error)), 0.0) for _ in numbers]
        with self._lock:
            for number, (answer, seconds) in zip(numbers, answers, strict=True):
                _send(self._answers, (number, answer, seconds))


def run_jobs(setup: Setup, policy: bytes, jobs: Sequence[bytes]) -> list[Answered]:
    """Run jobs in the collector of this worker; return their answers and processor seconds."""
    refused = other_version(setup.versions, socket.gethostname())
    if refused is not None:
        return [(InputError(refused), 0.0) for _ in jobs]
    return [_run(_collector(setup), join_job(job, policy)) for job in jobs]


def _run(collector: Collector, job: bytes) -> Answered:
    before = collector.cpu_seconds
    answer = collector.answer(job)
    return answer, collector.cpu_seconds - before


@lru_cache(maxsize=1)
def _collector(setup: Setup) -> Collector:
    """Return the collector of this worker, which serves one executor alone.

    A process of its own, which can be killed when it hangs and leaves Ray's worker as it is.
    """
    # A worker whose node was killed ends by itself only where its next parent is process 1.
    threading.Thread(target=end_with, args=[os.getppid()], daemon=True).start()
    # First where the learner finds modules, which a node may share.
    path = (*setup.path, *module_path())
    collector = Collector(setup.name, setup.environment, setup.timeout, path)
    collector.open()
    return collector


def _open(address: str, directory: str) -> Opened | str:
    """Connect to a cluster, or start one with its files in a directory; or return why not."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        quiet |= {
            "num_cpus": usable_cores(),
            "object_store_memory": _STORE_BYTES,
            "include_dashboard": False,
            "_temp_dir": directory,
        }
    try:
        _connect(address, quiet)
        return Opened(int(ray.cluster_resources().get("CPU", 0)), _has_token())
    except Exception as error:
        return _one_line(error)


def _connect(address: str, options: dict[str, Any]) -> None:
    # A Ray Client server starts a process for each client, which now and then dies as it starts.
    for left in reversed(range(_CONNECT_TIMES)):
        try:
            ray.init(address=address, **options)
            return
        except ConnectionAbortedError:
            if not left:
                raise
            ray.shutdown()


def _has_token() -> bool:
    from ray._private.authentication.authentication_utils import is_token_auth_enabled

    return bool(is_token_auth_enabled())


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _send(answers: BinaryIO, value: Any) -> None:
    pickle.dump(value, answers, protocol=pickle.HIGHEST_PROTOCOL)
    answers.flush()
