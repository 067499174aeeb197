"""What a sweep has come to, as text."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from headstart.runs.changes import command_for
from headstart.sweeps.results import LAST, Cell, Result, cells_of
from headstart.sweeps.spec import label
from headstart.sweeps.state import log_file

_MOST_CELLS = 50


def describe_results(results: Sequence[Result]) -> str:
    """Return a table with a line for each combination of settings, the best scores first."""
    cells = sorted(cells_of(results), key=lambda cell: -(cell.score or 0.0))
    score = f"mean of last {LAST}"
    head = ["settings", "seeds", "failed", "success", "lowest", "highest", score, "seconds"]
    rows = [head, *map(_row, cells[:_MOST_CELLS])]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    more = len(cells) - _MOST_CELLS
    return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def describe_failures(results: Sequence[Result], sweep: Path) -> list[str]:
    """Return a line for each run that has failed: why, and where it says more."""
    return [
        f"failed:  {it.spec.name}: {it.state.error}; more in {log_file(sweep, it.spec.name)}"
        for it in results
        if it.state.stage == "failed"
    ]


def best_command(results: Sequence[Result]) -> list[str]:
    """Return the command that trains with the settings of the best score, if there is one."""
    rated = [cell for cell in cells_of(results) if cell.score is not None]
    if not rated:
        return []
    spec = max(rated, key=lambda cell: cell.score or 0.0).results[0].spec
    return [command_for(spec.env_id, spec.config.with_(seed=0), spec.demos)]


def _row(cell: Cell) -> list[str]:
    rates = cell.success_rates
    seconds = [it.seconds for it in cell.results if it.seconds is not None]
    return [
        label(cell.settings).replace("_", "-") or "all as given",
        f"{cell.of_stage('finished')} of {len(cell.results)}",
        str(cell.of_stage("failed") or "-"),
        *(
            [_percent(statistics.median(rates)), _percent(min(rates)), _percent(max(rates))]
            if rates
            else "---"
        ),
        "-" if cell.score is None else _percent(cell.score),
        f"{statistics.median(seconds):.0f}" if seconds else "-",
    ]


def _percent(rate: float) -> str:
    return f"{rate:.1%}"
