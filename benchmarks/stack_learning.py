"""What is learned of stacking from 100 demonstrations, as one JSON file.

    python benchmarks/stack_learning.py clone 2 3 4 --work DIR
    python benchmarks/stack_learning.py transfer 3 2 4 5 6 7 8 --work DIR
    python benchmarks/stack_learning.py train 2 3 --work DIR

``clone`` clones demonstrations of each number of blocks; ``transfer`` runs the clone of the first
number on the others, of which it has seen nothing; ``train`` learns on from the clones. Success
means success at the last step, and strict success that the tower stands by itself.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from machine import machine

from headstart import PRESETS, collect_demos, evaluate, expert_for, save_demos, train
from headstart.files.run_files import read_metrics

OUT = Path(__file__).parent / "results" / "stack-learning.json"
DEMOS, NOISE = 100, 0.2
CONFIG = PRESETS["stack"]
ENV_STEPS = {2: 10_000, 3: 25_000, 4: 60_000, 5: 120_000, 6: 250_000}
"""At which what is trained is quoted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("clone", "transfer", "train"))
    parser.add_argument("counts", type=int, nargs="+", help="numbers of blocks")
    parser.add_argument("--work", type=Path, required=True, help="keeps demonstrations and runs")
    parser.add_argument("--episodes", type=int, default=500, help="greedy episodes (500)")
    parser.add_argument("--actor-inputs", default="auto", help="of clone; see `headstart train`")
    parser.add_argument("--env-steps", type=int, help="of train, if not the target's")
    arguments = parser.parse_args()
    work, episodes = arguments.work, arguments.episodes
    if arguments.what == "transfer":
        first, *counts = arguments.counts
        for count in counts:
            found = measure(work / f"clone-{first}", count, episodes)
            write(f"transfer{first}-{count}", found)
        return
    for count in arguments.counts:
        if arguments.what == "clone":
            seen = arguments.actor_inputs
            name = "clone" if seen == "auto" else "everything"
            write(f"{name}-{count}", clone(work, count, episodes, seen))
        else:
            env_steps = arguments.env_steps or ENV_STEPS[count]
            write(f"train-{count}", learn(work, count, episodes, env_steps))


def clone(work: Path, count: int, episodes: int, seen: str = "auto") -> dict[str, Any]:
    """Clone demonstrations of a number of blocks, which are collected if that is not done."""
    file, begun = work / f"demos-{count}.npz", time.perf_counter()
    if not file.exists():
        expert = expert_for(env_id(count))
        demos = collect_demos(env_id(count), expert, episodes=DEMOS, noise=NOISE, snapshots=False)
        save_demos(file, demos)
    collected = time.perf_counter()
    out = work / (f"clone-{count}" if seen == "auto" else f"clone-{count}-{seen}")
    config = CONFIG.with_(env_steps=0, actor_inputs=seen, **{"evaluation.episodes": 1})
    train(env_id(count), config, demos=file, out=out)
    seconds = {"collecting": collected - begun, "cloning": time.perf_counter() - collected}
    return {"seconds": seconds, **measure(out, count, episodes)}


def learn(work: Path, count: int, episodes: int, env_steps: int) -> dict[str, Any]:
    """Train on from the clone of the same number of blocks."""
    config = CONFIG.with_(
        {
            "env_steps": env_steps,
            "init_policy": str(work / f"clone-{count}"),
            "warm_start.bc_updates": 0,
        }
    )
    begun, out = time.perf_counter(), work / f"train-{count}"
    train(env_id(count), config, demos=work / f"demos-{count}.npz", out=out)
    curve = [
        {name: row.get(name) for name in ("time/env_steps", "eval/success_rate")}
        for row in read_metrics(out)
    ]
    seconds = {"training": time.perf_counter() - begun}
    found = measure(out, count, episodes)
    return {"seconds": seconds, "env_steps": env_steps, "curve": curve, **found}


def measure(run: Path, count: int, episodes: int) -> dict[str, Any]:
    """Return how often the policy of a run builds towers of a number of blocks."""
    result = evaluate(run, env_id(count), episodes=episodes)
    kept = ("episodes", "success_rate", "interval", "strict_success_rate", "components", "endings")
    return {name: getattr(result, name) for name in kept}


def env_id(count: int) -> str:
    return f"FetchStack{count}-v0"


def write(name: str, found: dict[str, Any]) -> None:
    """Put a result into the file, beside those that are there."""
    written = json.loads(OUT.read_text()) if OUT.exists() else {"machine": machine()}
    written[name] = found
    OUT.write_text(json.dumps(dict(sorted(written.items())), indent=1) + "\n")
    print(name, json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
