"""Learning curves: success rate and mean Q against env steps, runs grouped over seeds."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from headstart.errors import InputError, require
from headstart.files.atomic import replacing
from headstart.files.paths import user_path
from headstart.runs.curves import CURVES, Run, align, find_runs, group_runs, read_run


class HasDirectory(Protocol):
    """An outcome of training."""

    @property
    def directory(self) -> Path | None:
        """The run directory."""


RunLike = str | Path | HasDirectory


def plot_runs(
    directories: RunLike | Iterable[RunLike],
    path: str | Path,
    *,
    smooth: int = 1,
    log_steps: bool = False,
) -> None:
    """Draw success rate and mean Q of runs, one line per group of runs that share all but the seed.

    Lines are medians over seeds, bands reach from the lowest to the highest seed; lines of runs
    without demonstrations are thin.

    Args:
        directories: run directories, directories that runs lie in, or what ``train`` returned;
            several or a single one.
        path: picture to write; its suffix decides the format.
        smooth: number of neighbouring evaluations to average over, at least 1.
        log_steps: draw env steps on a logarithmic axis.

    Raises:
        InputError: if a directory is not that of a run, or the picture cannot be written.
    """
    require(smooth >= 1, "smooth must be at least 1", smooth)
    given: Iterable[Any] = [directories]
    if isinstance(directories, Iterable) and not isinstance(directories, str):
        given = directories
    # What train returned has a directory.
    places = [user_path(getattr(each, "directory", each)) for each in given]
    runs = [read_run(path) for path in find_runs(places)]
    if not runs:
        raise InputError("there is no run to plot; name at least one run directory")
    # Without pyplot, which would choose a backend for the whole process of the caller.
    figure = Figure(figsize=(11, 4), layout="constrained")
    panels = figure.subplots(1, 2)
    for members in group_runs(runs):
        for axes, metric in zip(panels, CURVES, strict=True):
            draw_group(axes, members, metric, smooth)
    for axes, (metric, title) in zip(panels, CURVES.items(), strict=True):
        style_axes(axes, title, is_rate=metric == "eval/success_rate")
        if log_steps:
            axes.set_xscale("log")
    panels[0].legend(loc="best", frameon=False)
    # Untrusted text may hold what matplotlib takes for a formula.
    figure.suptitle(", ".join(sorted({run.env_id for run in runs})), parse_math=False)
    save_picture(figure, user_path(path), dpi=130)


def draw_group(axes: Axes, runs: Sequence[Run], metric: str, smooth: int) -> None:
    """Draw median and range of some runs over the env steps that all of them have reached."""
    grid, curves = align(runs, metric, smooth)
    seeds = f" ({len(runs)} seeds)" if len(runs) > 1 else ""
    (line,) = axes.plot(
        grid,
        np.median(curves, axis=0),
        marker="o" if len(grid) == 1 else "",
        linewidth=1.8 if runs[0].has_demos else 0.9,
        label=runs[0].label + seeds,
    )
    if len(runs) > 1:
        color = line.get_color()
        axes.fill_between(grid, curves.min(0), curves.max(0), color=color, alpha=0.2, linewidth=0)


def style_axes(axes: Any, title: str, *, is_rate: bool) -> None:
    """Label the axes of one panel."""
    axes.set_xlabel("env steps")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if is_rate:
        axes.set_ylim(-0.02, 1.02)


def save_picture(figure: Figure, path: Path, *, dpi: int) -> None:
    """Write a figure: the file holds the old picture or the whole new one, never a part.

    Raises:
        InputError: if it cannot be written.
    """
    try:
        with replacing(path) as staged:
            figure.savefig(staged, dpi=dpi)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written ({reason})") from error
