"""Draws ``benchmarks/results/*.json`` into ``docs/images`` and fills the README's tables from them.

The tables of settings in ``docs/settings.md`` are made from the settings themselves.

make docs
"""

import re
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from report_demos import (
    ablation_table,
    draw_ablation,
    expansion_table,
    experts_table,
    load,
    stacking_expansion_table,
    stacking_table,
    times_table,
)
from report_environments import third_party_table
from report_inputs import inputs_table
from report_learning import HEADLINES, commands_table, draw_band, draw_curves, learning_table
from report_performance import (
    acting_table,
    devices_table,
    fill_table,
    loops_table,
    on_machine,
    start_table,
    teleop_table,
    threads_table,
    updates_table,
)
from report_reliability import fuzz_table, reliability_table
from report_rewards import rewards_table
from report_saturation import (
    costs_table,
    draw_saturation,
    ray_table,
    saturation_table,
    two_cores_table,
)
from report_settings import settings_table
from report_stacking import (
    draw_stack_ablation,
    stack_ablation_table,
    stack_costs_table,
    stack_learning_table,
)

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
CLUSTER = ROOT / "docs" / "cluster.md"
DEMONSTRATIONS = ROOT / "docs" / "demonstrations.md"
ENVIRONMENTS = ROOT / "docs" / "environments.md"
PERFORMANCE = ROOT / "docs" / "performance.md"
RELIABILITY = ROOT / "docs" / "reliability.md"
RESULTS = ROOT / "docs" / "results.md"
SETTINGS = ROOT / "docs" / "settings.md"
TELEOP = ROOT / "docs" / "teleop.md"
STACKING = ROOT / "docs" / "stacking.md"
ENV_STEPS_PER_EPOCH = 2000  # 20 cycles of 2 rollouts of 50 steps

# Read off the published figure (fetchPickAndPlaceContrast.png of Overcoming-exploration-from-demos,
# FetchPickAndPlace-v0), +-0.03: epoch and success rate.
PUBLISHED = {
    "published, with demonstrations": (
        "C0", [(0, 0.07), (45, 0.70), (130, 0.85), (250, 0.93), (400, 0.98), (970, 0.99)]
    ),
    "published, without": (
        "C1", [(0, 0.07), (180, 0.07), (270, 0.2), (430, 0.4), (690, 0.6), (900, 0.7)]
    ),
}  # fmt: skip


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    draw_contrast()
    draw_sb3()
    fill("learning", learning_table(HEADLINES))
    fill("results", learning_table(), RESULTS)
    fill("commands", commands_table(), RESULTS)
    save(draw_curves(), "results.png")
    fill("speed", speed_table())
    fill("replay", replay_table())
    fill("rewards", rewards_table(), ENVIRONMENTS)
    fill("experts", experts_table(), DEMONSTRATIONS)
    fill("stacking", stacking_table(), STACKING)
    fill("stacking-expansion", stacking_expansion_table(), STACKING)
    fill("stack-learning", stack_learning_table(), STACKING)
    fill("stack-ablation", stack_ablation_table(), STACKING)
    fill("stack-costs", stack_costs_table(), STACKING)
    fill("times", times_table(), DEMONSTRATIONS)
    fill("expansion", expansion_table(), DEMONSTRATIONS)
    fill("ablation", ablation_table(), DEMONSTRATIONS)
    fill("inputs-cloning", inputs_table("cloning"), DEMONSTRATIONS)
    fill("inputs-training", inputs_table("training"), DEMONSTRATIONS)
    fill("reliability", reliability_table(), RELIABILITY)
    fill("fuzz", fuzz_table(), RELIABILITY)
    fill("third-party", third_party_table(), ENVIRONMENTS)
    fill("settings", settings_table(), SETTINGS)
    fill("start", start_table(), PERFORMANCE)
    fill("threads", threads_table(), PERFORMANCE)
    fill("loops", loops_table(), PERFORMANCE)
    for kind in ("batch", "width", "critics"):
        fill(kind, updates_table(kind), PERFORMANCE)
    fill("devices", devices_table(), PERFORMANCE)
    fill("acting", acting_table(), PERFORMANCE)
    fill("fill", fill_table(), PERFORMANCE)
    fill("teleop", teleop_table(), TELEOP)
    fill("saturation", saturation_table(), CLUSTER)
    fill("saturation-costs", costs_table(), CLUSTER)
    fill("two-cores", two_cores_table(), CLUSTER)
    fill("ray", ray_table(), CLUSTER)
    drawn = {
        "saturation.png": draw_saturation(),
        "ablation.png": draw_ablation(),
        "stack-ablation.png": draw_stack_ablation(),
    }
    for name, figure in drawn.items():
        if figure is not None:
            save(figure, name)


def draw_sb3() -> None:
    """Stable-Baselines3's SAC with our demonstrations, and with its own HER buffer."""
    result = load("sb3-pick-and-place")
    if result is None:
        return
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axes = figure.subplots()
    labels = {"demos": "DemoHerReplayBuffer, 100 demonstrations", "her": "SB3's HerReplayBuffer"}
    for color, (variant, label) in zip(("C0", "C1"), labels.items(), strict=True):
        curves = [seed["success_rate"] for seed in result["curves"][variant].values()]
        length = min(map(len, curves))
        steps = next(iter(result["curves"][variant].values()))["env_steps"][:length]
        rates = np.array([curve[:length] for curve in curves])
        axes.plot(steps, np.median(rates, axis=0), color=color, label=label)
        axes.fill_between(steps, rates.min(0), rates.max(0), color=color, alpha=0.2, linewidth=0)
    axes.set(title="SAC on FetchPickAndPlace-v4", xlabel="env steps", ylabel="success rate")
    axes.set_ylim(-0.02, 1.02)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc=(0.38, 0.15))
    save(figure, "stable-baselines3.png")


def draw_contrast() -> None:
    """The seeds' contrast figure: the published configuration with and without demonstrations."""
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    panels = figure.subplots(1, 2)
    names = {
        "pick-and-place-nair2018": ("C0", "headstart, with demonstrations"),
        "pick-and-place-nair2018-without-demos": ("C1", "headstart, without"),
    }
    for name, (color, label) in names.items():
        result = load(name)
        if result is None:
            continue
        for axes, metric in zip(panels, ("eval/success_rate", "eval/mean_q"), strict=True):
            draw_band(axes, result, metric, color, label, ENV_STEPS_PER_EPOCH, smooth=5)
    for label, (color, points) in PUBLISHED.items():
        epochs, rates = zip(*points, strict=True)
        panels[0].plot(epochs, rates, "--", color=color, alpha=0.6, label=label)
    panels[0].set(title="success rate", xlabel="epoch (2,000 env steps)", ylim=(-0.02, 1.02))
    panels[1].set(title="mean Q(s, pi(s))", xlabel="epoch (2,000 env steps)")
    panels[0].set_xlim(0, 450)
    panels[0].legend(loc="center right", frameon=False, fontsize="small")
    figure.suptitle("FetchPickAndPlace, the published configuration (nair2018)")
    save(figure, "contrast.png")


def save(figure: Figure, name: str) -> None:
    figure.savefig(IMAGES / name, dpi=120)
    print(IMAGES / name)


def speed_table() -> str:
    """The README's table of speeds, ratios measured in one run."""
    result = load("speed")
    if result is None:
        return ""
    rows = [
        on_machine(result)
        + "| one update per env step, 3x256, batch 256 | env steps/s | x SB3 | x floor |",
        "|---|--:|--:|--:|",
    ]
    for algorithm in ("TD3", "DDPG"):
        for who in ("Stable-Baselines3", "headstart", "headstart bfloat16"):
            smoothed = algorithm == "TD3" and who == "Stable-Baselines3"
            named = algorithm if smoothed or algorithm == "DDPG" else "TD3 without smoothing"
            prefix = f"env steps per second of training, one update each | {who} | {algorithm} |"
            names = [name for name in result["medians"] if name.startswith(prefix)]
            if not names:
                continue
            key = max(names, key=lambda name: result["medians"][name])
            ratios = result["ratios"][key]
            to_sb3 = "1.0" if ratios["to_sb3"] is None else f"{ratios['to_sb3']:.1f}"
            setting = key.removeprefix(prefix).strip().replace(" | ", ", ")
            rows.append(
                f"| {named} + HER, {who}, {setting} "
                f"| {result['medians'][key]:.0f} | {to_sb3} | {ratios['to_floor']:.2f} |"
            )
    return "\n".join(rows)


def replay_table() -> str:
    """The README's table of the replay beside Stable-Baselines3's, measured in one run."""
    result = load("replay")
    if result is None:
        return ""
    rows = [
        "| FetchPickAndPlace-v4, one thread | headstart | mixed with demonstrations | SB3 |",
        "|---|--:|--:|--:|",
    ]
    for size, found in result["sampling"].items():
        rates = found["transitions_per_second"]
        ours, mixed, theirs = (
            f"{rates[name] / 1e6:.1f} M" for name in ("hindsight", "mixed", "stable-baselines3")
        )
        rows.append(f"| transitions/s, batch {size} | {ours} | {mixed} | {theirs} |")
    weights = result["memory"]["bytes_per_transition"]
    rows.append(f"| bytes a transition | {weights['ours']:.0f} | | {weights['theirs']:.0f} |")
    return "\n".join(rows)


def fill(name: str, text: str, page: Path = ROOT / "README.md") -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->`` in a page."""
    if not text:
        return
    pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    content, count = re.subn(
        pattern, lambda match: match[1] + text + "\n" + match[2], page.read_text(), flags=re.S
    )
    if count == 0:
        raise SystemExit(f"{page.name} has no <!-- {name} --> section")
    page.write_text(content)


if __name__ == "__main__":
    main()
