"""What each technique of the paper is worth, with demonstrations that are good and bad.

    python benchmarks/ablation.py --seeds 5

Every combination of a kind of demonstrations (``demonstrators.py``) and a variant of the ``fast``
preset is trained on FetchPickAndPlace-v4 with 100 demonstrations, and its last policy evaluated in
500 greedy episodes, as is the demonstrator itself. The runs are those of a sweep, one a core; the
same command continues it, and what is in the results is not run again.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from cells import cell_name, demo_file, last_policy, run_cells, seconds_of, stored, write
from demonstrators import behaviour_of, imperfect_demos

from headstart import TrainConfig, evaluate, load_demos
from headstart.files.run_files import read_metrics
from headstart.sweeps.spec import RunSpec
from headstart.training.config import (
    DemosConfig,
    EvaluationConfig,
    HindsightConfig,
    ResetsConfig,
    WarmStartConfig,
)

ENV_ID = "FetchPickAndPlace-v4"
KINDS = ("perfect", "noisy", "slow", "half-failing")
NUM_DEMOS, ENV_STEPS, EPISODES = 100, 10_000, 500
RESULTS = Path(__file__).parent / "results" / "ablation.json"

FACTS = {
    "command": "python benchmarks/ablation.py --seeds 5",
    "env_id": ENV_ID,
    "env_steps": ENV_STEPS,
    "num_demos": NUM_DEMOS,
    "demonstrators": {},
}

FULL = TrainConfig(
    env_steps=ENV_STEPS,
    demos=DemosConfig(expand=0),
    evaluation=EvaluationConfig(every=1000, episodes=50),
)
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
    out, runs = arguments.out, arguments.runs
    for kind in arguments.kinds:
        demonstrator(out, runs, kind)
    cells = [
        {"kind": kind, "variant": variant, "seed": seed}
        for seed in range(arguments.seeds)
        for kind, variant in combinations(arguments.kinds, arguments.variants)
    ]
    run_cells(out, runs, FACTS, cells, partial(spec_of, runs), found_of)


def combinations(kinds: list[str], variants: list[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of a kind of demonstrations and a variant."""
    for variant in variants:
        for kind in kinds:
            others = variant not in ("no demonstrations", LONGER, LONGER_UNFILTERED)
            if variant in OF_SLOW if kind == "slow" else others:
                yield kind, variant
    if "no demonstrations" in variants:
        yield "none", "no demonstrations"


def spec_of(runs: Path, cell: dict[str, Any]) -> RunSpec:
    """Return the run of one combination."""
    kind, variant, seed = cell.values()
    return RunSpec(
        name=cell_name(cell),
        env_id=ENV_ID,
        config=replace(VARIANTS[variant], seed=seed),
        settings={"kind": kind, "variant": variant},
        demos=None if kind == "none" else (demonstrations(runs, kind),),
    )


def found_of(spec: RunSpec, directory: Path) -> dict[str, Any]:
    """Return the results of a run: its last policy in 500 episodes, and how it came there."""
    last = evaluate(last_policy(directory), ENV_ID, episodes=EPISODES, seed=spec.config.seed)
    print(f"{spec.name}: {last.success_rate:.1%}", flush=True)
    rows = read_metrics(directory)
    return {
        **last.to_json(),
        "curve": {
            "env_steps": [row["time/env_steps"] for row in rows],
            "success_rate": [row["eval/success_rate"] for row in rows],
        },
        "seconds": seconds_of(directory),
    }


def demonstrator(out: Path, runs: Path, kind: str) -> None:
    """Evaluate the demonstrator of one kind, unless it is in the results."""
    content = stored(out, FACTS)
    if kind not in content["demonstrators"]:
        result = evaluate(behaviour_of(kind, ENV_ID), ENV_ID, episodes=EPISODES)
        demos = load_demos(demonstrations(runs, kind)).describe()
        content["demonstrators"][kind] = {**result.to_json(), "demos": demos}
        write(out, content)


def demonstrations(runs: Path, kind: str) -> str:
    path = runs.with_name(f"{runs.name}-demos") / f"{kind}.npz"
    return demo_file(path, lambda: imperfect_demos(kind, ENV_ID, NUM_DEMOS, seed=0))


if __name__ == "__main__":
    main()
