"""Runs ``headstart`` again and again, without its two to three seconds of imports.

A process that has imported everything forks for every command. What the child runs is the command
line's own ``main``, to real files, until it ends or a real signal ends it; that ``python -m
headstart`` ends with the same bytes is a test in ``test_surroundings.py``.
"""

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from dataclasses import asdict
from pathlib import Path

TESTS = Path(__file__).parents[1]


class WarmHeadstart:
    """The process that forks, seen from the tests."""

    def __enter__(self):
        own = map(str, (TESTS, TESTS / "support", TESTS / "faults"))
        places = [*own, os.environ.get("PYTHONPATH", "")]
        path = os.pathsep.join(filter(None, places))
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        )
        self.modules = json.loads(self._process.stdout.readline())
        """What is imported by a process that has trained and resumed."""
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def __call__(self, *arguments, log, **surroundings):
        """Run a command and return its exit code, negative if a signal ended it.

        Args:
            arguments: what follows ``headstart``.
            log: the file that its output is appended to.
            surroundings: as in ``start``.
        """
        return self.wait(self.start(*arguments, log=log, **surroundings))

    def start(
        self,
        *arguments,
        log,
        moments=(),
        ignored=(),
        environment=None,
        directory=None,
        kill_at_call=None,
        calls_file=None,
    ):
        """Start a command and return its process id, which is to be waited for.

        Args:
            arguments: what follows ``headstart``.
            log: the file that its output is appended to; ``None`` closes standard output and error.
            moments: when it signals itself.
            ignored: signals that it is started to ignore.
            environment: variables that differ from those of this process.
            directory: where it is started.
            kill_at_call: at which of all the calls that it makes it kills itself, from 1 on.
            calls_file: where it writes how many calls it made.
        """
        return self._answer(
            {
                "arguments": [str(argument) for argument in arguments],
                "log": None if log is None else str(log),
                "moments": [asdict(moment) for moment in moments],
                "ignored": [int(number) for number in ignored],
                "environment": environment or {},
                "directory": str(directory or Path.cwd()),
                "kill_at_call": kill_at_call,
                "calls_file": None if calls_file is None else str(calls_file),
            }
        )

    def wait(self, process):
        """Return the exit code of a command, negative if a signal ended it."""
        return self._answer(process)

    def _answer(self, question):
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve():
    """Import everything by a run, and then fork for every line that comes in."""
    import torch

    torch.set_num_threads(1)
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as directory:
        _import_everything(directory)
    # What stays is not looked at again, which would copy it into every fork.
    gc.collect()
    gc.freeze()
    print(json.dumps(sorted(sys.modules)), file=answers, flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        answer = _fork(**question) if isinstance(question, dict) else _exit_code(question)
        print(json.dumps(answer), file=answers, flush=True)


def _import_everything(directory):
    from builders import point_expert
    from killed_runs import command_for

    from headstart.cli.main import main
    from headstart.demos.record import collect_demos
    from headstart.demos.storage import save_demos

    run, demos = Path(directory) / "run", Path(directory) / "demos.npz"
    save_demos(demos, collect_demos("PointReach-v0", point_expert, episodes=3))
    for _ in ("train", "resume"):
        # The parser of the options is slow, but only the first time.
        main([str(argument) for argument in command_for(run, demos)])


def _fork(**job):
    child = os.fork()
    if child == 0:
        _become(**job)
    return child


def _exit_code(child):
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _become(arguments, log, moments, ignored, environment, directory, kill_at_call, calls_file):
    """Be ``headstart`` with these arguments, and end as it ends."""
    from kill_at import CountedCalls, Moment, arm

    from headstart.cli.main import main

    _write_to(log)
    os.environ.update(environment)
    os.chdir(directory)
    # Whatever the tests were started to ignore.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    for moment in moments:
        arm(Moment(**moment))
    calls = CountedCalls(kill_at_call) if kill_at_call or calls_file else None
    code = 1
    try:
        main(arguments)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.setprofile(None)
        if calls_file:
            Path(calls_file).write_text(str(calls.count))
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)


def _write_to(log):
    if log is None:
        # As Python does it when it is started so.
        sys.stdout = sys.stderr = None
        for stream in (1, 2):
            os.close(stream)
        return
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)


if __name__ == "__main__":
    serve()
