"""The table of what is learned of stacking, from ``results/stack-learning.json``."""

from statistics import median
from typing import Any

from matplotlib.figure import Figure
from report_demos import load

_HOW = {
    "clone": "cloned, {count} blocks",
    "everything": "cloned, {count} blocks, the actor sees all",
    "one": "cloned, {count} blocks, **one** demonstration, expanded",
    "train": "trained on, {count} blocks",
    "transfer": "cloned, {first} blocks; has never seen {count}",
}


def stack_learning_table() -> str:
    """Success of what is learned, by number of blocks: median and range over seeds."""
    found = {name: it for name, it in (load("stack-learning") or {}).items() if "-" in name}
    rows = [
        "| task | policy | seeds | env steps | success | let go, hand away, at rest "
        "| the block that fails most often |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    rows += [_row(name, runs) for name, runs in sorted(found.items(), key=_order)]
    note = (
        "`python benchmarks/stack_learning.py` measures them: 500 episodes a seed, of the last "
        "policy; median and range of the seeds. Env steps are those of expansion and of training."
    )
    return "\n".join([*rows, "", note]) if found else ""


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


def stack_costs_table() -> str:
    """What an update costs, by number of blocks."""
    found = load("stack-costs")
    if found is None:
        return ""
    costs = found["update_ms"]
    return "\n".join(
        [
            "| blocks | " + " | ".join(costs) + " |",
            "|---|" + "--:|" * len(costs),
            "| processor time of an update, ms | "
            + " | ".join(f"{ms:.1f}" for ms in costs.values())
            + " |",
            "",
            f"`{found['command']}` measures them.",
        ]
    )


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


def _row(name: str, runs: list[dict[str, Any]]) -> str:
    what, first, count = _parts(name)
    how = _HOW[what].format(count=count, first=first)
    made = round(median(run.get("expansion_env_steps", 0) for run in runs))
    trained = runs[0].get("env_steps", 0)
    steps = f"{made:,} + {trained:,}" if made else f"{trained:,}"
    return (
        f"| `FetchStack{count}-v0` | {how} | {len(runs)} | {steps} "
        f"| {_spread(runs, 'success_rate')} | {_spread(runs, 'strict_success_rate')} "
        f"| {_weakest(runs)} |"
    )


def _spread(runs: list[dict[str, Any]], name: str) -> str:
    rates = [run[name] for run in runs]
    between = f" ({min(rates):.1%} to {max(rates):.1%})" if len(rates) > 1 else ""
    return f"{median(rates):.1%}{between}"


def _weakest(runs: list[dict[str, Any]]) -> str:
    """Return which block is placed least often, the lowest one of several."""
    rates = {
        block: sum(run["components"][block] for run in runs) / len(runs)
        for block in runs[0]["components"]
    }
    block, rate = min(rates.items(), key=lambda it: it[1])
    return f"{block}, {rate:.1%}" if rate < 1.0 else "-"
