"""One run of a sweep, in the process that trains it, on any machine."""

import contextlib
import os
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.errors import InputError, RunError
from headstart.files.strict_json import build
from headstart.policy import Policy
from headstart.runs.train import train
from headstart.sweeps.spec import RunSpec
from headstart.sweeps.state import RunState, log_file, write_state
from headstart.text import describe_error, printable
from headstart.training.evaluation import EvalResult
from headstart.training.observer import Observer, TrainResult
from headstart.training.progress import Progress

_WRITE_EVERY = 1.0  # seconds


def run_job(spec: RunSpec, sweep: Path) -> None:
    """Train a run as ``headstart train --resume`` does, and note how far it is and how it ends.

    Args:
        spec: the run.
        sweep: the directory of the sweep, in which its own is.
    """
    reporter = _Reporter(sweep, spec.name)
    try:
        train(
            spec.env_id,
            spec.config,
            demos=spec.demos,
            out=sweep / spec.name,
            resume="auto",
            collectors=spec.collectors,
            observers=reporter,
            progress=True,
        )
    except KeyboardInterrupt:
        reporter.note(stage="stopped")
    except (InputError, RunError) as error:
        reporter.note(stage="failed", error=printable(str(error).splitlines()[0], 500))
    except Exception as error:  # A defect, or one of an environment: the other runs continue.
        traceback.print_exc()
        reporter.note(stage="failed", error=printable(describe_error(error), 500))
    else:
        reporter.note(stage="finished")


def be_task(content: dict[str, Any], sweep: str) -> None:
    """Do what ``run_job`` does, in a process of a cluster, and print to the log of the run.

    Args:
        content: the run, as plain JSON values.
        sweep: the directory of the sweep.
    """
    spec = build(RunSpec, content)
    log = os.open(log_file(Path(sweep), spec.name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    run_job(spec, Path(sweep))


class _Reporter(Observer):
    """Writes how far a run is."""

    def __init__(self, sweep: Path, name: str) -> None:
        self._sweep, self._name = sweep, name
        self._written = 0.0
        self._state = RunState(stage="running", phase="starting")
        self.note()

    def progressed(self, progress: Progress) -> None:
        """Write it, not too often."""
        self._state = replace(self._state, phase=progress.phase, env_steps=progress.env_steps)
        if time.monotonic() - self._written > _WRITE_EVERY:
            self.note()

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Write how successful it is."""
        self._state = replace(self._state, success_rate=result.success_rate)
        self.note()

    def finished(self, result: TrainResult) -> None:
        """Take the numbers of the end, which a run that had ended before has shown nobody."""
        self._state = replace(
            self._state,
            env_steps=result.progress.env_steps,
            success_rate=result.evaluation.success_rate,
        )

    def note(self, **changes: str) -> None:
        """Write the state with some changes."""
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]
        self._written = time.monotonic()
        # A full disk ends no run; the sweep then sees that the process is over.
        with contextlib.suppress(OSError):
            write_state(self._sweep, self._name, self._state)
