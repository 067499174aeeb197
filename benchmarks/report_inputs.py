"""The table of what an actor should see: tasks down, what is seen across."""

from statistics import median
from typing import Any

from report_demos import load

_SEEN = {
    "all": "all",
    "no-velocities": "no velocities",
    "no-absolute": "nothing absolute",
    "neither": "neither",
    "neither, fine": "neither, fine scales",
    "neither, other goals": "neither, other goals too",
    "auto": "`auto`",
}


def inputs_table(how: str) -> str | None:
    """Return success by task and by what is seen, the median over seeds; None without results.

    Args:
        how: ``cloning`` or ``training``.
    """
    result = load("inputs")
    if result is None:
        return None
    runs = [run for run in result["runs"] if run["how"] == how]
    seen = [name for name in _SEEN if any(run["inputs"] == name for run in runs)]
    rows = [
        f"| task, demonstrations | seeds | {' | '.join(_SEEN[name] for name in seen)} |",
        f"|---|--:|{'--:|' * len(seen)}",
    ]
    for task in dict.fromkeys(run["task"] for run in runs):
        cells = [
            [run for run in runs if (run["task"], run["inputs"]) == (task, name)] for name in seen
        ]
        counts = sorted({len(cell) for cell in cells if cell})
        rows.append(
            f"| {task} | {' to '.join(map(str, {counts[0]: 0, counts[-1]: 0}))} "
            f"| {' | '.join(map(_shown, cells))} |"
        )
    return "\n".join(rows)


def _shown(cell: list[dict[str, Any]]) -> str:
    return f"{median(run['success_rate'] for run in cell):.1%}" if cell else ""
