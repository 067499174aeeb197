"""The replay beside Stable-Baselines3's ``HerReplayBuffer``: speed of sampling, and memory.

    python benchmarks/replay.py

Both hold the same FetchPickAndPlace-v4 episodes and run in turn, on one thread. What is timed is a
whole batch: rows drawn, gathered and relabelled (future, 0.8), rewards recomputed by the
environment, and on our side terminations too; "mixed" has an eighth of demonstrations in it. Memory
is what the operating system counts, in a process of its own for each buffer.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Before numpy and torch are imported, which read it then.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from machine import machine

ENV_ID = "FetchPickAndPlace-v4"
SIZES = (256, 1024)
DEMO_FRACTION = 0.125
RESULTS = Path(__file__).parent / "results" / "replay.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--transitions", type=int, default=200_000, help="stored while timing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", type=int, default=1_000_000, help="stored while weighing")
    parser.add_argument("--largest", type=int, default=10_000_000, help="of the curve over fill")
    parser.add_argument("--weigh", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.weigh:
        print(json.dumps(weigh(arguments.weigh, arguments.memory)))
        return
    result = {
        "command": "python benchmarks/replay.py",
        "machine": machine(),
        "versions": {name: version(name) for name in ("numpy", "stable-baselines3")},
        "transitions": arguments.transitions,
        "sampling": sampling(arguments.transitions, arguments.rounds),
        "fill": fill_curve(arguments.largest, arguments.rounds),
        "memory": memory(arguments.memory),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({name: result[name] for name in ("sampling", "fill", "memory")}, indent=1))


def sampling(transitions: int, rounds: int) -> dict[str, Any]:
    """Return transitions a second of each sampler at each batch size, measured in turn."""
    episodes = some_episodes()
    online, mixed = our_samplers(episodes, transitions)
    theirs = their_buffer(episodes, transitions)
    calls: dict[str, Callable[[int], object]] = {
        "hindsight": online.sample,
        "mixed": mixed.sample,
        "stable-baselines3": theirs.sample,
    }
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for size in SIZES:
            for name, call in calls.items():
                rates.setdefault((name, size), []).append(rate(call, size))
    table: dict[str, Any] = {}
    for size in SIZES:
        medians = {name: statistics.median(rates[name, size]) for name in calls}
        peer = rates["stable-baselines3", size]
        ratios = [ours / one for ours, one in zip(rates["mixed", size], peer, strict=True)]
        table[str(size)] = {
            "transitions_per_second": {name: round(value) for name, value in medians.items()},
            "ratio_of_mixed": spread(ratios),
        }
    return table


def fill_curve(largest: int, rounds: int) -> list[dict[str, Any]]:
    """Return microseconds a row by how many transitions are stored."""
    episodes = some_episodes()
    points = []
    fill = 10_000
    while fill <= largest:
        online, _ = our_samplers(episodes, fill)
        times = [1e6 / rate(online.sample, 1024) for _ in range(rounds)]
        points.append({"transitions": fill, "microseconds_per_row": spread(times)})
        fill *= 10
    return points


def memory(transitions: int) -> dict[str, Any]:
    """Return bytes a transition of both, each filled in a fresh process."""
    found = {}
    for name in ("ours", "theirs"):
        command = [sys.executable, __file__, "--weigh", name, "--memory", str(transitions)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found[name] = round(json.loads(answer) / transitions, 1)
    return {
        "transitions": transitions,
        "bytes_per_transition": found,
        "share": round(found["ours"] / found["theirs"], 3),
    }


def weigh(name: str, transitions: int) -> int:
    """Return how many bytes of memory this process takes more once a buffer is filled."""
    episodes = some_episodes()
    fill = our_replay if name == "ours" else their_buffer
    # All that is imported and built besides is there before the first weighing.
    small = fill(episodes, 1000)
    before = resident()
    kept = fill(episodes, transitions)
    after = resident()
    del small, kept
    return after - before


def some_episodes() -> list[Any]:
    """Return episodes of the task with random actions."""
    from headstart import make_env, run_episode
    from headstart.rollout.exploration import Exploration
    from headstart.rollout.job import Constant, EpisodeJob

    env = make_env(ENV_ID)
    still = Constant(np.zeros(env.action_space.shape, np.float32))
    blind = Exploration(random_action=1.0)
    return [run_episode(env, EpisodeJob(still, 0, "rollout", i, blind)) for i in range(20)]


def our_replay(episodes: list[Any], transitions: int) -> Any:
    """Return a replay that holds that many transitions."""
    from headstart import EpisodeReplay

    steps = len(episodes[0])
    count = transitions // steps
    replay = EpisodeReplay(count * (steps + 1), observation_dim=25, goal_dim=3, action_dim=4)
    for index in range(count):
        replay.add(episodes[index % len(episodes)])
    return replay


def our_samplers(episodes: list[Any], transitions: int) -> tuple[Any, Any]:
    """Return a sampler of that many transitions, and one that mixes demonstrations in."""
    from headstart import EpisodeReplay, GoalReward, HindsightSampler, MixedSampler, make_env

    replay = our_replay(episodes, transitions)
    reward = GoalReward(make_env(ENV_ID))

    def sampler(replay: Any) -> Any:
        rng = np.random.default_rng(0)
        return HindsightSampler(replay, reward, relabel_fraction=0.8, rng=rng)

    online, demos = sampler(replay), sampler(EpisodeReplay.from_episodes(episodes * 5))
    return online, MixedSampler(online=online, demos=demos, demo_fraction=DEMO_FRACTION)


def their_buffer(episodes: list[Any], transitions: int) -> Any:
    """Return Stable-Baselines3's buffer, filled step by step as its algorithms fill it."""
    from stable_baselines3 import HerReplayBuffer
    from stable_baselines3.common.vec_env import DummyVecEnv

    from headstart import make_env

    env = DummyVecEnv([lambda: make_env(ENV_ID)])
    buffer = HerReplayBuffer(
        transitions, env.observation_space, env.action_space, env=env, n_sampled_goal=4
    )
    for index in range(transitions // len(episodes[0])):
        episode = episodes[index % len(episodes)]
        states = [
            {
                "observation": episode.observations[step][None],
                "achieved_goal": episode.achieved_goals[step][None],
                "desired_goal": episode.desired_goals[:1],
            }
            for step in range(len(episode) + 1)
        ]
        for step in range(len(episode)):
            done = np.array([step == len(episode) - 1])
            # A dict for every step, as an environment's info is.
            infos = [{"is_success": 0.0}]
            action = episode.actions[step][None]
            buffer.add(states[step], states[step + 1], action, np.array([-1.0]), done, infos)
    return buffer


def rate(sample: Callable[[int], object], size: int, seconds: float = 0.5) -> float:
    """Return rows a second."""
    for _ in range(20):
        sample(size)
    batches, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        for _ in range(10):
            sample(size)
        batches += 10
    return batches * size / (time.perf_counter() - begun)


def spread(values: list[float]) -> dict[str, Any]:
    ends = [round(min(values), 3), round(max(values), 3)]
    return {"median": round(statistics.median(values), 3), "range": ends}


def resident() -> int:
    """Return the bytes of memory that the operating system has given this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
