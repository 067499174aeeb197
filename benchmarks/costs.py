"""What an update costs against batch, width and critics, and an env step against collectors.

    python benchmarks/costs.py

On FetchPickAndPlace-v4, with the update of the preset ``fast`` (3 x 128, two critics with layer
norm, batches of 256, one torch thread) and one of the three sizes changed. An update includes its
sampling. Beside it is the floor: its matrix products alone. Updates are counted in processor time,
which other work on the machine changes little; env steps in processor time and by the clock.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Before numpy and torch are imported, which read it then.
os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import torch

from benchmarks.machine import machine
from benchmarks.speed.common import FAST, Algorithm
from benchmarks.speed.floors import product_turn
from benchmarks.speed.ours import exploring_jobs, filled_trainer
from headstart.rollout.executors import make_executor
from headstart.runs.execution import keep_freed_memory

RESULTS = Path(__file__).parent / "results" / "costs.json"
SIZES: dict[str, dict[int, Algorithm]] = {
    "batch": {
        size: replace(FAST, batch_size=size) for size in (64, 128, 256, 512, 1024, 2048, 4096)
    },
    "width": {width: replace(FAST, hidden=(width,) * 3) for width in (64, 128, 256, 512, 1024)},
    "critics": {count: replace(FAST, num_critics=count) for count in (1, 2, 3, 5, 10)},
}
COLLECTORS = (0, 1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=40, help="for each number of collectors")
    arguments = parser.parse_args()
    result = {
        "command": " ".join(["python benchmarks/costs.py", *sys.argv[1:]]),
        "machine": machine(),
        "versions": {name: version(name) for name in ("torch", "numpy", "mujoco")},
        "time": "milliseconds of processor time, one torch thread; medians of rounds",
        "load_average": os.getloadavg()[0],
        "updates": updates(arguments.seconds, arguments.rounds),
        "env_steps": env_steps(arguments.episodes, arguments.rounds),
    }
    result["load_average_after"] = os.getloadavg()[0]
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def updates(seconds: float, rounds: int) -> dict[str, dict[int, dict[str, float]]]:
    """Return milliseconds of an update and of its floor, for each size of each kind."""
    torch.set_num_threads(1)
    keep_freed_memory()
    found: dict[str, dict[int, dict[str, float]]] = {}
    for kind, sizes in SIZES.items():
        for size, algorithm in sizes.items():
            found.setdefault(kind, {})[size] = _update(algorithm, seconds, rounds)
            print(kind, size, found[kind][size], file=sys.stderr)
    return found


def _update(algorithm: Algorithm, seconds: float, rounds: int) -> dict[str, float]:
    floor = product_turn(algorithm)
    with filled_trainer(algorithm, threads=1) as trainer:

        def update() -> int:
            batch = trainer.sampler.sample(algorithm.batch_size).map(torch.from_numpy)
            trainer.agent.update(batch)
            return 1

        # By turns: both see the same machine.
        pairs = [
            (milliseconds(update, seconds), milliseconds(floor, seconds)) for _ in range(rounds)
        ]
    ours, products = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {"milliseconds": ours, "floor": products}


def milliseconds(call: Callable[[], int], seconds: float) -> float:
    """Return the processor time of one unit of what ``call`` does, after a call to warm up."""
    call()
    begun, count = time.process_time(), 0
    while time.process_time() - begun < seconds or count < 3:
        count += call()
    return 1e3 * (time.process_time() - begun) / count


def env_steps(episodes: int, rounds: int) -> dict[int, dict[str, float]]:
    """Return rates for each number of collectors: per second, and per second of processor time."""
    rates: dict[int, list[tuple[float, float]]] = {count: [] for count in COLLECTORS}
    with filled_trainer(FAST, threads=1) as trainer:
        jobs = list(exploring_jobs(trainer, range(episodes)))
        for _ in range(rounds):
            for count in COLLECTORS:
                rates[count].append(_acting(count, jobs))
    return {
        count: {
            "per_second": statistics.median(rate for rate, _ in of),
            "per_cpu_second": statistics.median(rate for _, rate in of),
        }
        for count, of in rates.items()
    }


def _acting(collectors: int, jobs: list[Any]) -> tuple[float, float]:
    with make_executor("FetchPickAndPlace-v4", collectors) as executor:
        # Started, imported and built before the clock runs.
        for pending in executor.submit(jobs[: 2 * collectors]):
            pending.result()

        def processors() -> float:
            return time.process_time() + getattr(executor, "cpu_seconds", 0.0)

        begun, cpu = time.perf_counter(), processors()
        steps = sum(len(pending.result()) for pending in executor.submit(jobs))
        return steps / (time.perf_counter() - begun), steps / (processors() - cpu)


if __name__ == "__main__":
    main()
