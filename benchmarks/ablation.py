"""What each technique of the paper is worth, with demonstrations that are good and bad.

    python benchmarks/ablation.py --seeds 5

Every combination of a kind of demonstrations (``demonstrators.py``) and a variant of the ``fast``
preset is trained on FetchPickAndPlace-v4 with 100 demonstrations, and its last policy evaluated in
500 greedy episodes, as is the demonstrator itself. A run that is on disk is not run again, and two
processes may share the work: each takes what the other has not begun.
"""

import argparse
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from demonstrators import behaviour_of, imperfect_demos

from headstart import DemoSet, TrainConfig, evaluate, load_demos, save_demos, train
from headstart.training.config import (
    EvaluationConfig,
    HindsightConfig,
    ResetsConfig,
    WarmStartConfig,
)
from headstart.viz.runs import read_metrics

ENV_ID = "FetchPickAndPlace-v4"
KINDS = ("perfect", "noisy", "slow", "half-failing")
NUM_DEMOS, ENV_STEPS, EPISODES = 100, 10_000, 500
RESULTS = Path(__file__).parent / "results" / "ablation.json"

FULL = TrainConfig(env_steps=ENV_STEPS, evaluation=EvaluationConfig(every=1000, episodes=50))
_NO_CLONING = WarmStartConfig(bc_updates=0)
VARIANTS: dict[str, TrainConfig] = {
    "full": FULL,
    "no Q-filter": replace(FULL, agent=replace(FULL.agent, q_filter=False)),
    "with resets": replace(FULL, resets=ResetsConfig(probability=0.2)),
    "cloning, then RL without BC loss": replace(FULL, agent=replace(FULL.agent, bc_weight=0.0)),
    "BC loss, no cloning before": replace(FULL, warm_start=_NO_CLONING),
    "demonstrations in replay only": replace(
        FULL, agent=replace(FULL.agent, bc_weight=0.0), warm_start=_NO_CLONING
    ),
    "no hindsight": replace(FULL, hindsight=HindsightConfig(strategy="none")),
    "cloning alone": replace(FULL, env_steps=0, warm_start=WarmStartConfig(bc_updates=10_000)),
    "no demonstrations": FULL,
}
"""Settings by name; "no demonstrations" is run once, not for each kind."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 on (5)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--collect-only", action="store_true", help="read the runs, train nothing")
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    if not arguments.collect_only:
        for seed in range(arguments.seeds):
            for kind, variant in combinations(arguments.kinds, arguments.variants):
                run(arguments.runs, kind, variant, seed)
    RESULTS.write_text(json.dumps(summary(arguments.runs, arguments.seeds), indent=1) + "\n")
    print(RESULTS)


def combinations(kinds: list[str], variants: list[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of a kind of demonstrations and a variant."""
    for kind in kinds:
        for variant in variants:
            if variant != "no demonstrations":
                yield kind, variant
    if "no demonstrations" in variants:
        yield "none", "no demonstrations"


def run(runs: Path, kind: str, variant: str, seed: int) -> None:
    """Train and evaluate one combination, unless somebody has begun it."""
    directory = runs / f"{kind}-{variant}-{seed}".replace(" ", "-").replace(",", "")
    if directory.exists():
        return
    demos = None if kind == "none" else demonstrations(runs, kind)
    config = replace(VARIANTS[variant], seed=seed)
    result = train(ENV_ID, config, demos=demos, out=directory)
    last = evaluate(result.policy, ENV_ID, episodes=EPISODES, seed=seed)
    (directory / "last.json").write_text(json.dumps(last.to_json()))
    print(f"{kind}, {variant}, seed {seed}: {last.success_rate:.1%}", flush=True)


def demonstrations(runs: Path, kind: str) -> DemoSet:
    path = runs / f"{kind}.npz"
    if not path.exists():
        save_demos(path, imperfect_demos(kind, ENV_ID, NUM_DEMOS, seed=0))
    return load_demos(path)


def summary(runs: Path, seeds: int) -> dict[str, Any]:
    """Return what every finished run came to, beside the demonstrators."""
    demonstrators = {}
    for kind in KINDS:
        path = runs / f"{kind}.json"
        if not path.exists():
            result = evaluate(behaviour_of(kind, ENV_ID), ENV_ID, episodes=EPISODES)
            path.write_text(json.dumps(result.to_json()))
        demos = demonstrations(runs, kind).describe()
        demonstrators[kind] = {**json.loads(path.read_text()), "demos": demos}
    trained = []
    for kind, variant in combinations(list(KINDS), list(VARIANTS)):
        for seed in range(seeds):
            directory = runs / f"{kind}-{variant}-{seed}".replace(" ", "-").replace(",", "")
            if (directory / "last.json").exists():
                last = json.loads((directory / "last.json").read_text())
                trained.append({"kind": kind, "variant": variant, **last, **curve(directory)})
    record = json.loads(next(runs.glob("*/config.json")).read_text())
    return {
        "command": f"python benchmarks/ablation.py --seeds {seeds}",
        "env_id": ENV_ID,
        "env_steps": ENV_STEPS,
        "versions": record["versions"],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "demonstrators": demonstrators,
        "runs": trained,
    }


def curve(directory: Path) -> dict[str, Any]:
    """Return the evaluations on the way."""
    rows = list(read_metrics(directory))
    return {
        "curve": {
            "env_steps": [row["time/env_steps"] for row in rows],
            "success_rate": [row["eval/success_rate"] for row in rows],
        },
        "train_seconds": rows[-1]["time/wall_seconds"] - rows[-1]["time/evaluation_seconds"],
    }


if __name__ == "__main__":
    main()
