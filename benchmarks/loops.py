"""Env steps a second of whole training loops, against collectors and torch's threads.

    python benchmarks/loops.py

FetchPickAndPlace-v4 without demonstrations, with the networks, batches and updates per env step of
each preset; from one evaluation to the next, which are not counted, after the first cycles. Rounds
take turns. Needs a machine that does nothing else.
"""

import argparse
import json
import os
import statistics
import sys
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from machine import machine

from headstart import PRESETS, Observer, train
from headstart.processors import usable_cores

ENV_ID = "FetchPickAndPlace-v4"
RESULTS = Path(__file__).parent / "results" / "loops.json"
STEPS = {"fast": 600, "stack": 400, "her": 1000, "nair2018": 300}
"""Env steps that are timed."""
BEFORE = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--collectors", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    rates: dict[str, dict[str, list[float]]] = {preset: {} for preset in STEPS}
    rounds = range(arguments.rounds)
    for _, *way in product(rounds, STEPS, arguments.threads, arguments.collectors):
        preset, threads, collectors = way
        found = rates[preset].setdefault(f"{threads}, {collectors}", [])
        found.append(env_steps_a_second(preset, threads, collectors))
        print(*way, found, flush=True)
    medians = {
        preset: {key: statistics.median(each) for key, each in found.items()}
        for preset, found in rates.items()
    }
    content = {
        "command": " ".join(["python benchmarks/loops.py", *sys.argv[1:]]),
        "machine": machine(),
        "versions": {name: version(name) for name in ("torch", "numpy", "mujoco")},
        "load_average": load,
        "cores": usable_cores(),
        "env_steps_per_second": medians,
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")


class Rows(Observer):
    """Keeps the rows of metrics."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def evaluated(self, policy: Any, result: Any, row: dict[str, Any]) -> None:
        """Keep a row."""
        self.rows.append(dict(row))


def env_steps_a_second(preset: str, threads: int, collectors: int) -> float:
    """Time a short run from its first evaluation to its last."""
    observer = Rows()
    config = PRESETS[preset].with_(
        {
            "env_steps": BEFORE + STEPS[preset],
            "torch_threads": threads,
            "demos.find": 0,
            "warm_start.episodes": 2,
            "warm_start.critic_updates": 1,
            "evaluation.every": BEFORE,
            "evaluation.episodes": 1,
        }
    )
    train(ENV_ID, config, collectors=collectors, observers=[observer])
    first, last = (timed(row) for row in (observer.rows[0], observer.rows[-1]))
    return (last[0] - first[0]) / (last[1] - first[1])


def timed(row: dict[str, Any]) -> tuple[float, float]:
    """Return the env steps so far, and the seconds that they took without evaluation."""
    seconds = row["time/wall_seconds"] - row["time/evaluation_seconds"]
    return row["time/env_steps"], seconds


if __name__ == "__main__":
    main()
