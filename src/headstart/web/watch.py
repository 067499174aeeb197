"""The live page of runs: reads what they write, and never writes."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from headstart.envs.make import make_env
from headstart.errors import InputError, RunError
from headstart.files.run_files import CONFIG, LATEST, METRICS, POLICIES, policy_file, runs_below
from headstart.policy import load_policy
from headstart.rollout.behaviour import fit_policy
from headstart.rollout.job import EVALUATION, EpisodeJob
from headstart.runs.lock import is_held
from headstart.runs.record import read_record
from headstart.text import counted, printable
from headstart.viz.gl import select_backend
from headstart.viz.report import sections
from headstart.viz.report.html import table, text
from headstart.viz.report.reading import RunFacts, group_facts, read_facts
from headstart.viz.strips import Strip, film_strip
from headstart.web.server import File, PageServer, page_files

LOOK_EVERY = 0.5
"""Seconds between two looks at the files."""
_MOST_RUNS = 64
EnvOf = Callable[[Path, str], str]


class RunsPage:
    """What the page shows: runs as their files are now.

    Args:
        places: run directories, or directories that runs lie in.
        episodes: how many to film of the newest policy.
        env_of: returns the environment for the run of a directory, whose record names one.
    """

    def __init__(self, places: Sequence[Path], *, episodes: int, env_of: EnvOf) -> None:
        self._places, self._episodes, self._env_of = places, episodes, env_of
        self._seen: Mapping[Path, object] | None = None
        self._filmed: tuple[Path, object] | None = None
        self._newest: Path | None = None

    def look(self) -> dict[str, Any] | None:
        """Return a message for the page if the files have changed since the last look."""
        found = {path: _stamp(path) for path in self._runs()}
        if found == self._seen:
            return None
        self._seen = found
        facts, waiting = [], []
        for path in found:
            try:
                facts.append(read_facts(path))
            except InputError as error:
                waiting.append(printable(error))
        self._newest = max((run.path for run in facts), key=_policy_time, default=None)
        head, rest = _content(facts, waiting)
        updated = max(map(_changed_at, found), default=0.0)
        return {"runs": head, "rest": rest, "updated": updated}

    def strips(self) -> tuple[list[Strip], str] | None:
        """Return strips of the newest policy, failures first, and words on them.

        ``None`` if they are those of the last time, or there is no policy yet.
        """
        path = self._newest
        if path is None or not self._episodes:
            return None
        filmed = path, _policy_time(path)
        if filmed == self._filmed:
            return None
        self._filmed = filmed
        try:
            strips = self._film(path)
        except (InputError, RunError) as error:
            return [], f"no pictures: {printable(error)}"
        count = counted(sum(not strip.success for strip in strips), "failure")
        return strips, f"newest policy of {printable(path.name)}: {count} of {len(strips)}"

    def _film(self, path: Path) -> list[Strip]:
        env_id = self._env_of(path, read_record(path).env_id)
        select_backend()
        with contextlib.closing(make_env(env_id, render_mode="rgb_array")) as env:
            policy = fit_policy(load_policy(_policy(path)), env)
            jobs = [EpisodeJob(policy, 0, EVALUATION, index) for index in range(self._episodes)]
            strips = [film_strip(env, job) for job in jobs]
        return sorted(strips, key=lambda strip: strip.success)

    def _runs(self) -> list[Path]:
        """Return the run directories of now: more may appear below a directory."""
        runs: list[Path] = []
        for place in self._places:
            if (place / CONFIG).is_file():
                runs.append(place)
            else:
                runs += runs_below(place)
        return runs[:_MOST_RUNS]


def runs_files() -> dict[str, File]:
    """Return the files of the page; charts look and work as in a report."""
    files = page_files("watch.html", "watch.js", "link.js", "watch.css")
    for path, name, kind in (
        ("/report.css", "style.css", "text/css"),
        ("/report.js", "page.js", "text/javascript"),
    ):
        content = (resources.files("headstart.viz.report") / name).read_bytes()
        files[path] = File(content, f"{kind}; charset=utf-8", is_public=True)
    return files


class Teller:
    """Sends what has changed to all pages, and everything to one that is new."""

    def __init__(self, server: PageServer, page: RunsPage) -> None:
        self._server, self._page = server, page
        self._runs: dict[str, Any] | None = None
        self._strips: tuple[list[Strip], str] | None = None
        self._clients: set[int] = set()

    def once(self) -> None:
        """Look at the files, and send what there is to send."""
        news = {event.client for event in self._server.events() if event.kind == "joined"}
        self._clients |= news
        changed = self._page.look()
        self._runs = changed or self._runs
        for client in [None] if changed else list(news):
            if self._runs is not None:
                self._server.say(self._runs, client)
        # Nobody who looks, nothing that is filmed.
        strips = self._page.strips() if self._clients else None
        self._strips = strips or self._strips
        if self._strips is not None and (strips or news):
            self._send(*self._strips)

    def _send(self, strips: Sequence[Strip], words: str) -> None:
        captions = [
            f"success, first at step {strip.steps_to_success}" if strip.success else "failure"
            for strip in strips
        ]
        self._server.say({"strips": captions, "words": words})
        for view, strip in enumerate(strips):
            self._server.show(view, strip.picture)


def _content(facts: Sequence[RunFacts], waiting: Sequence[str]) -> tuple[str, str]:
    """Return the parts of the page on runs, as HTML: what changes most, and the rest."""
    states = _states(facts, waiting)
    if not facts:
        return states, ""
    groups = group_facts(facts)
    parts = (sections.summary, sections.parts, sections.times, sections.settings)
    return states + sections.curves(groups), "".join(part(groups) for part in parts)


def _states(facts: Sequence[RunFacts], waiting: Sequence[str]) -> str:
    rows = []
    for run in facts:
        rate = f"{run.rows[-1]['eval/success_rate']:.1%}"
        rows.append([text(run.path.name), _state(run), _progress(run), rate])
    rows += [[text(words), "", "", ""] for words in waiting]
    if not rows:
        return "<p>There is no run yet.</p>"
    return table("State of the runs", ["run", "state", "env steps", "last evaluation"], rows)


def _state(run: RunFacts) -> str:
    held = is_held(run.path)
    if held:
        return "running"
    if run.rows[-1]["time/env_steps"] >= run.record.config.env_steps:
        return "finished"
    return "stopped" if held is False else "not finished"


def _progress(run: RunFacts) -> str:
    steps = run.rows[-1]["time/env_steps"]
    return f"{steps:,.0f} of {run.record.config.env_steps:,}"


def _stamp(path: Path) -> object:
    """Return what changes when a run has written something, or ends."""
    stamps = []
    for name in (METRICS, CONFIG):
        with contextlib.suppress(OSError):
            found = os.stat(path / name)
            stamps.append((found.st_mtime_ns, found.st_size))
    return stamps, _policy_time(path), is_held(path)


def _changed_at(path: Path) -> float:
    """Return when a run has written metrics last, in seconds since 1970."""
    try:
        return os.stat(path / METRICS).st_mtime
    except OSError:
        return 0.0


def _policy(path: Path) -> Path:
    return path / POLICIES / policy_file(LATEST)


def _policy_time(path: Path) -> int:
    try:
        return os.stat(_policy(path)).st_mtime_ns
    except OSError:
        return 0
