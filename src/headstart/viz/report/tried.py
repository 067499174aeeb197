"""The sections of a report on episodes that were run for it."""

import base64
from collections import Counter
from collections.abc import Sequence

import numpy as np

from headstart.text import counted
from headstart.training.evaluation import wilson_interval
from headstart.viz.report.chart import STYLES, Chart, Series
from headstart.viz.report.html import bar, section, table, text, with_interval
from headstart.viz.report.reading import Group, mean_and_interval
from headstart.viz.report.sections import key
from headstart.viz.report.trials import SEED, Shot, Trials

Tried = Sequence[tuple[Group, Trials]]


def measured(tried: Tried) -> str:
    """Return success on episodes that no policy was chosen by: all, regions, components."""
    rows = []
    for group, trials in tried:
        style, name = group.style % STYLES, key(group) + text(group.name)
        rates = [trial.result.success_rate for trial in trials.runs]
        count = sum(len(trial.episodes) for trial in trials.runs)
        done = sum(len(trial.done) for trial in trials.runs)
        rows.append([name, "all goals", str(count), _rate(rates, count, style)])
        for region in sorted({part for trial in trials.runs for part in trial.result.parts}):
            parts = [p for trial in trials.runs if (p := trial.result.parts.get(region))]
            count = sum(part.episodes for part in parts)
            rates = [part.success_rate for part in parts]
            rows.append([name, f"goals: {text(region)}", str(count), _rate(rates, count, style)])
        for component in trials.runs[0].result.components:
            rates = [trial.result.components.get(component, 0.0) for trial in trials.runs]
            rows.append(
                [name, f"component: {text(component)}", str(done), _rate(rates, done, style)]
            )
        endings: Counter[str] = Counter()
        for trial in trials.runs:
            endings.update(trial.result.endings)
        rows += [[name, f"ended: {text(it)}", str(number), ""] for it, number in endings.items()]
    note = (
        f"Greedy episodes of each run's best policy, run for this report with seed {SEED}: no "
        "policy was chosen by them."
    )
    head = ["runs", "what", "episodes", "success (95% interval)"]
    return section("Success, measured", table("Success, measured", head, rows), note=note)


def _rate(rates: Sequence[float], count: int, style: int) -> str:
    """Return a rate with its interval: over seeds where there are some, else over episodes."""
    if len(rates) > 1:
        mean, low, high = mean_and_interval(np.array(rates))
    else:
        mean = rates[0]
        low, high = wilson_interval(round(mean * count), count)
    return f"{bar(mean, style)} {with_interval(mean, low, high)}"


def time_to_success(tried: Tried) -> str:
    """Return the share of episodes that have reached their goal, over steps."""
    series = []
    for group, trials in tried:
        reached = trials.reached_by_step()
        steps = np.arange(1.0, len(reached) + 1)
        series.append(Series(group.name, group.style % STYLES, steps, reached))
    title = "share of episodes that have reached their goal"
    chart = Chart(title, "step of the episode", series, is_rate=True)
    return section("Time to success", chart.figure("time-to-success"))


def films(shots: Sequence[tuple[str, Shot]], trouble: str = "") -> str:
    """Return films side by side.

    Args:
        shots: name of the group, and film.
        trouble: why there are none, if something went wrong.
    """
    parts = [
        f'<figure class="film"><video controls loop muted playsinline preload="metadata" '
        f'poster="{_data("image/jpeg", shot.poster)}" '
        f'aria-label="{text(name)}: {text(shot.title)}" src="{_data("video/mp4", shot.video)}">'
        f"</video><figcaption>{text(name)}: {text(shot.title)}</figcaption></figure>"
        for name, shot in shots
    ]
    note = text(trouble) if trouble else "Failures first; one success where nothing failed."
    content = f'<div class="films">{"".join(parts)}</div>' if parts or trouble else ""
    return section("Films", content, note=note)


def found_films(groups: Sequence[Group], most_bytes: int) -> list[tuple[str, Shot]]:
    """Return the films that lie in the run directories, within a number of bytes."""
    shots = []
    for group in groups:
        for run in group.runs:
            for path in sorted(run.path.glob("*.mp4")):
                size = path.stat().st_size
                if size <= most_bytes:
                    most_bytes -= size
                    shots.append((run.path.name, Shot(path.name, path.read_bytes(), b"")))
    return shots


def describe(tried: Tried) -> str:
    """Return how many episodes were run, for the head of the page."""
    total = sum(len(trial.episodes) for _, trials in tried for trial in trials.runs)
    return counted(total, "episode")


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}" if content else ""
