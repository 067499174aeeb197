"""The table of one task with its reward written in many ways."""

from statistics import median

from report_demos import load
from reward_tasks import ENDS, REWARDS


def rewards_table() -> str | None:
    """Return success by reward, median over seeds, for each kind of end; None without results."""
    result = load("rewards")
    if result is None:
        return None
    rows = [
        f"| episodes, demonstrations | {' | '.join(REWARDS)} |",
        f"|---|{'--:|' * len(REWARDS)}",
    ]
    for num_demos in sorted({run["demos"] for run in result["runs"]}):
        for ends in ENDS:
            cells = [
                [
                    run["success_rate"]
                    for run in result["runs"]
                    if (run["reward"], run["ends"], run["demos"]) == (reward, ends, num_demos)
                ]
                for reward in REWARDS
            ]
            shown = [f"{median(cell):.1%}" if cell else "" for cell in cells]
            if any(shown):
                rows.append(f"| {ends}, {num_demos or 'none'} | {' | '.join(shown)} |")
    return "\n".join(rows)
