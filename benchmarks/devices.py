"""Updates a second against the batch, on the processor and, where torch sees one, on a GPU.

    python benchmarks/devices.py

With the update of the preset ``fast`` (two critics with layer norm, half of each batch shown) for
vectors as wide as those of FetchPickAndPlace-v4. Whole updates include sampling, hindsight and the
way to the device; the others are made of one batch over and over. By the clock, with one torch
thread; medians of rounds. The transitions are random: an update costs the same with any.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

# Before numpy and torch are imported, which read it then.
os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import torch

from benchmarks.machine import machine
from benchmarks.speed.common import per_second
from headstart.agents.config import DDPGConfig
from headstart.agents.ddpg import DDPG
from headstart.agents.device import find_device, send_batch
from headstart.data.episode import Episode
from headstart.data.hindsight import HindsightSampler
from headstart.data.mixture import MixedSampler
from headstart.data.replay import EpisodeReplay
from headstart.runs.execution import keep_freed_memory

RESULTS = Path(__file__).parent / "results" / "devices.json"
OBSERVATION, GOAL, ACTION, STEPS = 25, 3, 4, 50
BATCHES = (256, 512, 1024, 2048, 4096)
HIDDEN = {"3x128": (128,) * 3, "3x256": (256,) * 3, "3x512": (512,) * 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--devices", nargs="*", default=["cpu", "cuda"], choices=["cpu", "cuda"])
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    devices = [name for name in arguments.devices if name == "cpu" or torch.cuda.is_available()]
    found: dict[str, dict[str, dict[int, dict[str, float]]]] = {name: {} for name in devices}
    for name in devices:
        for width, hidden in HIDDEN.items():
            found[name][width] = curve(name, hidden, arguments.seconds, arguments.rounds)
            print(name, width, found[name][width], file=sys.stderr)
    result = {
        "command": " ".join(["python benchmarks/devices.py", *sys.argv[1:]]),
        "machine": machine(),
        "gpu": torch.cuda.get_device_name() if "cuda" in devices else None,
        "versions": {name: version(name) for name in ("torch", "numpy")},
        "load_average": os.getloadavg()[0],
        "updates_per_second": found,
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def curve(
    device: str, hidden: tuple[int, ...], seconds: float, rounds: int
) -> dict[int, dict[str, float]]:
    """Return updates a second for each size of batch, whole ones and without sampling."""
    agent = DDPG(
        DDPGConfig(hidden_sizes=hidden, q_filter_from=0),
        observation_dim=OBSERVATION,
        goal_dim=GOAL,
        action_low=[-1.0] * ACTION,
        action_high=[1.0] * ACTION,
        reward_range=(-1.0, 0.0),
        seed=0,
        device=find_device(device),  # type: ignore[arg-type]
    )
    rng = np.random.default_rng(0)
    online, demos = (
        HindsightSampler(replay_of(rng, source), reward, relabel_fraction=0.8, rng=rng)
        for source in (0, 1)
    )
    sampler = MixedSampler(online=online, demos=demos, demo_fraction=0.5)
    agent.observe(sampler.sample(5000))
    rates: dict[int, dict[str, float]] = {}
    for size in BATCHES:
        sent = send_batch(sampler.sample(size), agent.device)

        def whole(size: int = size) -> int:
            agent.update(send_batch(sampler.sample(size), agent.device))
            return 1

        def alone(sent: object = sent) -> int:
            agent.update(sent)  # type: ignore[arg-type]
            return 1

        rates[size] = {
            name: statistics.median(
                per_second(in_turn(call, agent.device), seconds) for _ in range(rounds)
            )
            for name, call in (("whole", whole), ("update", alone))
        }
    return rates


def in_turn(call: Callable[[], int], device: torch.device) -> Callable[[], int]:
    """Return a call after which nothing is under way; of many calls where they run ahead."""
    if device.type == "cpu":
        return call

    def many() -> int:
        count = sum(call() for _ in range(50))
        torch.cuda.synchronize()
        return count

    return many


def replay_of(rng: np.random.Generator, source: int) -> EpisodeReplay:
    """Return a replay of random episodes."""
    episodes = [episode(rng) for _ in range(200)]
    if source:
        episodes = [each.demonstrated() for each in episodes]
    return EpisodeReplay.from_episodes(episodes)


def episode(rng: np.random.Generator) -> Episode:
    """Return an episode of random numbers with one goal."""

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    return Episode(
        observations=normal(STEPS + 1, OBSERVATION),
        achieved_goals=normal(STEPS + 1, GOAL),
        desired_goals=np.repeat(normal(1, GOAL), STEPS, axis=0),
        actions=normal(STEPS, ACTION).clip(-1.0, 1.0),
        terminated=np.zeros(STEPS, bool),
        is_success=np.zeros(STEPS, bool),
        reward_infos=np.zeros((STEPS, 0), np.float32),
        snapshots=np.zeros((STEPS + 1, 0)),
        rewards=np.full(STEPS, -1.0, np.float32),
        discarded_steps=0,
    )


def reward(
    achieved_goal: np.ndarray, desired_goal: np.ndarray, reward_info: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return 0 near the goal and -1 elsewhere; no goal ends an episode."""
    far = np.linalg.norm(achieved_goal - desired_goal, axis=-1) > 0.5
    return -far.astype(np.float32), np.zeros(len(far), np.float32)


if __name__ == "__main__":
    main()
