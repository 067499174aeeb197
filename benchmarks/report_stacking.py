"""The table of what is learned of stacking, from ``results/stack-learning.json``."""

from typing import Any

from matplotlib.figure import Figure
from report_demos import load

_HOW = {
    "clone": "cloned, {count} blocks",
    "everything": "cloned, {count} blocks, the actor sees all",
    "train": "trained on, {count} blocks, {env_steps:,} env steps",
    "transfer": "cloned, {first} blocks; has never seen {count}",
}


def stack_learning_table() -> str:
    """Success of what is learned, by number of blocks."""
    found = {name: it for name, it in (load("stack-learning") or {}).items() if "-" in name}
    rows = [
        "| task | policy | success | let go, hand away, at rest | 95% interval of success "
        "| episodes | the first block that fails most often |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    rows += [_row(name, it) for name, it in sorted(found.items(), key=_order)]
    command = "`python benchmarks/stack_learning.py` measures them, one seed."
    return "\n".join([*rows, "", command]) if found else ""


def stack_ablation_table() -> str:
    """Success of each variant of the preset on three blocks."""
    found = load("stack-ablation")
    if found is None:
        return ""
    rows = ["| variant | success | let go, hand away, at rest | seconds |", "|---|--:|--:|--:|"]
    rows += [
        f"| {run['variant']} | {run['success_rate']:.0%} | {run['strict_success_rate']:.0%} "
        f"| {run['seconds']:.0f} |"
        for run in found["runs"]
    ]
    return "\n".join([*rows, "", f"`{found['command']}` measures them, one seed, 100 episodes."])


def draw_stack_ablation() -> Figure | None:
    """Draw success on three blocks against env steps, by variant."""
    found = load("stack-ablation")
    if found is None:
        return None
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    axes = figure.subplots()
    for run in found["runs"]:
        steps, rates = zip(*run["curve"], strict=True)
        axes.plot(steps, rates, marker="o", markersize=3, label=run["variant"])
    axes.set(title="FetchStack3-v0, 100 demonstrations", xlabel="env steps", ylabel="success rate")
    axes.set_ylim(-0.02, 1.02)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _order(item: tuple[str, Any]) -> tuple[int, int, str]:
    what, first, count = _parts(item[0])
    return int(count), [*_HOW].index(what), first


def _parts(name: str) -> tuple[str, str, str]:
    """Return what was done, the blocks that it was learned from, and those that it builds with."""
    what, count = name.split("-")
    kind = what.rstrip("0123456789")
    return kind, what[len(kind) :], count


def _row(name: str, found: dict[str, Any]) -> str:
    what, first, count = _parts(name)
    low, high = found["interval"]
    block, rate = min(found["components"].items(), key=lambda it: it[1])
    worst = f"{block}, {rate:.1%}" if rate < 1.0 else "-"
    how = _HOW[what].format(count=count, first=first, **found)
    return (
        f"| `FetchStack{count}-v0` | {how} | {found['success_rate']:.1%} "
        f"| {found['strict_success_rate']:.1%} | {low:.1%} to {high:.1%} "
        f"| {found['episodes']} | {worst} |"
    )
