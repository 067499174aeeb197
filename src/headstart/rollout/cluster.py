"""Episodes on a Ray cluster, through a process that speaks with Ray."""

import contextlib
import itertools
import logging
import os
import pickle
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from headstart.data.episode import Episode
from headstart.envs.make import env_source, make_env
from headstart.envs.source import EnvLike
from headstart.errors import InputError, RunError
from headstart.rollout.deferred import Deferred, refuse
from headstart.rollout.job import EpisodeJob
from headstart.rollout.limits import EPISODE_TIMEOUT
from headstart.rollout.pickled import pickle_bare_job, pickle_policies, pickle_source
from headstart.rollout.processes import child_command, deadline, module_path
from headstart.rollout.ray_protocol import (
    LOCAL,
    RAY,
    Asked,
    Opened,
    Setup,
    installed_versions,
)
from headstart.rollout.worker import Answer, run_attempts
from headstart.text import printable

_log = logging.getLogger("headstart")
_REACH_SECONDS, _CONNECT_SECONDS, _START_SECONDS, _END_SECONDS = 10.0, 120.0, 600.0, 30.0
_LONGEST_PLACE = 40
_ADDRESS = re.compile(r"(?:ray://)?(?P<host>\[[^\[\]]+\]|[^\s/:]+):(?P<port>\d{1,5})")


class RayExecutor:
    """Runs jobs in the collectors of a Ray cluster, one for each of its processors.

    A process beside this one speaks with Ray. What Ray prints, the signals that it handles and its
    end when the cluster is lost stay in there. A policy is sent to the cluster once and not with
    each job. Jobs of nodes and workers that are lost are run again by Ray, and do not count as
    ``repeated``; episodes that fail or hang are run again as by collectors on this machine.

    Args:
        env: the environment, all that ``make_env`` takes; the nodes can import what it needs.
        address: ``"ray"`` for the cluster that the variable ``RAY_ADDRESS`` names, or else a Ray on
            this machine that ends with the executor; ``"ray://HOST:PORT"`` for a Ray Client server.
        timeout: seconds that an episode may take.
        is_built: whether the environment has been built in this process, and so can be.

    Raises:
        InputError: if the environment cannot be built or sent, Ray is not installed, or there is no
            cluster at the address.
    """

    def __init__(
        self,
        env: EnvLike,
        address: str = RAY,
        timeout: float = EPISODE_TIMEOUT,
        *,
        is_built: bool = False,
    ) -> None:
        source = env_source(env)
        content = pickle_source(source)
        address = find_cluster(address)
        if find_spec("ray") is None:
            raise InputError(
                "episodes on a cluster need the package ray: run `pip install 'headstart[cluster]'`"
            )
        if not is_built:
            make_env(source).close()
        self.repeated = 0
        self._name = source.name
        name, path = printable(source.name), tuple(module_path())
        self._driver = _Driver(address, Setup(name, content, timeout, path, installed_versions()))

    @property
    def at_once(self) -> int:
        """How many jobs the cluster could run at once when it was connected."""
        return self._driver.opened.slots

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all collectors so far."""
        return self._driver.cpu_seconds

    def submit(self, jobs: Sequence[EpisodeJob]) -> Sequence[Deferred]:
        """Ask for episodes; they come in the order of the jobs, with policies as they are now."""
        policies = pickle_policies(jobs)
        pending: list[Deferred] = []
        for key, group in itertools.groupby(jobs, key=lambda job: id(job.policy)):
            policy, alike = policies[key], list(group)
            if isinstance(policy, InputError):
                pending += [Deferred(partial(refuse, policy)) for _ in alike]
                continue
            first = self._driver.ask(policy, [pickle_bare_job(job) for job in alike])
            pending += [
                Deferred(partial(self._run, job, policy, [answer]))
                for job, answer in zip(alike, first, strict=True)
            ]
        return pending

    def close(self) -> None:
        """Disconnect, which ends what the cluster still runs, and the Ray of this machine's own."""
        self._driver.stop()

    def _run(self, job: EpisodeJob, policy: bytes, asked: "list[Future[Answer]]") -> Episode:
        def attempt() -> Answer:
            if not asked:
                asked.extend(self._driver.ask(policy, [pickle_bare_job(job)]))
            return asked.pop().result()

        return run_attempts(self, self._name, job, attempt)

    def __enter__(self) -> "RayExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Driver:
    """The process that speaks with Ray, seen from here."""

    def __init__(self, address: str, setup: Setup) -> None:
        self.cpu_seconds = 0.0
        self._called = "of its own" if address == LOCAL else f"at {address}"
        self._asked: dict[int, Future[Answer]] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._lost: RunError | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._place = tempfile.mkdtemp(prefix="ray-", dir=_short_directory())
        self._process = subprocess.Popen(
            child_command("ray_driver", setup.name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, **_surroundings(address)},
        )
        try:
            self.opened = self._open(address, setup)
        except BaseException:
            self.stop()
            raise
        self._reader = threading.Thread(target=self._read, name="headstart-ray", daemon=True)
        self._reader.start()

    def ask(self, policy: bytes, jobs: Sequence[bytes]) -> "list[Future[Answer]]":
        """Ask for the answers to jobs, without their policy, that have this one."""
        with self._lock:
            numbers = [next(self._numbers) for _ in jobs]
            futures: list[Future[Answer]] = [Future() for _ in jobs]
            if self._lost is not None:
                for future in futures:
                    future.set_exception(self._lost)
                return futures
            self._asked.update(zip(numbers, futures, strict=True))
            # What became of the process, the thread that reads its answers says.
            with contextlib.suppress(OSError, ValueError):
                self._send(Asked(policy, list(zip(numbers, jobs, strict=True))))
        return futures

    def stop(self) -> None:
        """End the process, and with it a Ray of its own."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._process.kill()
        self._process.wait()
        self._said.close()
        shutil.rmtree(self._place, ignore_errors=True)

    def _open(self, address: str, setup: Setup) -> Opened:
        assert self._process.stdout is not None
        seconds = _START_SECONDS if address == LOCAL else _CONNECT_SECONDS
        with deadline(self._process, seconds) as passed:
            try:
                self._send(list(setup.path), address, self._place, setup)
                opened = pickle.load(self._process.stdout)
            except (EOFError, OSError, pickle.UnpicklingError):
                self._process.wait()
                opened = f"no answer within {seconds:g} s"
                if not passed.is_set():
                    opened = f"its driver ended: {self._last_line()}"
        if isinstance(opened, Opened):
            self._warn_of(opened)
            return opened
        raise InputError(f"the Ray cluster {self._called} cannot be used: {printable(opened, 500)}")

    def _warn_of(self, opened: Opened) -> None:
        if not opened.has_token:
            _log.warning(
                "the Ray cluster %s asks for no token: anyone who reaches its ports can run "
                "programs there; see docs/cluster.md",
                self._called,
            )
        if not opened.slots:
            _log.warning("the Ray cluster %s has no processors: episodes wait", self._called)

    def _send(self, *values: Any) -> None:
        assert self._process.stdin is not None
        for value in values:
            pickle.dump(value, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
            while True:
                number, answer, seconds = pickle.load(self._process.stdout)
                self.cpu_seconds += seconds
                self._asked.pop(number).set_result(answer)
        reason = self._last_line()
        with self._lock:
            self._lost = RunError(f"the Ray cluster {self._called} is lost: {reason}")
            for future in self._asked.values():
                future.set_exception(self._lost)

    def _last_line(self) -> str:
        """Return the last that Ray printed."""
        with contextlib.suppress(OSError, ValueError):
            self._said.seek(0)
            lines = self._said.read().decode(errors="replace").split("\n")
            return printable(next((line for line in reversed(lines) if line.strip()), "no reason"))
        return "it was closed"


def find_cluster(address: str, option: str = "collectors") -> str:
    """Return the address of a cluster that can be reached, or that one is to be started here.

    Args:
        address: ``"ray"`` for the one that ``RAY_ADDRESS`` names, or its own.
        option: what was given it, for messages.

    Raises:
        InputError: if it is none, or nothing answers there.
    """
    named = os.environ.get("RAY_ADDRESS", "").strip() or LOCAL if address == RAY else address
    if named in (LOCAL, "auto"):
        return named
    called = f"RAY_ADDRESS {named!r}" if address == RAY else f"{option} {named!r}"
    match = _ADDRESS.fullmatch(named)
    if match is None or int(match["port"]) > 65535:
        expected = "HOST:PORT, ray://HOST:PORT or auto" if address == RAY else "ray://HOST:PORT"
        raise InputError(f"{printable(called)}: must be {expected}, e.g. ray://head:10001")
    try:
        host = match["host"].strip("[]")
        socket.create_connection((host, int(match["port"])), timeout=_REACH_SECONDS).close()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(
            f"{printable(called)}: nothing answers there ({reason}); is `ray start --head` running "
            f"on that machine, and its port open to this one?"
        ) from error
    return named


def _short_directory() -> str:
    """Return where temporary files may be with sockets among them, whose paths cannot be long."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= _LONGEST_PLACE or not os.path.isdir("/tmp") else "/tmp"


def _surroundings(address: str) -> dict[str, str]:
    """Return the variables with which Ray reports to nobody, and is closed to others."""
    said = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
    if address != LOCAL:
        return said
    # Its workers find this library where this process does.
    path = [os.environ.get("PYTHONPATH", ""), str(Path(__file__).parents[2])]
    said |= {"PYTHONPATH": os.pathsep.join(filter(None, path))}
    # Its workers are no nicer than other collectors, which would starve them on a busy machine.
    said |= {"RAY_ADDRESS": "", "RAY_AUTH_MODE": "token", "RAY_worker_niceness": "0"}
    # In no file: anyone who could read it could run programs here as this user.
    return {**said, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
