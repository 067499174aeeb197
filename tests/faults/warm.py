"""Runs ``headstart`` again and again, without its two to three seconds of imports.

A process that has imported everything forks for every command. What the child runs is the command
line's own ``main``, to real files, until it ends or a real signal ends it; that it ends with the
same bytes as ``python -m headstart`` is a test of its own.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path

TESTS = Path(__file__).parents[1]


class WarmHeadstart:
    """The process that forks, seen from the tests."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TESTS)},
        )
        assert json.loads(self._process.stdout.readline()) == "ready"
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def __call__(self, *arguments, log, moments=(), seconds=None):
        """Run a command and return its exit code, negative if a signal ended it.

        Args:
            arguments: what follows ``headstart``.
            log: the file that its output is appended to.
            moments: when it signals itself.
            seconds: after how long it is killed from outside.
        """
        job = {
            "arguments": [str(argument) for argument in arguments],
            "log": str(log),
            "moments": [asdict(moment) for moment in moments],
            "seconds": seconds,
        }
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve():
    """Import everything by a run, and then fork for every line that comes in."""
    import torch

    torch.set_num_threads(1)
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as directory:
        _import_everything(directory)
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(_forked(**json.loads(line))), file=answers, flush=True)


def _import_everything(directory):
    from small_runs import SMALL

    from headstart.cli import main, resume, train  # noqa: F401
    from headstart.training.train import train as train_policy

    train_policy("PointReach-v0", SMALL, out=Path(directory) / "run")


def _forked(arguments, log, moments, seconds):
    child = os.fork()
    if child == 0:
        _become(arguments, log, moments)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _become(arguments, log, moments):
    """Be ``headstart`` with these arguments, and end as it ends."""
    from kill_at import Moment, arm

    from headstart.cli.main import main

    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    for moment in moments:
        arm(Moment(**moment))
    code = 1
    try:
        main(arguments)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
