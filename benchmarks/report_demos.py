"""Tables and figure of ``docs/demonstrations.md``: experts, times, what a technique is worth."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from ablation import KINDS, VARIANTS
from matplotlib.figure import Figure

RESULTS = Path(__file__).parent / "results"
SEEDS = 5


def load(name: str) -> dict[str, Any] | None:
    """Return one file of results, if it is there."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def experts_table() -> str:
    """Success of every scripted expert."""
    result = load("experts")
    if result is None:
        return ""
    rows = [
        "| task | success, 500 episodes | 95% interval | steps to success |",
        "|---|--:|--:|--:|",
    ]
    for found in result.values():
        if isinstance(found, str):
            continue
        low, high = found["interval"]
        rows.append(
            f"| `{found['env_id']}` | {found['success_rate']:.1%} | {low:.1%} to {high:.1%} "
            f"| {found['steps_to_success']:.0f} |"
        )
    return "\n".join(rows)


def stacking_table() -> str:
    """Success of the expert of FetchStack, by number of blocks."""
    result = load("experts") or {}
    towers = [found for name, found in result.items() if name.startswith("FetchStack")]
    rows = [
        "| task | success, 500 episodes | let go, hand away, at rest | 95% interval "
        "| steps a block until then | env steps/s, one core |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for found in towers:
        low, high = found["strict_interval"]
        rows.append(
            f"| `{found['env_id']}` | {found['success_rate']:.1%} "
            f"| {found['strict_success_rate']:.1%} | {low:.1%} to {high:.1%} "
            f"| {found['steps_per_block']:.1f} | {found['env_steps_per_second']:.0f} |"
        )
    command = "`python benchmarks/experts.py` measures them, seeds 0 to 499."
    return "\n".join([*rows, "", command]) if towers else ""


def stacking_expansion_table() -> str:
    """What demonstrations of stacking yield when they are expanded, by number of blocks."""
    result = load("stacking")
    if result is None:
        return ""
    found = [value for value in result.values() if isinstance(value, dict)]
    rows = [
        "| task | share of attempts kept, three sources | env steps per kept demonstration "
        "| steps to success |",
        "|---|--:|--:|--:|",
    ]
    rows += [
        f"| `{each['env_id']}` | {', '.join(f'{share:.2f}' for share in each['yields'])} "
        f"| {each['env_steps_per_kept']:.0f} | {each['steps_to_success']:.0f} |"
        for each in found
    ]
    return "\n".join([*rows, "", f"`{result['command']}` measures them, 20 kept a source."])


def times_table() -> str:
    """Seconds to collect demonstrations and to import those of others, beside what is fastest."""
    result = load("demos")
    if result is None:
        return ""
    many, seconds = result["demonstrations"], result["seconds"]
    rows = [
        "| whole command, two cores | seconds | beside |",
        "|---|--:|---|",
        f"| `demos collect`, {many} of `{result['env_id']}` | {seconds['collect']:.1f} "
        f"| {seconds['simulator']:.1f} s for the simulator's steps alone, on one core |",
        f"| `demos import`, {many} of OpenAI Baselines | {seconds['import']:.1f} "
        f"| {seconds['numpy']:.1f} s for `np.load(allow_pickle=True)`, which runs what is in it |",
        "",
        f"`{result['command']}`",
    ]
    return "\n".join(rows)


def expansion_table() -> str:
    """Yield and cost of expansions by task and kind of sources."""
    result = load("expansion")
    if result is None:
        return ""
    rows = [
        "| task | sources | speed | attempts that succeed | without restored states "
        "| env steps for each kept one | steps to success |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    found = {
        (row["env_id"], row["kind"], row["speed"], row["restores_states"]): row
        for row in result["yields"]["rows"]
    }
    for (env_id, kind, speed, restores), row in found.items():
        if not restores:
            continue
        plain = found.get((env_id, kind, speed, False))
        rows.append(
            f"| `{env_id}` | {kind} | {speed:g} | {row['yield']:.0%} of {row['attempts']} "
            f"| {'' if plain is None else format(plain['yield'], '.0%')} "
            f"| {row['env_steps_per_kept']:.0f} | {row['median_steps_to_success']:.0f} |"
        )
    return "\n".join([*rows, "", f"`{result['yields']['command']}`"])


def ablation_table() -> str:
    """Last success rate of every variant, for every kind of demonstrations."""
    result = load("ablation")
    if result is None:
        return ""
    rows = ["| | " + " | ".join(KINDS) + " |", "|---|" + "--:|" * len(KINDS)]
    shown = [_cell([result["demonstrators"][kind]]) for kind in KINDS]
    rows.append("| *the demonstrator* | " + " | ".join(shown) + " |")
    for variant in VARIANTS:
        if variant != "no demonstrations":
            cells = [_cell(runs_of(result, kind, variant)) for kind in KINDS]
            if any(cells):
                rows.append(f"| {variant} | " + " | ".join(cells) + " |")
    blind = runs_of(result, "none", "no demonstrations")
    if blind:
        rows.append(f"| no demonstrations | {_cell(blind)} |" + " |" * (len(KINDS) - 1))
    return "\n".join(rows)


def runs_of(result: dict[str, Any], kind: str, variant: str) -> list[dict[str, Any]]:
    return [run for run in result["runs"] if (run["kind"], run["variant"]) == (kind, variant)]


def _cell(runs: list[dict[str, Any]]) -> str:
    """Return median and range of the success rate, and the median steps to success."""
    if not runs:
        return ""
    rates = [run["success_rate"] for run in runs]
    text = f"{np.median(rates):.1%}"
    if len(runs) > 1:
        text += f" ({min(rates):.1%} to {max(rates):.1%})"
    if 1 < len(runs) < SEEDS:
        text += f" of {len(runs)} seeds"
    steps = [run["steps_to_success"] for run in runs if run["steps_to_success"] is not None]
    return f"{text}, {np.median(steps):.0f}" if steps else text


def draw_ablation() -> Figure | None:
    """Return success over env steps, a panel for each kind of demonstrations."""
    result = load("ablation")
    if result is None:
        return None
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    panels = figure.subplots(1, len(KINDS), sharey=True)
    # Cloning alone takes no env steps, and has no curve.
    variants = [name for name, config in VARIANTS.items() if config.env_steps > 0]
    for axes, kind in zip(panels, KINDS, strict=True):
        for number, variant in enumerate(variants):
            runs = runs_of(result, kind, variant)
            if runs:
                length = min(len(run["curve"]["env_steps"]) for run in runs)
                curves = np.array([run["curve"]["success_rate"][:length] for run in runs])
                steps = runs[0]["curve"]["env_steps"][:length]
                axes.plot(steps, np.median(curves, axis=0), color=f"C{number}", label=variant)
        rate = result["demonstrators"][kind]["success_rate"]
        axes.axhline(rate, color="0.5", linestyle="--", label="the demonstrator")
        axes.set(title=kind, xlabel="env steps", ylim=(-0.02, 1.02))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("success rate, median of seeds")
    # One variant is run with slow demonstrations alone.
    shown = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    figure.legend(
        shown.values(), shown, loc="outside right center", frameon=False, fontsize="small"
    )
    return figure
