"""The table of what is learned of stacking, from ``results/stack-learning.json``."""

from typing import Any

from report_demos import load

_HOW = {
    "clone": "cloned, {count} blocks",
    "everything": "cloned, {count} blocks, the actor sees all",
    "transfer": "cloned, {trained_on} blocks; never saw {count}",
    "train": "trained on, {count} blocks, {env_steps:,} env steps",
}


def stack_learning_table() -> str:
    """Success of what is learned, by number of blocks."""
    found = {name: it for name, it in (load("stack-learning") or {}).items() if "-" in name}
    rows = [
        "| task | policy | success | let go, hand away, at rest | 95% interval of success "
        "| episodes | the block that fails most often |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    rows += [_row(name, it) for name, it in sorted(found.items(), key=_order)]
    return "\n".join(rows) if found else ""


def _order(item: tuple[str, Any]) -> tuple[int, int]:
    what, count = item[0].split("-")
    return int(count), [*_HOW].index(what)


def _row(name: str, found: dict[str, Any]) -> str:
    what, count = name.split("-")
    low, high = found["interval"]
    worst = min(found["components"].items(), key=lambda it: it[1])
    how = _HOW[what].format(count=count, **found)
    return (
        f"| `FetchStack{count}-v0` | {how} | {found['success_rate']:.1%} "
        f"| {found['strict_success_rate']:.1%} | {low:.1%} to {high:.1%} "
        f"| {found['episodes']} | {worst[0]}, {worst[1]:.1%} |"
    )
