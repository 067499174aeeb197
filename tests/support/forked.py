"""Collectors forked from a process that has imported what they need, which saves most of a start.

A collector's own program runs in them, on pipes of its own, until it ends or a signal ends it. That
a new ``python`` runs it just so is shown in ``rollout/test_executors.py``, and wherever else the
fixture ``forked_collectors`` is not used.
"""

import contextlib
import gc
import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from types import ModuleType

HERE = hasattr(os, "fork") and hasattr(socket, "recv_fds")
SOURCE = Path(__file__).parents[2] / "src"
_LONGEST_REQUEST = 1 << 17
_CODE = struct.Struct("i")


class Forge:
    """The process that forks, seen from the tests."""

    def __enter__(self):
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
        one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, **one_thread, "PYTHONPATH": path},
        )
        theirs.close()
        return self

    def __exit__(self, *_):
        self._control.close()
        self._process.wait(timeout=30)

    def start(self, command, *, stdin, stdout, env):
        """Start ``python -P -c PROGRAM ...`` as ``subprocess.Popen`` does with pipes."""
        python, *options, program, name = command
        assert (python, options, stdin, stdout) == (
            *(sys.executable, ["-P", "-c"]),
            *(subprocess.PIPE, subprocess.PIPE),
        )
        request = pickle.dumps((program, name, dict(env), os.getcwd()))
        (questions, asking), (answering, answers), (ended, ending) = (os.pipe() for _ in range(3))
        with self._lock:
            theirs = [questions, answers, 2, ending]
            socket.send_fds(self._control, [request], theirs)
            (pid,) = _CODE.unpack(os.read(ended, _CODE.size))
        for descriptor in (questions, answers, ending):
            os.close(descriptor)
        return Forked(pid, os.fdopen(asking, "wb"), os.fdopen(answering, "rb"), ended)


class Forked:
    """Of ``subprocess.Popen`` what a collector's parent uses."""

    def __init__(self, pid, stdin, stdout, ended):
        self.pid, self.stdin, self.stdout, self._ended = pid, stdin, stdout, ended
        self._lock, self._code = threading.Lock(), None

    def kill(self):
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def poll(self):
        """Return the exit code, or ``None`` while the process runs."""
        return self.wait() if self._code is not None or _is_ready(self._ended) else None

    def wait(self):
        """Return the exit code, negative if a signal ended the process."""
        with self._lock:
            if self._code is None:
                (self._code,) = _CODE.unpack(os.read(self._ended, _CODE.size))
                os.close(self._ended)
            return self._code


def _is_ready(descriptor):
    return bool(select.select([descriptor], [], [], 0)[0])


def serve(control):
    """Import what collectors need, and then fork one for every request."""
    import gymnasium_robotics  # noqa: F401

    import headstart.rollout.collector  # noqa: F401

    gc.freeze()
    children = {}
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(waking)
    while True:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _report_ended(children)
        if control in ready:
            request, descriptors, *_ = socket.recv_fds(control, _LONGEST_REQUEST, 4)
            if not request:
                return
            *streams, ending = descriptors
            child = os.fork()
            if child == 0:
                _become(*pickle.loads(request), streams)
            children[child] = ending
            os.write(ending, _CODE.pack(child))
            for descriptor in streams:
                os.close(descriptor)


def _report_ended(children):
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        ending = children.pop(child)
        # Nobody may wait for it any more.
        with contextlib.suppress(OSError):
            os.write(ending, _CODE.pack(os.waitstatus_to_exitcode(status)))
        os.close(ending)


def _become(program, name, environment, directory, streams):
    """Be ``python -P -c PROGRAM NAME``, and end as it ends."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        os.closerange(3, max(streams) + 2)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(directory)
        sys.stdin = os.fdopen(0)
        sys.argv = ["-c", name]
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(program, vars(main))
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
