"""The sections of a report that need no episode to be run: they are in the runs' own files."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headstart.data.statistics import curve_interval, interquartile_mean
from headstart.dotted import walk
from headstart.presets import PRESETS
from headstart.runs.changes import describe_changes, train_command
from headstart.runs.curves import CURVES, align
from headstart.text import counted
from headstart.viz.report.chart import STYLES, Chart, Series, number
from headstart.viz.report.html import bar, percent, section, table, text, with_interval
from headstart.viz.report.reading import Group, demos_of, mean_and_interval, report_rng

_RATE = "eval/success_rate"
_TIMES = {
    "wall clock": "wall",
    "cloning": "cloning",
    "updates": "update",
    "sampling": "sampling",
    "acting": "acting",
    "waiting": "waiting",
    "evaluation": "evaluation",
    "saving": "checkpoint",
}
_INTERVALS = (
    "Lines and numbers are interquartile means over seeds (of fewer than four seeds, means), bands "
    "and brackets 95% stratified bootstrap intervals (Agarwal et al. 2021)."
)


def summary(groups: Sequence[Group]) -> str:
    """Return what was run and what it scores, one row a group."""
    rows = []
    for group in groups:
        rate = mean_and_interval(group.last(_RATE))
        best = mean_and_interval(np.array([max(r[_RATE] for r in run.rows) for run in group.runs]))
        seconds = group.last("time/wall_seconds")
        rows.append([
            key(group) + text(group.name),
            text(group.first.curve.env_id),
            str(len(group.runs)),
            number(float(np.median(group.last("time/env_steps")))),
            f"{bar(rate[0], group.style % STYLES)} {with_interval(*rate)}",
            percent(best[0]),
            duration(float(np.median(seconds))) if len(seconds) else "",
        ])  # fmt: skip
    head = ["runs", "task", "seeds", "env steps", "success at the end", "best", "time"]
    note = (
        "Success at the last step of greedy episodes, in the evaluations of the runs themselves; "
        "they also choose the best policy, so <em>best</em> is what is hoped for and not what is "
        f"measured. {_INTERVALS if any(len(it.runs) > 1 for it in groups) else ''}"
    )
    return section("Results", table("Runs and their success", head, rows), note=note)


def curves(groups: Sequence[Group]) -> str:
    """Return success rate and mean Q against env steps."""
    figures = []
    for metric, title in CURVES.items():
        series = []
        for group in groups:
            steps, values = align([run.curve for run in group.runs], metric)
            ends = curve_interval(values, rng=report_rng()) if len(values) > 1 else (None, None)
            mean = interquartile_mean(values)
            series.append(Series(group.name, group.style % STYLES, steps, mean, *ends))
        chart = Chart(title, "env steps", series, is_rate=metric == _RATE)
        figures.append(chart.figure(metric.replace("/", "-")))
    return section("Curves", f'<div class="charts">{"".join(figures)}</div>')


def parts(groups: Sequence[Group]) -> str:
    """Return success by region of the goal space and by component of the goal, at the end."""
    rows = []
    for group in groups:
        for what, prefix in (("goals", f"{_RATE}_"), ("component", "eval/component_")):
            for name in group.parts(prefix):
                rate = mean_and_interval(group.last(f"{prefix}{name}"))
                shown = f"{bar(rate[0], group.style % STYLES)} {with_interval(*rate)}"
                rows.append([key(group) + text(group.name), f"{what}: {text(name)}", shown])
    if not rows:
        return ""
    title = "Success by region and component"
    return section(
        title, table(f"{title}, at the last evaluation", ["runs", "what", "success"], rows)
    )


def times(groups: Sequence[Group]) -> str:
    """Return where the time of the runs went."""
    rows = []
    for group in groups:
        seconds = {name: group.last(f"time/{key}_seconds") for name, key in _TIMES.items()}
        if not all(len(found) for found in seconds.values()):
            continue
        parts = {name: float(np.median(found)) for name, found in seconds.items()}
        whole = max(parts.pop("wall clock"), 1e-9)
        parts["other"] = max(0.0, whole - sum(parts.values()))
        shares = [f"{part / whole:.0%}" for part in parts.values()]
        rows.append([key(group) + text(group.name), duration(whole), *shares])
    if not rows:
        return ""
    head = ["runs", *_TIMES, "other"]
    return section("Where the time went", table("Shares of the wall clock", head, rows))


def demonstrations(groups: Sequence[Group]) -> str:
    """Return what the runs learned from."""
    rows, any_known = [], False
    for group in groups:
        demos = demos_of(group.first)
        any_known |= demos is not None
        rows.append([key(group) + text(group.name), *_demo_cells(demos)])
    if not any_known:
        return ""
    head = ["runs", "episodes", "steps", "successful", "steps to success", "from"]
    return section("Demonstrations", table("Demonstrations of the first seed", head, rows))


def _demo_cells(demos: Mapping[str, Any] | None) -> list[str]:
    if demos is None:
        return ["none", "", "", "", ""]
    first, origin = demos.get("median_steps_to_success"), demos.get("expert")
    if demos.get("expanded"):
        origin = "expanded"
    shown = [demos.get("episodes", ""), demos.get("transitions", "")]
    rate = demos.get("success_rate")
    return [
        *map(text, shown),
        percent(rate) if isinstance(rate, float) else "",
        "" if first is None else f"{first:.0f} (median)",
        text(origin or demos.get("imported_from") or "not known"),
    ]


def settings(groups: Sequence[Group]) -> str:
    """Return the settings in which the groups differ from one another, or from the preset."""
    values = [
        {"task": it.first.record.env_id}
        | {each.name: each.value for each in walk(it.first.record.config) if each.name != "seed"}
        for it in groups
    ]
    if len(groups) == 1:
        values.append({each.name: each.value for each in walk(PRESETS["fast"])})
    rows = []
    for name in values[0]:
        found = [_shown(each.get(name, "")) for each in values]
        if len(set(found)) > 1 and (len(groups) > 1 or name != "task"):
            rows.append([f"<code>{text(name)}</code>", *map(text, found)])
    if not rows:
        return ""
    names = [text(group.name) for group in groups]
    head = ["setting", *names] + ["preset fast"] * (len(groups) == 1)
    return section("Settings that differ", table("Settings that differ", head, rows))


def reproduction(groups: Sequence[Group]) -> str:
    """Return the line that trains each group again, and what the results depend on."""
    parts = []
    for group in groups:
        record = group.first.record
        seeds = ", ".join(str(run.record.config.seed) for run in group.runs)
        changes = [
            f"changed at {number(float(change['env_steps']))} env steps: "
            f"{text(describe_changes(change['changed']))}"
            for run in group.runs
            for change in run.record.changes
            if {"env_steps", "changed"} <= change.keys()
        ]
        versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
        parts.append(
            f"<h3>{key(group)}{text(group.name)}</h3>"
            f'<pre class="command"><code>{text(train_command(record), None)}</code></pre>'
            f'<p class="note">{counted(len(group.runs), "seed")}: {text(seeds)}. {text(versions)}. '
            f"{' '.join(changes)}</p>"
        )
    note = "<code>demos.npz</code> is the file of that name in the run directory."
    return section("Run it again", *parts, note=note)


def key(group: Group) -> str:
    """Return the line of a group as it is in charts."""
    style = group.style % STYLES
    return (
        f'<svg class="key" viewBox="0 0 26 8" aria-hidden="true">'
        f'<path class="line s{style}" d="M1 4H25"/></svg>'
    )


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
