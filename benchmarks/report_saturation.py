"""The curves and tables of ``docs/cluster.md``: what more collectors are worth."""

from matplotlib.figure import Figure
from report_demos import load
from report_performance import table

STEPS = 50


def draw_saturation() -> Figure | None:
    """Env steps a second against collectors: lines are the model, points the simulated clusters."""
    result = load("saturation")
    if result is None:
        return None
    figure = Figure(figsize=(10, 4), layout="constrained")
    rates, traffic = figure.subplots(1, 2)
    for color, work in enumerate(result["works"]):
        rows, style = work["rows"], f"C{color}"
        counts = [row["collectors"] for row in rows]
        rates.plot(counts, [row["model"] for row in rows], color=style, label=work["name"])
        points = [(row["collectors"], row["virtual"]) for row in rows if "virtual" in row]
        rates.plot(*zip(*points, strict=True), "o", color=style, markersize=4)
        moved = [row["bytes_in_per_second"] + row["bytes_out_per_second"] for row in rows]
        traffic.plot(counts, [each / 1e6 for each in moved], color=style)
    traffic.axhline(result["network"]["bandwidth"] / 1e6, color="0.6", linestyle=":")
    traffic.annotate("one gigabit a second", (1, result["network"]["bandwidth"] / 1e6), va="bottom")
    rates.set(title="env steps a second", ylim=(10, None))
    traffic.set(title="megabytes a second at the learner", ylim=(1e-2, 1e3))
    for axes in (rates, traffic):
        axes.set(xscale="log", yscale="log", xlabel="collectors")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    rates.legend(frameon=False, fontsize="small")
    return figure


def saturation_table() -> str:
    """Where each kind of work saturates, and what it then needs."""
    result = load("saturation")
    if result is None:
        return ""
    rows = []
    for work in result["works"]:
        most = max(row["model"] for row in work["rows"])
        enough = next(row for row in work["rows"] if row["model"] > 0.9 * most)
        one = work["rows"][0]["model"]
        megabytes = (enough["bytes_in_per_second"] + enough["bytes_out_per_second"]) / 1e6
        rows.append(
            [
                work["name"],
                f"{one:,.0f}",
                f"{most:,.0f}",
                f"{enough['collectors']:,}",
                f"{megabytes:.2g} MB/s",
                bound(work, enough, result["costs"]),
            ]
        )
    head = ["work", "env steps/s, 1 collector", "at most", "collectors for 90% of it"]
    return table([*head, "network", "what then waits"], rows).replace("--:", "---", 1)


def bound(work: dict[str, object], row: dict[str, float], costs: dict[str, float]) -> str:
    """Say which part of a cycle takes longest when there are collectors enough."""
    updates = STEPS * float(str(work["updates_per_step"])) * costs["update"]
    if updates:
        learner = updates + costs["store"] + costs["learner_ask"]
        return f"for updates ({updates / learner:.0%} of the learner's time)"
    return "for the process that speaks with Ray"


def costs_table() -> str:
    """What the model is made of."""
    result = load("saturation")
    if result is None:
        return ""
    costs = result["costs"]
    named = [
        ("env step, in a collector", f"{1e3 * costs['step']:.2f} ms"),
        ("update, `fast`, with its sampling", f"{1e3 * costs['update']:.1f} ms"),
        ("storing an episode of 50 steps, in the learner", f"{1e3 * costs['store']:.2f} ms"),
        ("asking for it and reading it, in the learner", f"{1e3 * costs['learner_ask']:.2f} ms"),
        ("a task of Ray, in the process that speaks with it", f"{1e3 * costs['task']:.2f} ms"),
        ("each job of a task, there", f"{1e3 * costs['job']:.2f} ms"),
        ("handing a policy to Ray", f"{1e3 * costs['put']:.1f} ms"),
        ("a policy, to each node, once a cycle", f"{costs['policy_bytes'] / 1e3:,.0f} kB"),
        ("an episode, back", f"{costs['episode_bytes'] / 1e3:,.1f} kB"),
    ]  # fmt: skip
    return table(["start", "cost"], named).replace("| start |", "| |", 1)


def two_cores_table() -> str:
    """The whole loop as it was measured on two cores, beside the model."""
    result = load("saturation")
    if result is None:
        return ""
    rows = [
        [
            ", ".join(
                [found["algorithm"], *(f"{key} {found[key]}" for key in ("threads", "collectors"))]
            ),
            f"{found['measured']:.0f}",
            f"{found['model']:.0f}",
            f"{found['model'] / found['measured'] - 1:+.0%}",
        ]
        for found in result["two_cores"]
    ]
    head = ["start", "measured, env steps/s", "model", "difference"]
    return table(head, rows).replace("| start |", "| |", 1)


def ray_table() -> str:
    """What an episode costs with Ray, beside local collectors, process by process."""
    result = load("ray")
    if result is None:
        return ""
    names = {
        "local": "`--collectors 2`",
        "ray": "`--collectors ray`, 2 processors, 4 episodes asked for at a time",
        "ray at once": "the same, 24 at a time",
        "ray, a policy each": "the same, 4 at a time, each with another policy",
    }
    rows = []
    for of, name in names.items():
        found = result["processor_seconds"]["an episode"][of]
        spent = [1e3 * found[part] for part in ("learner", "driver", "collectors", "ray")]
        rows.append([name, *(f"{each:.2f}" for each in spent), f"{sum(spent):.1f}"])
    head = ["start", "learner", "beside it", "collectors", "Ray's own processes", "together"]
    return table(head, rows).replace("| start |", "| processor ms an episode |", 1)
