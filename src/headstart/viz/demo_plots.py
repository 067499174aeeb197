"""Pictures of demonstrations: when they succeed, which goals they cover, what they do."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.demos.inspect import distances_to_goal, steps_to_success
from headstart.demos.storage import DemoSet
from headstart.files.output import PICTURES, check_output
from headstart.files.paths import user_path
from headstart.text import counted, printable
from headstart.viz.plots import save_picture

Item = TypeVar("Item")
View = tuple[int, int | None]
"""Two dimensions of the goal space that make a picture; ``None`` where there is no second one."""

_SUCCESS, _FAILURE, _START = "tab:blue", "tab:red", "0.6"
_MOST_LINES = 100  # of episodes in one panel; more are a wall of ink
_EXAMPLES = 8
_MOST_BARS = 60  # of the steps; each is then as many steps wide as it takes
_BINS = 41  # of an action dimension; an odd number has one around 0
_HALF_WIDTH = 0.42  # of the drawing of one action dimension
_STILL = 0.02  # of the widest goal dimension; one that changes less is not drawn
_SIMILAR = 4.0  # goal dimensions whose ranges differ by less are drawn to the same scale


def plot_demos(demos: DemoSet, path: str | Path) -> None:
    """Draw success, goals, trajectories and actions of demonstrations, one panel each.

    Args:
        demos: demonstrations of any length, and with goals of any width.
        path: picture to write, ``.png``, ``.svg`` or ``.pdf``; it holds the old picture or the
            whole new one, never a part.

    Raises:
        InputError: if the picture cannot be written.
    """
    path = user_path(path)
    check_output(path, "a picture", PICTURES)
    save_picture(draw_demos(demos), path, dpi=110)


def draw_demos(demos: DemoSet) -> Figure:
    """Return the panels of ``plot_demos``: four, and two for each view of the goal space."""
    episodes = demos.episodes
    panels: list[Callable[[Axes], None]] = [
        partial(_draw_times, episodes=episodes),
        partial(_draw_success, demos=demos),
        partial(_draw_distances, episodes=episodes),
        partial(_draw_actions, episodes=episodes),
    ]
    for view in _views(episodes):
        panels.append(partial(_draw_goals, episodes=episodes, view=view))
        panels.append(partial(_draw_trajectories, episodes=episodes, view=view))
    columns = len(panels) // 2
    # Without pyplot, which would choose a backend for the whole process of the caller.
    figure = Figure(figsize=(4.4 * columns, 8.6), layout="constrained")
    for draw, axes in zip(panels, figure.subplots(2, columns).flat, strict=True):
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
    # A name out of a file is not a formula.
    figure.suptitle(_title(demos), parse_math=False)
    return figure


def _title(demos: DemoSet) -> str:
    return (
        f"{printable(demos.env_id)}: {counted(len(demos.episodes), 'demonstration')}, "
        f"{demos.success_rate:.0%} successful at the end"
    )


def _draw_times(axes: Axes, episodes: Sequence[Episode]) -> None:
    """Draw how many episodes reach their goal after how many steps, and how long they are."""
    first = steps_to_success(episodes)
    lengths = [len(episode) for episode in episodes]
    width = -(-max(lengths) // _MOST_BARS)
    edges = np.arange(0.5, max(lengths) + 0.5 + width, width).tolist()
    axes.hist(first, edges, color=_SUCCESS, label="first success")
    if min(lengths) == max(lengths):
        axes.axvline(lengths[0], color="0.4", linestyle="--", label="end of all episodes")
    else:
        axes.hist(lengths, edges, color="0.4", histtype="step", label="end of the episode")
    never = len(episodes) - len(first)
    axes.set_title(f"steps to success ({never} of {len(episodes)} never)")
    axes.set(xlabel="step", ylabel="episodes")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _add_legend(axes)


def _draw_success(axes: Axes, demos: DemoSet) -> None:
    """Draw the share of episodes at their goal, over steps, for each region of the goals."""
    regions = demos.goal_regions
    goals = _goals(demos.episodes)
    is_success = _padded([episode.is_success for episode in demos.episodes])
    steps = 1 + np.arange(is_success.shape[1])
    if regions is not None:
        names = np.array(regions.names(goals))
        for name in np.unique(names):
            rows = is_success[names == name]
            axes.plot(steps, rows.mean(axis=0), label=f"{name} ({len(rows)})")
    label = f"all ({len(is_success)})"
    axes.plot(steps, is_success.mean(axis=0), color="black", label=label)
    axes.set_title("share of episodes at their goal")
    axes.set(xlabel="step", ylabel="share", ylim=(-0.02, 1.02))
    axes.grid(alpha=0.3)
    _add_legend(axes)


def _draw_distances(axes: Axes, episodes: Sequence[Episode]) -> None:
    """Draw the distance to the goal over steps: of single episodes, and their median."""
    distances = [distances_to_goal(episode) for episode in episodes]
    some = _evenly(distances, _MOST_LINES)
    lines = [np.column_stack([np.arange(len(values)), values]) for values in some]
    label = counted(len(lines), "episode")
    axes.add_collection(
        LineCollection(lines, colors=_SUCCESS, alpha=0.3, linewidths=0.7, label=label)
    )
    axes.plot(np.median(_padded(distances), axis=0), color="black", label="median")
    axes.autoscale_view()
    axes.set_ylim(bottom=0.0)
    axes.set_title("distance to the goal")
    axes.set(xlabel="step", ylabel="distance (units of the goal)")
    axes.grid(alpha=0.3)
    _add_legend(axes)


def _draw_actions(axes: Axes, episodes: Sequence[Episode]) -> None:
    """Draw for each dimension of the actions how often it takes which value, and its range."""
    actions = np.concatenate([episode.actions for episode in episodes]).astype(np.float64)
    low, high = actions.min(initial=0.0), actions.max(initial=0.0)
    edges = np.linspace(low, high, _BINS + 1) if low < high else np.array([-0.5, 0.5])
    for dimension, values in enumerate(actions.T):
        counts, _ = np.histogram(values, edges)
        # The root, because a gripper that is open or closed would be all that one sees.
        width = _HALF_WIDTH * np.sqrt(counts / counts.max())
        axes.fill_betweenx(
            np.repeat(edges, 2)[1:-1],
            dimension - np.repeat(width, 2),
            dimension + np.repeat(width, 2),
            color=_SUCCESS,
            linewidth=0.0,
        )
        ends = dimension - _HALF_WIDTH, dimension + _HALF_WIDTH
        axes.hlines([values.min(), values.max()], *ends, colors="black", linewidth=1.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_title("actions and their range")
    axes.set(xlabel="dimension (width: root of the share)", ylabel="value")
    axes.grid(alpha=0.3, axis="y")


def _draw_goals(axes: Axes, episodes: Sequence[Episode], view: View) -> None:
    """Draw goals, by the success of their episodes, and where the episodes start."""
    goals, starts = _goals(episodes), np.stack([episode.achieved_goals[0] for episode in episodes])
    success = np.array([episode.success for episode in episodes])
    first, second = view
    if second is None:
        places = np.column_stack([starts[:, first], goals[:, first]])
        names = f"start [{first}]", f"goal [{first}]"
    else:
        places = goals[:, [first, second]]
        names = f"goal [{first}]", f"goal [{second}]"
        x, y = starts[:, [first, second]].T
        axes.scatter(x, y, s=14, c=_START, marker="x", linewidths=0.8, label="start")
    for mask, color, name in ((success, _SUCCESS, "success"), (~success, _FAILURE, "failure")):
        if mask.any():
            x, y = places[mask].T
            axes.scatter(x, y, s=18, c=color, label=f"{name} ({mask.sum()})")
    axes.set_title("goals and starts (units of the goal)")
    _finish_map(axes, names, same_scale=True)


def _draw_trajectories(axes: Axes, episodes: Sequence[Episode], view: View) -> None:
    """Draw the way of some episodes through the goal space, from start to goal."""
    first, second = view
    some = _evenly(episodes, _EXAMPLES)
    for number, episode in enumerate(some):
        path, goal, color = episode.achieved_goals, episode.desired_goals[0], f"C{number}"
        if second is None:
            places = np.column_stack([np.arange(len(path)), path[:, first]])
            target = float(len(path) - 1), goal[first]
        else:
            places, target = path[:, [first, second]], (goal[first], goal[second])
        named = number == 0
        axes.plot(*places.T, color=color, linewidth=1.2)
        axes.plot(*places[:1].T, "o", color=color, mfc="white", ms=5, label="start" * named)
        axes.plot(*target, "*", color=color, ms=11, mec="white", label="goal" * named)
    axes.set_title(f"{len(some)} of {len(episodes)} trajectories (units of the goal)")
    names = (
        ("step", f"achieved [{first}]")
        if second is None
        else (f"achieved [{first}]", f"achieved [{second}]")
    )
    _finish_map(axes, names, same_scale=second is not None)


def _finish_map(axes: Axes, names: tuple[str, str], *, same_scale: bool) -> None:
    """Label a view of the goal space, undistorted where its two dimensions are comparable."""
    axes.set(xlabel=names[0], ylabel=names[1])
    width, height = axes.dataLim.size
    if same_scale and width < _SIMILAR * height and height < _SIMILAR * width:
        axes.set_aspect("equal", adjustable="datalim")
    axes.grid(alpha=0.3)
    _add_legend(axes)


def _add_legend(axes: Axes) -> None:
    # Below the panel: points and lines may be anywhere in it.
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, frameon=False)


def _views(episodes: Sequence[Episode]) -> list[View]:
    """Return the pairs of goal dimensions to draw, out of the first three that change."""
    visited = [np.vstack([ep.achieved_goals, ep.desired_goals[:1]]) for ep in episodes]
    width = np.ptp(np.concatenate(visited).astype(np.float64), axis=0)
    if not len(width):
        return []
    changing = np.flatnonzero(width > _STILL * width.max()).tolist() or [0]
    first, *others = changing[:3]
    return [(first, other) for other in others] or [(first, None)]


def _goals(episodes: Sequence[Episode]) -> NDArray[np.float32]:
    return np.stack([episode.desired_goals[0] for episode in episodes])


def _padded(series: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Return series of different lengths, each continued with its last value, ``(N, longest)``."""
    longest = max(len(values) for values in series)
    rows = [np.pad(values, (0, longest - len(values)), mode="edge") for values in series]
    return np.stack(rows).astype(np.float64)


def _evenly(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many of the items, from all over the sequence."""
    picked = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[index] for index in picked.tolist()]
