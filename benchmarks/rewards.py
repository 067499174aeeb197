"""The same task with its reward written in many ways, by ``fast`` without options.

    python benchmarks/rewards.py --seeds 2

PointReach pays -1/0, 0/1, -1 until the end, +1/+2, -0.1/+100 and the negative distance times 0.05,
1 and 100; its episodes continue at the goal or end there, with ``compute_terminated`` or without;
with 20 demonstrations and without. Results are written after every run, and one that is in them is
not run again.
"""

import argparse
import itertools
import json
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from machine import machine
from reward_tasks import ENDS, REWARDS, RewardedReach, is_task

from headstart import PRESETS, collect_demos, evaluate, train
from headstart.runs.record import PACKAGES

NUM_DEMOS, EPISODES = 20, 500
RESULTS = Path(__file__).parent / "results" / "rewards.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=2, help="how many seeds, from 0 on (2)")
    seeds = range(parser.parse_args().seeds)
    result: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"runs": []}
    cells = itertools.product(seeds, (0, NUM_DEMOS), ENDS, REWARDS)
    for seed, num_demos, ends, reward in cells:
        cell = {"reward": reward, "ends": ends, "demos": num_demos, "seed": seed}
        known = [{name: run[name] for name in cell} for run in result["runs"]]
        if not is_task(reward, ends) or cell in known:
            continue
        result["runs"].append({**cell, **run(reward, ends, num_demos, seed)})
        result |= {
            "command": f"python benchmarks/rewards.py --seeds {len(seeds)}",
            "versions": {name: version(name) for name in PACKAGES},
            "machine": machine(),
        }
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")
        print(result["runs"][-1])


def run(reward: str, ends: str, num_demos: int, seed: int) -> dict[str, float]:
    """Train once; success of the last policy over episodes that selected nothing."""
    options = {"reward": reward, "ends": ends}
    gym.register("Rewarded-v0", RewardedReach, max_episode_steps=30, kwargs=options)
    begun = time.monotonic()
    demos = collect_demos("Rewarded-v0", expert, episodes=num_demos) if num_demos else None
    trained = train("Rewarded-v0", replace(PRESETS["fast"], seed=seed), demos=demos)
    seconds = time.monotonic() - begun
    success = evaluate(trained.policy, "Rewarded-v0", episodes=EPISODES).success_rate
    del gym.registry["Rewarded-v0"]
    return {
        "success_rate": success,
        "env_steps": trained.progress.env_steps,
        "seconds": round(seconds, 1),
    }


def expert(observation: dict[str, np.ndarray]) -> np.ndarray:
    return np.clip(10 * (observation["desired_goal"] - observation["achieved_goal"]), -1.0, 1.0)


if __name__ == "__main__":
    main()
