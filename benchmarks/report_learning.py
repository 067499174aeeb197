"""Tables and curves of learning results, from the files of ``learning.py``."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator
from report_demos import load

from headstart import TrainConfig
from headstart.dotted import walk

PICK = "FetchPickAndPlace-v4"
LABELS = {
    "pick-and-place-one-fast": f"{PICK}, **one** demonstration, `--expand 100`",
    "pick-and-place-one-as-it-is-fast": f"{PICK}, one demonstration as it is, `--expand 0`",
    "push-one-fast": "FetchPush-v4, one demonstration, `--expand 100`",
    "pick-and-place-nothing-fast": f"{PICK}, no demonstrations",
    "push-nothing-fast": "FetchPush-v4, no demonstrations",
    "pick-and-place-fast": f"{PICK}, 100 demonstrations",
    "pick-and-place-fast-bfloat16": "the same with `--matmul-precision bfloat16`",
    "pick-and-place-noisy-fast": f"{PICK}, 100 noisy ones (demonstrator: 53%)",
    "pick-and-place-half-failing-fast": f"{PICK}, 100, half to a wrong place",
    "pick-and-place-slow-fast": f"{PICK}, 100 slow ones",
    "pick-and-place-10-fast": f"{PICK}, 10 demonstrations, `--expand 0`",
    "pick-and-place-5-fast": f"{PICK}, 5 demonstrations, `--expand 0`",
    "push-fast": "FetchPush-v4, 100 demonstrations",
    "push-10-fast": "FetchPush-v4, 10 demonstrations",
    "slide-fast": "FetchSlide-v4, 100 demonstrations, `collect --noise 0.1`",
    "slide-nothing-fast": "FetchSlide-v4, no demonstrations",
    "metaworld-reach-one-fast": "MetaWorldReach-v3, **one** demonstration, `--expand 100`",
    "metaworld-push-one-fast": "MetaWorldPush-v3, **one** demonstration, `--expand 100`",
    "metaworld-pick-place-one-fast": "MetaWorldPickPlace-v3, **one** demonstration, `--expand 100`",
    "ogbench-cube-one-fast": "OGBenchCubeSingle-v0, **one** demonstration, `--expand 100`",
    "metaworld-pick-place-fast": "MetaWorldPickPlace-v3, 40 demonstrations, `--expand 0`",
    "metaworld-push-fast": "MetaWorldPush-v3, 40 demonstrations, `--expand 0`",
    "metaworld-reach-fast": "MetaWorldReach-v3, 40 demonstrations, `--expand 0`",
    "ogbench-cube-fast": "OGBenchCubeSingle-v0, 40 demonstrations, `--expand 0`",
    "panda-pick-and-place-nothing-fast": "PandaPickAndPlace-v3, no demonstrations",
    "panda-push-nothing-fast": "PandaPush-v3, no demonstrations",
    "ogbench-point-maze-fast": "OGBenchPointmazeMedium-v0, no demonstrations",
    "reach-fast": "FetchReach-v4, no demonstrations",
    "point-maze-plain-fast": "PointMaze_UMaze-v3, no demonstrations, no options",
    "point-maze-fast": "PointMaze_UMaze-v3, no demonstrations, settings for far goals",
    "hand-reach-plain-fast": "HandReach-v3, no demonstrations, no options",
    "pick-and-place-nair2018": f"{PICK}, `nair2018`, 100 demonstrations",
    "pick-and-place-nair2018-without-demos": f"{PICK}, `nair2018`, none",
}
HEADLINES = (
    "pick-and-place-one-fast",
    "pick-and-place-nothing-fast",
    "pick-and-place-10-fast",
    "pick-and-place-fast",
    "pick-and-place-noisy-fast",
    "push-one-fast",
    "push-fast",
    "metaworld-push-one-fast",
    "ogbench-cube-one-fast",
    "panda-pick-and-place-nothing-fast",
    "slide-fast",
    "reach-fast",
    "point-maze-plain-fast",
    "pick-and-place-nair2018",
    "pick-and-place-nair2018-without-demos",
)
"""Rows of the README; the page of results has all of them."""
_COLUMNS = 4


def learning_table(names: Iterable[str] = tuple(LABELS)) -> str:
    """Return a row for each env step at which an experiment is quoted."""
    rows = [
        "| task | seeds | doing nothing | env steps | success: median (range) | seconds |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in names:
        result = load(name)
        if result is None:
            continue
        nothing = f"{result['floor']['success_rate']:.1%}"
        mark = " †" if is_older(result) else ""
        task = f"| {LABELS[name]}{mark} | {len(result['seeds'])} | {nothing} |"
        for quoted in result["quoted"]:
            seconds, made = quoted["seconds"]["median"], quoted.get("made_in", {"median": 0})
            before = f"{made['median']:,.0f} + " if made["median"] else ""
            steps = f"{before}{quoted['env_steps']:,}"
            rates = _spread(quoted["success_rate"]["median"], *quoted["success_rate"]["range"])
            rows.append(f"{task} {steps} | {rates} | {seconds:.0f} |")
        if result["last_policies"]:
            found = [last["success_rate"] for last in result["last_policies"]]
            steps = f"{min(last['env_steps'] for last in result['last_policies']):,}"
            rates = _spread(float(np.median(found)), min(found), max(found))
            rows.append(f"{task} {steps} | {rates} | |")
    return "\n".join(rows)


def is_older(result: dict[str, Any]) -> bool:
    """Return whether training has settings by now that it did not have when this was measured."""

    def known(name: str) -> bool:
        here: Any = result["config"]
        for part in name.split("."):
            if part not in here:
                return False
            here = here[part]
        return True

    unused = () if result["demos"] else _WITH_DEMOS
    return not all(known(it.name) or it.name in unused for it in walk(TrainConfig()))


_WITH_DEMOS = {
    "agent.actor_decay",
    "agent.q_filter_margin",
    "exploration.greedy_episodes",
    "warm_start.episodes_in_doubt",
}
"""Settings that without demonstrations leave everything as it was before they existed."""


def commands_table() -> str:
    """Return the command that made each row."""
    rows = ["| row | command |", "|---|---|"]
    found = ((name, load(name)) for name in LABELS)
    rows += [f"| {LABELS[name]} | `{it['command']}` |" for name, it in found if it is not None]
    return "\n".join(rows)


def draw_curves() -> Figure:
    """Success against env steps of every experiment, median and range over seeds."""
    found = [(name, result) for name in LABELS if (result := load(name)) is not None]
    rows = -(-len(found) // _COLUMNS)
    figure = Figure(figsize=(3.4 * _COLUMNS, 2.5 * rows), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, (name, result) in zip(panels, found, strict=False):
        draw_band(axes, result, "eval/success_rate", "C0", "", smooth=5 if "nair" in name else 1)
        title = LABELS[name].replace("`", "").replace("**", "").replace(", ", ",\n", 1)
        axes.set_title(title, fontsize="small")
        axes.set_ylim(-0.02, 1.02)
        axes.tick_params(labelsize="x-small")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    for axes in panels[len(found) :]:
        axes.set_visible(False)
    figure.supxlabel("env steps of training")
    figure.supylabel("success rate")
    return figure


def _spread(median: float, low: float, high: float) -> str:
    return f"{median:.1%} ({low:.1%} to {high:.1%})"


def draw_band(
    axes: Axes,
    result: dict[str, Any],
    metric: str,
    color: str,
    label: str,
    unit: int = 1,
    smooth: int = 1,
) -> None:
    """Draw the median over seeds and the range, as far as every seed has come."""
    length = min(len(seed[metric]) for seed in result["seeds"])
    steps = np.array(result["seeds"][0]["time/env_steps"][:length]) / unit
    kernel = np.ones(smooth) / smooth
    curves = np.array([seed[metric][:length] for seed in result["seeds"]], float)
    curves = np.array([np.convolve(curve, kernel, mode="valid") for curve in curves])
    steps = steps[smooth - 1 :]
    # Of one evaluation there is no line.
    marker = "o" if len(steps) == 1 else None
    axes.plot(steps, np.median(curves, axis=0), marker=marker, color=color, label=label or None)
    axes.fill_between(steps, curves.min(0), curves.max(0), color=color, alpha=0.2, linewidth=0)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
