"""Updates a second of every preset against torch's threads and precision, and whether bits differ.

    python benchmarks/threads.py

On the processor, by the clock, with half of each batch shown, as in ``devices.py``; medians of
rounds, in which the numbers of threads take turns. Besides: with one thread, products of factors in
bfloat16, and batches that another thread of Python draws while the learner multiplies. Figures of
another processor stay in the file.
"""

import argparse
import hashlib
import json
import os
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import torch

from benchmarks.devices import ACTION, GOAL, OBSERVATION, replay_of, reward
from benchmarks.machine import machine
from benchmarks.speed.common import per_second
from headstart.agents.config import DDPGConfig
from headstart.agents.ddpg import DDPG
from headstart.agents.device import send_batch
from headstart.agents.precision import multiplies_bfloat16
from headstart.data.batch import NumpyBatch
from headstart.data.hindsight import HindsightSampler
from headstart.data.mixture import MixedSampler
from headstart.presets import PRESETS
from headstart.processors import usable_cores
from headstart.runs.execution import keep_freed_memory

RESULTS = Path(__file__).parent / "results" / "threads.json"
FAST = PRESETS["fast"].agent
SIZES = {
    "`fast`: 3 x 128, 256": (FAST, 256),
    "`fast` with 3 x 256": (replace(FAST, hidden_sizes=(256,) * 3), 256),
    "`fast` with 3 x 512": (replace(FAST, hidden_sizes=(512,) * 3), 256),
    "`fast` with batches of 1,024": (FAST, 1024),
    "`her`: 3 x 256, 256": (PRESETS["her"].agent, PRESETS["her"].batch_size),
    "`nair2018`: 3 x 256, 1,024": (PRESETS["nair2018"].agent, PRESETS["nair2018"].batch_size),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    keep_freed_memory()
    threads = [count for count in arguments.threads if count <= usable_cores()]
    found = {}
    for name, (config, batch_size) in SIZES.items():
        found[name] = measure(config, batch_size, threads, arguments.seconds, arguments.rounds)
        print(name, found[name], file=sys.stderr)
    here = {
        "command": " ".join(["python benchmarks/threads.py", *sys.argv[1:]]),
        "machine": machine(),
        "versions": {name: version(name) for name in ("torch", "numpy")},
        "load_average": os.getloadavg()[0],
        "multiplies_bfloat16": multiplies_bfloat16(),
        "sizes": found,
    }
    others = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    others = [each for each in others if each["machine"] != here["machine"]]
    arguments.out.write_text(json.dumps([*others, here], indent=1) + "\n")


def measure(
    config: DDPGConfig, batch_size: int, threads: list[int], seconds: float, rounds: int
) -> dict[str, object]:
    """Return updates a second for each way to make them, and with how many threads bits differ."""
    rates: dict[int, list[float]] = {count: [] for count in threads}
    rounded, ahead = [], []
    agent = make_agent(config)
    sample = sampling(agent, batch_size)
    with ThreadPoolExecutor(1) as other:
        drawn = DrawnAhead(other, sample)
        for _ in range(rounds):
            for count in threads:
                torch.set_num_threads(count)
                rates[count].append(per_second(updating(agent, sample), seconds))
            torch.set_num_threads(1)
            ahead.append(per_second(updating(agent, drawn), seconds))
            torch.set_float32_matmul_precision("medium")
            rounded.append(per_second(updating(agent, sample), seconds))
            torch.set_float32_matmul_precision("highest")
    bits = {count: bits_after(config, batch_size, count) for count in threads}
    return {
        "updates_per_second": {count: statistics.median(of) for count, of in rates.items()},
        "drawn_ahead_updates_per_second": statistics.median(ahead),
        "bfloat16_updates_per_second": statistics.median(rounded),
        "same_bits": {count: bits[count] == bits[threads[0]] for count in threads},
    }


def bits_after(config: DDPGConfig, batch_size: int, threads: int, updates: int = 20) -> str:
    """Return a hash of the weights after some updates."""
    torch.set_num_threads(threads)
    agent = make_agent(config)
    update = updating(agent, sampling(agent, batch_size))
    for _ in range(updates):
        update()
    weights = [*agent.actor.parameters(), *agent.critics.parameters()]
    content = b"".join(each.detach().numpy().tobytes() for each in weights)
    return hashlib.sha256(content).hexdigest()


def make_agent(config: DDPGConfig) -> DDPG:
    """Return an untrained agent whose filter acts from the first update on."""
    return DDPG(
        replace(config, q_filter_from=0),
        observation_dim=OBSERVATION,
        goal_dim=GOAL,
        action_low=[-1.0] * ACTION,
        action_high=[1.0] * ACTION,
        reward_range=(-1.0, 0.0),
        seed=0,
    )


def sampling(agent: DDPG, batch_size: int) -> Callable[[], NumpyBatch]:
    """Return a call that draws a batch, half of it shown."""
    rng = np.random.default_rng(0)
    online, demos = (
        HindsightSampler(replay_of(rng, source), reward, relabel_fraction=0.8, rng=rng)
        for source in (0, 1)
    )
    sampler = MixedSampler(online=online, demos=demos, demo_fraction=0.5)
    agent.observe(sampler.sample(5000))
    return partial(sampler.sample, batch_size)


class DrawnAhead:
    """Draws each batch in another thread while the one before it is learned from."""

    def __init__(self, other: Executor, sample: Callable[[], NumpyBatch]) -> None:
        self._other, self._sample = other, sample
        self._next = other.submit(sample)

    def __call__(self) -> NumpyBatch:
        """Return a batch."""
        batch = self._next.result()
        self._next = self._other.submit(self._sample)
        return batch


def updating(agent: DDPG, sample: Callable[[], NumpyBatch]) -> Callable[[], int]:
    """Return a call that makes one update."""

    def update() -> int:
        agent.update(send_batch(sample(), agent.device))
        return 1

    return update


if __name__ == "__main__":
    main()
