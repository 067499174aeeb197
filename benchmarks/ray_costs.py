"""What an episode costs on a Ray cluster, beside what it costs with collectors of this machine.

    python benchmarks/ray_costs.py

The same exploring episodes of FetchPickAndPlace-v4 run by turns in two collectors and on a Ray of
this machine. Processor time is counted process by process, which other work changes little: of the
learner, the process that speaks with Ray, collectors, and Ray's own processes, idle or not.
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
os.environ.pop("RAY_ADDRESS", None)
sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.machine import machine
from benchmarks.processes import Tree
from benchmarks.speed.common import ENV_ID, FAST
from benchmarks.speed.ours import exploring_jobs, filled_trainer
from headstart.rollout.executors import make_executor

PARTS = ("learner", "driver", "collectors", "ray")
RESULTS = Path(__file__).parent / "results" / "ray.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=60, help="of a round")
    arguments = parser.parse_args()
    result = {
        "command": " ".join(["python benchmarks/ray_costs.py", *sys.argv[1:]]),
        "env_id": ENV_ID,
        "machine": machine(),
        "versions": {name: version(name) for name in ("ray", "torch", "numpy", "mujoco")},
        "load_average": os.getloadavg()[0],
        "processor_seconds": costs(arguments.rounds, arguments.episodes),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def costs(rounds: int, episodes: int) -> dict[str, Any]:
    """Return processor seconds of an episode, process by process, and of a policy that is sent.

    What the processes spend while nothing is done, by the clock, is measured and taken off.
    """
    with filled_trainer(FAST, threads=1) as trainer:
        jobs = list(exploring_jobs(trainer, range(episodes)))
    # Another object with other weights is another policy.
    others = [replace(job, policy=replace(job.policy, std=job.policy.std * 2)) for job in jobs]
    by_turns = [job for pair in zip(jobs, others, strict=True) for job in pair][:episodes]
    found: dict[str, list[dict[str, float]]] = {}
    with make_executor(ENV_ID, 2) as local, make_executor(ENV_ID, "ray") as ray:
        turns = {
            "local": lambda: run(local, jobs),
            # A job a task, several jobs a task, and a policy with each job.
            "ray": lambda: [run(ray, jobs[first : first + 4]) for first in range(0, episodes, 4)],
            "ray at once": lambda: run(ray, jobs),
            "ray, a policy each": lambda: [
                run(ray, by_turns[first : first + 4]) for first in range(0, episodes, 4)
            ],
        }
        run(local, jobs[:8])
        run(ray, jobs[:8])
        idle = spent(lambda: time.sleep(5.0))
        for _ in range(rounds):
            for name, turn in turns.items():
                found.setdefault(name, []).append(spent(turn, idle, episodes))
    return {
        "idle, a second": {part: idle[part] / idle["wall"] for part in PARTS},
        "an episode": {
            name: {part: statistics.median(each[part] for each in of) for part in PARTS}
            for name, of in found.items()
        },
    }


def spent(
    turn: Callable[[], object], idle: dict[str, float] | None = None, episodes: int = 1
) -> dict[str, float]:
    """Return the seconds of an episode of a turn, of each part and by the clock."""
    with Tree() as tree:
        begun, learner = time.perf_counter(), time.process_time()
        turn()
        wall, learner = time.perf_counter() - begun, time.process_time() - learner
    # Of this process, without what it takes to look at the others.
    found = {**tree.spent, "learner": learner, "wall": wall}
    if idle is not None:
        for part in ("driver", "ray"):
            found[part] = max(0.0, found[part] - wall * idle[part] / idle["wall"])
    return {part: of / episodes for part, of in found.items()}


def run(executor: Any, jobs: list[Any]) -> None:
    for pending in executor.submit(jobs):
        pending.result()


if __name__ == "__main__":
    main()
