"""The report as one file that opens offline."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from importlib.metadata import version
from pathlib import Path

from headstart.errors import InputError, require
from headstart.files.atomic import replace_file
from headstart.files.output import check_output
from headstart.files.paths import user_path
from headstart.rollout.executors import Collectors
from headstart.text import counted
from headstart.viz.report import sections, tried
from headstart.viz.report.html import percent, text
from headstart.viz.report.reading import Group, mean_and_interval, read_groups
from headstart.viz.report.trials import Shot, Trials, film_trials, try_group

PAGES = (".html", ".htm")
_MOST_FILMS_BYTES = 1_800_000
"""With all else and a third more for the encoding, the page stays below 3 MB."""
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'unsafe-inline'; script-src 'sha256-{hash}'; img-src data:; media-src data:; \
base-uri 'none'; form-action 'none'">
<meta name="generator" content="headstart {version}">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header><h1>{title}</h1><p class="lead">{lead}</p>{heads}</header>
<main>
{main}
</main>
<footer>Made by headstart {version}. This page loads nothing from elsewhere.</footer>
<script>{script}</script>
</body>
</html>
"""


def write_report(
    directories: str | Path | Iterable[str | Path],
    path: str | Path,
    *,
    episodes: int = 0,
    films: int = 3,
    env: str | Callable[[Group], str] | None = None,
    collectors: Collectors = 0,
    title: str = "",
    on_episode: Callable[[object], None] = lambda _: None,
) -> None:
    """Write one page of HTML on runs, which needs no other file and no network.

    Runs that differ in their seed alone are one group: interquartile means over seeds, and 95%
    stratified bootstrap intervals.

    Args:
        directories: run directories.
        path: ``.html`` file to write; it holds the old page or the whole new one, never a part.
        episodes: greedy episodes to run of the best policy of each run, for success by component,
            time to success, and films; 0 makes the page of the runs' files alone.
        films: how many of them to film for each group, failures first.
        env: environment of these episodes, if not the runs' own.
        collectors: processes, or a Ray cluster, that run them.
        title: of the page; the names of the tasks by default.
        on_episode: called with each of them.

    Raises:
        InputError: if a directory is not that of a run, or the file cannot be written.
    """
    require(episodes >= 0, "episodes must not be negative", episodes)
    require(films >= 0, "films must not be negative", films)
    path = user_path(path)
    check_output(path, "a report", PAGES)
    given = [directories] if isinstance(directories, str | Path) else list(directories)
    groups = read_groups([user_path(each) for each in given])
    trials: list[tuple[Group, Trials]] = []
    for group in groups if episodes else ():
        env_id = env(group) if callable(env) else env or group.first.record.env_id
        trials.append((group, try_group(group, env_id, episodes, collectors, on_episode)))
    page = render(groups, trials, films=films, title=title)
    try:
        replace_file(path, page.encode())
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def render(groups: Sequence[Group], trials: tried.Tried, *, films: int, title: str) -> str:
    """Return the page."""
    tasks = ", ".join(dict.fromkeys(group.first.curve.env_id for group in groups))
    parts = [
        sections.summary(groups),
        tried.measured(trials) if trials else "",
        sections.curves(groups),
        sections.parts(groups),
        tried.time_to_success(trials) if trials else "",
        _films(groups, trials, films),
        sections.demonstrations(groups),
        sections.settings(groups),
        sections.times(groups),
        sections.reproduction(groups),
    ]
    num_runs = sum(len(group.runs) for group in groups)
    lead = f"{counted(num_runs, 'run')} in {counted(len(groups), 'group')}" + (
        f", and {tried.describe(trials)} run for this page" if trials else ""
    )
    script = _resource("page.js")
    digest = hashlib.sha256(script.encode()).digest()
    return _PAGE.format(
        hash=base64.b64encode(digest).decode(),
        version=version("headstart"),
        title=text(title or tasks),
        lead=lead,
        style=_resource("style.css"),
        heads=_heads(groups),
        main="\n".join(filter(None, parts)),
        script=script,
    )


def _heads(groups: Sequence[Group]) -> str:
    """Return the success of each group in large figures, of the first few."""
    items = [
        f"<li><b>{percent(mean_and_interval(group.last('eval/success_rate'))[0])}</b>"
        f"<span>{text(group.name)}</span></li>"
        for group in groups[:4]
    ]
    return f'<ul class="heads">{"".join(items)}</ul>'


def _films(groups: Sequence[Group], trials: tried.Tried, most: int) -> str:
    """Return films of what was tried, or those that lie in the run directories."""
    if not trials:
        return tried.films(tried.found_films(groups, _MOST_FILMS_BYTES))
    shots: list[tuple[str, Shot]] = []
    left, trouble = _MOST_FILMS_BYTES, ""
    try:
        for group, group_trials in trials if most else ():
            for shot in film_trials(group_trials, most):
                left -= len(shot.video) + len(shot.poster)
                if left > 0:
                    shots.append((group.name, shot))
    except InputError as error:
        trouble = f"no films: {error}"
    return tried.films(shots, trouble)


def _resource(name: str) -> str:
    return (resources.files("headstart.viz.report") / name).read_text(encoding="utf-8")
