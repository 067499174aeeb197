"""``run_sweep``: many runs, some at a time, resumable as each of them is."""

import contextlib
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from headstart.errors import InputError, RunError
from headstart.files.run_files import CONFIG, SWEEP
from headstart.runs.lock import is_held, locked
from headstart.runs.signals import StopRequest, stop_signals
from headstart.sweeps.launcher import Launcher, Running
from headstart.sweeps.plan import Plan
from headstart.sweeps.results import Result, read_results, read_rows, write_results
from headstart.sweeps.spec import RunSpec
from headstart.sweeps.state import JOBS, RunState, read_state, write_state
from headstart.text import counted

_LOOK_EVERY = 0.2  # seconds
_MAY_GROW = ("seeds", "grid")


class Watcher(Protocol):
    """Is shown how the runs of a sweep get on."""

    def begun(self, spec: RunSpec) -> None:
        """Called when a run is started or continued."""

    def ended(self, result: Result) -> None:
        """Called when a run has ended."""

    def looked(self, results: Sequence[Result]) -> None:
        """Called a few times a second."""


def run_sweep(
    out: Path,
    plan: Plan,
    launcher: Launcher,
    *,
    retry_failed: bool = False,
    watcher: Watcher | None = None,
) -> list[Result]:
    """Run all runs of a sweep that are not over, each in a directory in ``out``.

    A sweep that was stopped or killed is continued by the same call: runs that are over are left
    as they are, others continue to the same bits as if they had never stopped.

    Args:
        out: the directory of the sweep.
        plan: what to run.
        launcher: who runs it.
        retry_failed: whether runs that have failed are continued from their last checkpoint.
        watcher: is shown how they get on.

    Raises:
        InputError: if the directory holds something else, or another process is working on it.
        KeyboardInterrupt: if a signal asked for it, once all runs are saved.
        RunError: if the results cannot be written.
    """
    open_directory(out, plan.identity)
    with locked(out), stop_signals() as stop:
        sweep = _Sweep(out, launcher, plan.identity, stop, watcher)
        while specs := plan.more(sweep.results):
            sweep.run(specs, retry_failed=retry_failed)
        return sweep.results


def open_directory(out: Path, identity: Mapping[str, Any]) -> None:
    """Make the directory of a sweep, or make sure that it is the one of this sweep.

    Raises:
        InputError: if it holds something else, or cannot be written.
    """
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if os.path.exists(out / SWEEP):
        if difference := differs(read_results(out), identity):
            raise InputError(f"{out}: holds another sweep, {difference}; choose another --out")
    elif os.path.exists(out) and (not os.path.isdir(out) or any(out.iterdir())):
        raise InputError(f"{out}: already holds something else than a sweep; choose another --out")
    try:
        (out / JOBS).mkdir(parents=True, exist_ok=True)
        if not (out / SWEEP).exists():
            write_results(out, identity, [])
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from error


def differs(content: Mapping[str, Any], identity: Mapping[str, Any]) -> str | None:
    """Return what of a stored sweep differs from this one.

    One that has grown, by seeds or values, is the same: every run of it is still there.

    Args:
        content: of its ``sweep.json``.
        identity: of this sweep.
    """
    before = content.get("sweep")
    if not isinstance(before, dict):
        return "of which nothing is known"
    for name in (*identity, *before):
        old, new = before.get(name), identity.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            pairs = {f"{name} {key}": (old.get(key), new.get(key)) for key in {**old, **new}}
        else:
            pairs = {name: (old, new)}
        for what, (one, other) in pairs.items():
            if one != other and not (name in _MAY_GROW and _grown(one, other)):
                return f"{what} {_short(one)} and not {_short(other)}"
    return None


def _grown(old: Any, new: Any) -> bool:
    return isinstance(old, list) and isinstance(new, list) and all(it in new for it in old)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


class _Sweep:
    """The runs so far, and those that are under way."""

    def __init__(
        self,
        out: Path,
        launcher: Launcher,
        identity: Mapping[str, Any],
        stop: StopRequest,
        watcher: Watcher | None,
    ) -> None:
        self._out, self._launcher, self._identity = out, launcher, identity
        self._stop, self._watcher = stop, watcher
        self._results: dict[str, Result] = {}
        self._running: dict[str, Running] = {}

    @property
    def results(self) -> list[Result]:
        """Of all runs that were asked for so far."""
        return list(self._results.values())

    def run(self, specs: Sequence[RunSpec], *, retry_failed: bool) -> None:
        """Run those of some runs that are not over, to their end."""
        waiting = deque(specs)
        for spec in specs:
            if spec.name in self._results:
                raise InputError(f"two runs would both be called {spec.name}")
            state = read_state(self._out, spec.name)
            is_over = self._is_over(spec, state, retry_failed)
            self._note(spec, state if is_over else replace(state, stage="waiting", error=None))
            if is_over:
                waiting.remove(spec)
        self._write()
        with self._ending():
            while waiting or self._running:
                self._start(waiting)
                self._settle()
                if self._stop.made:
                    self._interrupt()
                self._wait()
        self._write(must=True)

    def _is_over(self, spec: RunSpec, state: RunState, retry_failed: bool) -> bool:
        if state.stage == "failed":
            return not retry_failed
        # One whose directory was deleted begins again.
        return state.stage == "finished" and (self._out / spec.name / CONFIG).is_file()

    def _start(self, waiting: deque[RunSpec]) -> None:
        """Start what there is room for."""
        for spec in list(waiting):
            if self._stop.made or not self._launcher.has_room(spec):
                return
            # One whose sweep was killed may still be saving.
            if is_held(self._out / spec.name):
                continue
            waiting.remove(spec)
            if read_state(self._out, spec.name).is_over:
                # Should it end without a word, its earlier end would be taken for it.
                self._remember(spec.name, RunState(stage="running"))
            self._note(spec, replace(self._results[spec.name].state, stage="running"))
            self._running[spec.name] = self._launcher.start(spec, self._out)
            if self._watcher is not None:
                self._watcher.begun(spec)

    def _settle(self) -> None:
        """See how those that run get on."""
        for name, running in list(self._running.items()):
            # First: what a process writes before it ends is there then.
            how = running.ended()
            spec, state = self._results[name].spec, read_state(self._out, name)
            if how is None:
                self._note(spec, replace(state, stage="running"))
                continue
            del self._running[name]
            if not state.is_over and not self._stop.made:
                error = "it was stopped by a signal" if state.stage == "stopped" else how
                state = replace(state, stage="failed", error=error)
                self._remember(name, state)
            self._note(spec, state if state.is_over else replace(state, stage="stopped"))
            self._write()
            if self._watcher is not None:
                self._watcher.ended(self._results[name])
        if self._watcher is not None:
            self._watcher.looked(self.results)

    def _interrupt(self) -> None:
        """Stop all runs where they can be resumed, and this one with them."""
        for running in self._running.values():
            running.stop()
        while self._running:
            self._settle()
            self._wait()
        total = len(self.results)
        done = sum(result.state.is_over for result in self.results)
        rest = "" if done == total else ", the rest saved"
        raise KeyboardInterrupt(f"interrupted with {done} of {counted(total, 'run')} over{rest}")

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        """End what still runs, should this end otherwise than in order."""
        try:
            yield
        finally:
            for running in self._running.values():
                running.kill()
            self._running.clear()

    def _note(self, spec: RunSpec, state: RunState) -> None:
        rows = read_rows(self._out / spec.name) if state.stage != "running" else ()
        self._results[spec.name] = Result(spec=spec, state=state, rows=rows)

    def _remember(self, name: str, state: RunState) -> None:
        """Write what a run cannot say itself."""
        with contextlib.suppress(OSError):
            write_state(self._out, name, state)

    def _wait(self) -> None:
        # Each look reads a file for each run.
        time.sleep(_LOOK_EVERY * max(1.0, len(self._running) / 20))

    def _write(self, *, must: bool = False) -> None:
        """Write the results; on a disk that refuses they come later, but for those of the end."""
        try:
            write_results(self._out, self._identity, self.results)
        except OSError as error:
            if must:
                where = self._out / SWEEP
                raise RunError(f"{where}: cannot be written ({error.strerror})") from error
