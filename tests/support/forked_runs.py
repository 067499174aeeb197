"""Runs of a sweep that are forked from it instead of started, which saves all their imports.

That a new ``python`` runs them just so is shown by ``test_sweep.py``, once.
"""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

from kill_at import Moment


def fork_runs():
    """Have the sweep of this process fork its runs."""
    from headstart.sweeps import local

    names = {name: getattr(subprocess, name) for name in ("PIPE", "DEVNULL")}
    local.subprocess = SimpleNamespace(Popen=Forked, **names)


def signal_sweep(number):
    """Signal the sweep of this run, and wait until the sweep asks the run to stop."""
    asked, handler = [], signal.getsignal(signal.SIGTERM)

    def stop(*received):
        asked.append(received)
        handler(*received)

    signal.signal(signal.SIGTERM, stop)
    os.kill(os.getppid(), number)
    while not asked:
        time.sleep(0.01)


FORKING = Moment(
    place="headstart.sweeps.sweep:open_directory",
    when="before",
    count=1,
    deed=("forked_runs:fork_runs", []),
)


class Forked:
    """Of ``subprocess.Popen`` what a sweep uses."""

    def __init__(self, command, *, stdin, stdout, env):
        python, *options, program, log = command
        assert (python, options) == (sys.executable, ["-P", "-c"])
        assert (stdin, stdout) == (subprocess.PIPE, subprocess.DEVNULL)
        question, asking = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _become(program, log, env, question)
        os.close(question)
        self.stdin, self._code = os.fdopen(asking, "wb"), None

    def poll(self):
        """Return the exit code, or ``None`` while the process runs."""
        return self._wait(os.WNOHANG)

    def wait(self):
        """Return the exit code, negative if a signal ended the process."""
        return self._wait(0)

    def _wait(self, options):
        if self._code is None:
            child, status = os.waitpid(self.pid, options)
            self._code = os.waitstatus_to_exitcode(status) if child else None
        return self._code


def _become(program, log, environment, question):
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(question, 0)
        # Ends of pipes to other runs, which must see when the sweep dies.
        os.closerange(3, 256)
        os.environ.clear()
        os.environ.update(environment)
        sys.stdin, sys.argv = os.fdopen(0), ["-c", log]
        exec(program, {})
        code = 0
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)
