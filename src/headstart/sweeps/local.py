"""Runs in processes of this machine, within a number of cores."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from headstart.files.strict_json import plain
from headstart.rollout.processes import ONE_THREAD, module_path
from headstart.sweeps.spec import RunSpec
from headstart.sweeps.state import log_file

_PROGRAM = (
    "import json, os, sys; "
    "os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2); "
    # Nothing comes from a sweep that has died meanwhile.
    "os.dup2(2, 1); sys.stdin.buffer.peek(1) or sys.exit(); "
    "question = json.loads(sys.stdin.buffer.readline()); "
    "sys.path[:] = question['path']; "
    "from headstart.sweeps.local import be_run; be_run(question)"
)


class LocalRuns:
    """Runs in processes of their own, which end with this one.

    Args:
        cores: how many the runs may keep busy together; one that takes more runs alone.
    """

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._runs: list[_LocalRun] = []

    def has_room(self, spec: RunSpec) -> bool:
        """Return whether enough cores are free."""
        self._runs = [run for run in self._runs if run.ended() is None]
        busy = sum(run.cores for run in self._runs)
        return not self._runs or busy + spec.cores <= self._cores

    def start(self, spec: RunSpec, sweep: Path) -> "_LocalRun":
        """Start a run in a process."""
        self._runs.append(_LocalRun(spec, sweep))
        return self._runs[-1]


class _LocalRun:
    """The parent's end of a run."""

    def __init__(self, spec: RunSpec, sweep: Path) -> None:
        self.cores = spec.cores
        log = str(log_file(sweep, spec.name))
        self._process = subprocess.Popen(
            # Without the current directory, whose modules could hide those of Python.
            [sys.executable, "-P", "-c", _PROGRAM, log],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD},
        )
        question = {"path": module_path(), "spec": plain(spec), "sweep": str(sweep)}
        assert self._process.stdin is not None
        # It stays open: its end means that this process has died.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()

    def ended(self) -> str | None:
        """Return how the process ended, or ``None`` while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        return (
            f"its process was ended by signal {-code}"
            if code < 0
            else f"its process ended with exit code {code}"
        )

    def stop(self) -> None:
        """Ask it to stop."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


def be_run(question: dict[str, Any]) -> None:
    """Be one run, until it ends, or the process that started it dies."""
    # Ctrl-C goes to all processes of a terminal; what ends runs is what the sweep sends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    # Here: the process of the sweep needs no torch.
    from headstart.sweeps.job import be_task

    be_task(question["spec"], question["sweep"])


def _stop_with_parent() -> None:
    """Ask this run to stop once the other end of standard input is closed."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
