"""How often demonstrations of several kinds are expanded, and how many env steps that takes.

Run ``python benchmarks/expansion.py``. Every source is expanded alone, by as many attempts as every
other one: ``yield`` is the share of them that ends in success.
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from demonstrators import behaviour_of
from machine import machine

from headstart import collect_demos, make_env
from headstart.data.episode import Episode
from headstart.demos.expansion.player import Player
from headstart.demos.expansion.skill import UnusableError, read_skill
from headstart.demos.expansion.workspace import Workspace
from headstart.demos.record import versions
from headstart.envs.goal_env import GoalSpec
from headstart.rollout.job import EpisodeJob, run_episode

OUT = Path(__file__).parent / "results" / "expansion.json"
KINDS = ("perfect", "slow", "noisy", "half-failing")
TASKS = {
    "FetchPickAndPlace-v4": KINDS,
    "FetchPush-v4": KINDS,
    "MetaWorldReach-v3": KINDS[:1],
    "MetaWorldPush-v3": KINDS[:1],
    "MetaWorldPickPlace-v3": KINDS[:1],
    "OGBenchCubeSingle-v0": KINDS[:1],
}
"""Environments, and the kinds of their sources."""
SPEEDS = (1.0, 1.5, 2.0)
SOURCES = 10
ATTEMPTS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=SOURCES, help="of each kind")
    parser.add_argument("--attempts", type=int, default=ATTEMPTS, help="from each source")
    arguments = parser.parse_args()
    begun = time.process_time()
    rows = [row for env_id in TASKS for row in yields(env_id, arguments)]
    content = {
        "yields": {
            "command": " ".join(["python benchmarks/expansion.py", *sys.argv[1:]]),
            "machine": machine(),
            "versions": versions(),
            "cpu_seconds": time.process_time() - begun,
            "rows": rows,
        }
    }
    OUT.write_text(json.dumps(content, indent=1) + "\n")


def yields(env_id: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return a row for each kind of sources, with snapshots and without, and for some speeds."""
    rows = []
    for kind in TASKS[env_id]:
        demos = collect_demos(
            env_id,
            behaviour_of(kind, env_id),
            episodes=arguments.sources,
            seed=5,
            keep_failures=kind == "half-failing",
            snapshots=False,
        )
        for restores in (True, False):
            rows.append(row_of(env_id, kind, demos.episodes, arguments.attempts, restores, 1.0))
        for speed in SPEEDS[1:] if kind == "perfect" else ():
            rows.append(row_of(env_id, kind, demos.episodes, arguments.attempts, True, speed))
    return rows


def row_of(
    env_id: str,
    kind: str,
    sources: tuple[Episode, ...],
    attempts: int,
    restores: bool,
    speed: float,
) -> dict[str, Any]:
    """Return what attempts from every source came to."""
    env = make_env(env_id)
    workspace = Workspace.of(GoalSpec.from_env(env))
    found: list[list[Episode]] = []
    refused: Counter[str] = Counter()
    for number, source in enumerate(sources):
        try:
            skill = read_skill(source, workspace)
        except UnusableError as error:
            refused[str(error)] += 1
            continue
        player = Player(skill, workspace, speed, restores)
        jobs = [EpisodeJob(player, number, "expansion", index) for index in range(attempts)]
        found.append([run_episode(env, job) for job in jobs])
    row = {
        "env_id": env_id,
        "kind": kind,
        "restores_states": restores,
        "speed": speed,
        "sources": len(sources),
        "refused": dict(refused),
        **outcome(found),
    }
    print(json.dumps(row), flush=True)
    return row


def outcome(found: list[list[Episode]]) -> dict[str, Any]:
    """Return yield and cost of attempts, ``found[source][attempt]``."""
    every = [episode for episodes in found for episode in episodes]
    kept = [episode for episode in every if episode.success]
    taken = sum(len(episode) + episode.discarded_steps for episode in every)
    return {
        "attempts": len(every),
        "yield": len(kept) / len(every),
        "source_yields": [float(np.mean([ep.success for ep in eps])) for eps in found],
        "env_steps": taken,
        "branch_steps": sum(episode.discarded_steps for episode in every),
        "env_steps_per_kept": taken / len(kept) if kept else None,
        "median_steps_to_success": float(np.median([np.argmax(ep.is_success) + 1 for ep in kept]))
        if kept
        else None,
    }


if __name__ == "__main__":
    main()
