"""The table of what is learned of stacking, from ``results/stack-learning.json``."""

from typing import Any

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
