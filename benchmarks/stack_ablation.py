"""What each technique of the paper is worth for a tower of three, as in its ablation.

    python benchmarks/stack_ablation.py

Each variant of the ``stack`` preset is trained on FetchStack3-v0 with the same 100 demonstrations,
and its last policy evaluated in 100 greedy episodes. The runs are those of a sweep, one a core; the
same command continues it, and what is in the results is not run again.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from cells import cell_name, demo_file, last_policy, run_cells, seconds_of

from headstart import PRESETS, collect_demos, evaluate, expert_for
from headstart.files.run_files import read_metrics
from headstart.sweeps.spec import RunSpec

ENV_ID, DEMOS, NOISE, EPISODES = "FetchStack3-v0", 100, 0.2, 100
RESULTS = Path(__file__).parent / "results" / "stack-ablation.json"
FACTS = {"command": "python benchmarks/stack_ablation.py", "env_id": ENV_ID, "num_demos": DEMOS}
FULL = PRESETS["stack"].with_(
    {
        "env_steps": 10_000,
        "evaluation.every": 2000,
        "evaluation.episodes": 20,
        "evaluation.at_start": True,
    }
)
VARIANTS: dict[str, dict[str, Any]] = {
    "cloning, then RL and BC loss (stack)": {},
    "with resets to demonstrations": {"resets.probability": 0.2},
    "with the Q-filter": {"agent.q_filter": True},
    "no hindsight": {"hindsight.strategy": "none"},
    "cloning, then RL without BC loss": {"agent.bc_weight": 0.0},
    "BC loss, no cloning before": {"warm_start.bc_updates": 0},
    "no BC loss, no cloning": {"agent.bc_weight": 0.0, "warm_start.bc_updates": 0},
    "cloning alone": {"env_steps": 0},
}
"""What differs from the preset."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0 on (1)")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--runs", type=Path, default=Path("runs/stack-ablation"))
    arguments = parser.parse_args()
    cells = [
        {"variant": variant, "seed": seed}
        for seed in range(arguments.seeds)
        for variant in arguments.variants
    ]
    runs = arguments.runs
    run_cells(RESULTS, runs, FACTS, cells, partial(spec_of, runs), found_of)


def spec_of(runs: Path, cell: dict[str, Any]) -> RunSpec:
    """Return the run of one variant."""
    return RunSpec(
        name=cell_name(cell),
        env_id=ENV_ID,
        config=FULL.with_(seed=cell["seed"]).with_(VARIANTS[cell["variant"]]),
        settings={"variant": cell["variant"]},
        demos=(demonstrations(runs),),
    )


def found_of(spec: RunSpec, directory: Path) -> dict[str, Any]:
    """Return the results of a run: its last policy, and how it came there."""
    last = evaluate(last_policy(directory), ENV_ID, episodes=EPISODES, seed=spec.config.seed)
    rows = read_metrics(directory)
    print(f"{spec.name}: {last.success_rate:.1%}", flush=True)
    return {
        "success_rate": last.success_rate,
        "strict_success_rate": last.strict_success_rate,
        "episodes": EPISODES,
        "curve": [[row["time/env_steps"], row["eval/success_rate"]] for row in rows],
        "seconds": seconds_of(directory),
    }


def demonstrations(runs: Path) -> str:
    """Return the demonstrations, which all runs share."""
    return demo_file(
        runs.with_name(f"{runs.name}-demos") / "three.npz",
        lambda: collect_demos(
            ENV_ID, expert_for(ENV_ID), episodes=DEMOS, noise=NOISE, snapshots=True
        ),
    )


if __name__ == "__main__":
    main()
