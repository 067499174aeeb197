"""What each technique of the paper is worth, with demonstrations that are good and bad.

    python benchmarks/ablation.py --seeds 5

Every combination of a kind of demonstrations (``demonstrators.py``) and a variant of the ``fast``
preset is trained on FetchPickAndPlace-v4 with 100 demonstrations, and its last policy evaluated in
500 greedy episodes, as is the demonstrator itself. The results are written after every run, and
one that is in them is not run again. Two processes may share the work: each takes what the other
has not begun.
"""

import argparse
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from demonstrators import behaviour_of, imperfect_demos
from machine import machine

from headstart import DemoSet, TrainConfig, evaluate, load_demos, save_demos, train
from headstart.files.run_files import read_metrics
from headstart.runs.record import PACKAGES
from headstart.training.config import (
    EvaluationConfig,
    HindsightConfig,
    ResetsConfig,
    WarmStartConfig,
)

ENV_ID = "FetchPickAndPlace-v4"
KINDS = ("perfect", "noisy", "slow", "half-failing")
NUM_DEMOS, ENV_STEPS, EPISODES = 100, 10_000, 500
RESULTS = Path(__file__).parent / "results" / "ablation.json"

FULL = TrainConfig(env_steps=ENV_STEPS, evaluation=EvaluationConfig(every=1000, episodes=50))
LONGER, LONGER_UNFILTERED = "20,000 env steps, 2 updates each", "the same, no Q-filter"
_TWO_EACH = replace(FULL, env_steps=20_000, cycle=replace(FULL.cycle, updates_per_step=2.0))
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
    LONGER: _TWO_EACH,
    LONGER_UNFILTERED: replace(_TWO_EACH, agent=replace(_TWO_EACH.agent, q_filter=False)),
}
"""Settings by name; "no demonstrations" is run once, not for each kind."""
OF_SLOW = ("full", "no Q-filter", "cloning alone", LONGER, LONGER_UNFILTERED)
"""What slow ones are for: does the policy stay as slow, and is it the Q-filter's doing?"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 on (5)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    for kind in arguments.kinds:
        demonstrator(arguments.out, arguments.runs, kind)
    for seed in range(arguments.seeds):
        for kind, variant in combinations(arguments.kinds, arguments.variants):
            run(arguments.out, arguments.runs, kind, variant, seed)


def combinations(kinds: list[str], variants: list[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of a kind of demonstrations and a variant."""
    for variant in variants:
        for kind in kinds:
            others = variant not in ("no demonstrations", LONGER, LONGER_UNFILTERED)
            if variant in OF_SLOW if kind == "slow" else others:
                yield kind, variant
    if "no demonstrations" in variants:
        yield "none", "no demonstrations"


def run(out: Path, runs: Path, kind: str, variant: str, seed: int) -> None:
    """Train and evaluate one combination, unless it is in the results or somebody has begun it."""
    done = stored(out)["runs"]
    directory = runs / f"{kind}-{variant}-{seed}".replace(" ", "-").replace(",", "")
    if any(key(found) == (kind, variant, seed) for found in done):
        return
    try:
        directory.mkdir()
    except FileExistsError:
        return
    demos = None if kind == "none" else demonstrations(runs, kind)
    config = replace(VARIANTS[variant], seed=seed)
    try:
        result = train(ENV_ID, config, demos=demos, out=directory)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    last = evaluate(result.policy, ENV_ID, episodes=EPISODES, seed=seed)
    content = stored(out)
    found = {"kind": kind, "variant": variant, **last.to_json(), **curve(directory)}
    content["runs"] = sorted([*content["runs"], found], key=key)
    write(out, content)
    print(f"{kind}, {variant}, seed {seed}: {last.success_rate:.1%}", flush=True)


def demonstrator(out: Path, runs: Path, kind: str) -> None:
    """Evaluate the demonstrator of one kind, unless it is in the results."""
    if kind not in stored(out)["demonstrators"]:
        result = evaluate(behaviour_of(kind, ENV_ID), ENV_ID, episodes=EPISODES)
        demos = demonstrations(runs, kind).describe()
        content = stored(out)
        content["demonstrators"][kind] = {**result.to_json(), "demos": demos}
        write(out, content)


def key(found: dict[str, Any]) -> tuple[str, str, int]:
    return found["kind"], found["variant"], found["seed"]


def demonstrations(runs: Path, kind: str) -> DemoSet:
    path = runs / f"{kind}.npz"
    if not path.exists():
        save_demos(path, imperfect_demos(kind, ENV_ID, NUM_DEMOS, seed=0))
    return load_demos(path)


def curve(directory: Path) -> dict[str, Any]:
    """Return the evaluations on the way, and the seconds of training."""
    rows = list(read_metrics(directory))
    return {
        "curve": {
            "env_steps": [row["time/env_steps"] for row in rows],
            "success_rate": [row["eval/success_rate"] for row in rows],
        },
        "seconds": round(rows[-1]["time/wall_seconds"] - rows[-1]["time/evaluation_seconds"], 1),
    }


def stored(out: Path) -> dict[str, Any]:
    """Return the results so far."""
    if out.exists():
        return json.loads(out.read_text())
    return {
        "command": "python benchmarks/ablation.py --seeds 5",
        "env_id": ENV_ID,
        "env_steps": ENV_STEPS,
        "num_demos": NUM_DEMOS,
        "versions": {name: version(name) for name in PACKAGES},
        "machine": machine(),
        "demonstrators": {},
        "runs": [],
    }


def write(out: Path, content: dict[str, Any]) -> None:
    staged = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    staged.write_text(json.dumps(content, indent=1) + "\n")
    staged.replace(out)


if __name__ == "__main__":
    main()
