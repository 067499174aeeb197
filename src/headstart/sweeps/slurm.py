"""Runs as jobs of Slurm, through submitit."""

import contextlib
import math
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.errors import InputError, RunError
from headstart.files.strict_json import plain
from headstart.sweeps.spec import RunSpec
from headstart.sweeps.state import JOBS

FOLDER = "slurm"
"""Where submitit keeps its files, in the directory of the sweep's jobs."""
_QUEUE_EVERY = 5.0  # seconds
_MOST_TIMEOUTS = 1000
_DEFAULTS = {"time": 240, "cpus_per_task": 1, "job_name": "headstart"}


def slurm_executor(sweep: Path, options: Mapping[str, str]) -> Any:
    """Return what submits jobs.

    Args:
        sweep: the directory of the sweep.
        options: of sbatch, as submitit names them: ``time`` in minutes, ``partition``, ``mem``.

    Raises:
        InputError: if submitit or Slurm is missing, or an option is refused.
    """
    try:
        import submitit
    except ImportError as error:
        raise InputError("--slurm needs submitit: pip install 'headstart[slurm]'") from error
    values = {name: int(word) if word.isdecimal() else word for name, word in options.items()}
    try:
        executor = submitit.SlurmExecutor(sweep / JOBS / FOLDER, max_num_timeout=_MOST_TIMEOUTS)
        executor.update_parameters(**{**_DEFAULTS, **values})
    except RuntimeError as error:
        raise InputError("--slurm needs Slurm: there is no srun on this machine") from error
    except (ValueError, NameError, TypeError) as error:
        raise InputError(f"--slurm: {str(error).splitlines()[0]}") from error
    return executor


class ClusterRuns:
    """Runs as jobs of a cluster, which queues them and outlives this process.

    A job that a sweep before this one has submitted is found again.

    Args:
        executor: of submitit.
    """

    def __init__(self, executor: Any) -> None:
        self._executor, self._queue = executor, _Queue()

    def has_room(self, spec: RunSpec) -> bool:
        """Return True: to queue is the cluster's business."""
        return True

    def start(self, spec: RunSpec, sweep: Path) -> "_ClusterRun":
        """Submit a run, or find its job."""
        note = sweep / JOBS / f"{spec.name}.job"
        with contextlib.suppress(OSError):
            known = self._executor.job_class(self._executor.folder, note.read_text().strip())
            found = _ClusterRun(known, self._queue)
            if found.ended() is None:
                return found
        try:
            job = self._executor.submit(_Run(), plain(spec), str(sweep.absolute()))
            note.write_text(f"{job.job_id}\n")
        except Exception as error:  # Of sbatch, which has many reasons.
            raise RunError(f"{spec.name}: cannot be submitted: {error}") from error
        return _ClusterRun(job, self._queue)


class _Queue:
    """The jobs of this user that wait or run."""

    def __init__(self) -> None:
        self._looked_at = -math.inf
        self._jobs: frozenset[str] | None = None

    def lost(self, job_id: str, since: float) -> bool:
        """Return whether a job is over that was submitted at a time, in monotonic seconds."""
        if time.monotonic() - max(self._looked_at, since) > _QUEUE_EVERY:
            self._looked_at = time.monotonic()
            self._jobs = self._look()
        return self._looked_at > since and self._jobs is not None and job_id not in self._jobs

    def _look(self) -> frozenset[str] | None:
        try:
            command = ["squeue", "--noheader", "--me", "--format=%i"]
            found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        return frozenset(found.stdout.split())


class _ClusterRun:
    """A job."""

    def __init__(self, job: Any, queue: _Queue) -> None:
        self._job, self._queue = job, queue
        self._since = time.monotonic()

    def ended(self) -> str | None:
        """Return how the job ended, or ``None`` while it is queued or runs."""
        # Not job.done(), which asks for accounts that not every cluster keeps.
        if self._job.paths.result_pickle.exists():
            return f"its job {self._job.job_id} ended without a word"
        if self._queue.lost(self._job.job_id, self._since):
            return f"Slurm has ended its job {self._job.job_id}"
        return None

    def stop(self) -> None:
        """Cancel it, which sends SIGTERM first: it saves."""
        self._job.cancel(check=False)

    kill = stop


class _Run:
    """What the job does; once more from its checkpoint if it is preempted or out of time."""

    def __call__(self, content: dict[str, Any], sweep: str) -> None:
        """Train the run of a sweep."""
        # Here: what submits the job needs no torch.
        from headstart.sweeps.job import be_task

        be_task(content, sweep)

    def checkpoint(self, content: dict[str, Any], sweep: str) -> Any:
        """Return what to queue in place of this job, which is about to be ended."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, content, sweep)
