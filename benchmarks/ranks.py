"""Several processes on one run under torchrun: kills processes, compares bytes, times the exchange.

    python benchmarks/ranks.py --kills 10
    python benchmarks/ranks.py --exchange

A run of PointReach-v0 by two processes is killed again and again: SIGKILL to one of them, drawn at
random, at a number of env steps drawn at random, and torchrun starts it again. What is left must be
what one process leaves that was never killed. ``--exchange`` measures what averaging the gradients
of an update costs; the load of the machine is noted beside it.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import machine

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from builders import point_expert
from outcomes import differences, find_damage, outcome

from headstart.agents.config import DDPGConfig
from headstart.agents.ddpg import DDPG
from headstart.demos.record import collect_demos
from headstart.demos.storage import save_demos
from headstart.training.config import LearnerConfig
from headstart.training.group import joined

RESULTS = Path(__file__).parent / "results" / "ranks.json"
PROCESSES, SHARDS = 2, 4
# fmt: off
SETTINGS = [
    "--env-steps", "1800", "--batch-size", "64", "--agent.hidden-sizes", "32", "32",
    "--warm-start.bc-updates", "200",
    "--warm-start.episodes", "4", "--warm-start.critic-updates", "50", "--cycle.updates", "10",
    "--evaluation.every", "500", "--evaluation.episodes", "6", "--checkpoint.seconds", "0",
    "--collectors", "0", "--learner.shards", str(SHARDS),
]
# fmt: on
PRESETS = {"fast, 3 x 128": DDPGConfig(), "3 x 256": DDPGConfig(hidden_sizes=(256, 256, 256))}
ROUNDS = 60
KILLS_A_RUN = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=0, help="how many processes to kill")
    parser.add_argument("--exchange", action="store_true", help="time the exchange")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    if "RANK" in os.environ:
        time_exchange()
        return
    result = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    result |= {
        "machine": machine(),
        "versions": {name: version(name) for name in ("headstart", "torch")},
    }
    if arguments.kills:
        command = f"python benchmarks/ranks.py --kills {arguments.kills}"
        result["kills"] = {"command": command, **kill(arguments.kills, arguments.seed)}
    if arguments.exchange:
        rows = [row for size in (1, 2, 4) for row in measured(size)]
        result["exchange"] = {"command": "python benchmarks/ranks.py --exchange", "rows": rows}
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def kill(kills: int, seed: int) -> dict[str, Any]:
    """Kill processes of runs that torchrun starts again each time, some in each."""
    rng = np.random.default_rng(seed)
    struck: list[int] = []
    different: list[str] = []
    with tempfile.TemporaryDirectory(prefix="ranks-") as scratch:
        place, demos = Path(scratch), Path(scratch, "demos.npz")
        save_demos(demos, collect_demos("PointReach-v0", point_expert, episodes=5))
        train = ["-m", "headstart", "train", "PointReach-v0", "--demos", str(demos), *SETTINGS]
        alone = place / "alone"
        subprocess.run([sys.executable, *train, "--out", alone], check=True, capture_output=True)
        while len(struck) < kills:
            run, count = place / f"together{len(struck)}", min(kills - len(struck), KILLS_A_RUN)
            struck += kill_in_one_run(train, run, count, rng)
            different += differences(outcome(run), outcome(alone))
    return {"processes": PROCESSES, "kills": kills, "ranks": struck, "different": different}


def kill_in_one_run(train: list[str], run: Path, kills: int, rng: np.random.Generator) -> list[int]:
    """Kill processes of one run, and return which."""
    started = torchrun(kills, *train, "--out", str(run))
    moments = np.sort(rng.choice(np.arange(2, 29), kills, replace=False) * 60)
    struck = [int(rng.integers(PROCESSES)) for _ in moments]
    for env_steps, rank in zip(moments.tolist(), struck, strict=True):
        while started.poll() is None and reached(run) < env_steps:
            time.sleep(0.05)
        os.kill(process_of(started.pid, rank), signal.SIGKILL)
        print(f"killed process {rank} at {reached(run)} env steps", flush=True)
        assert not find_damage(run)
    _, told = started.communicate()
    assert started.returncode == 0, told
    return struck


def torchrun(restarts: int, *arguments: str, size: int = PROCESSES) -> "subprocess.Popen[str]":
    """Start a program in several processes."""
    options = ["--standalone", "--nproc-per-node", str(size), "--max-restarts", str(restarts)]
    return subprocess.Popen(
        [sys.executable, "-m", "torch.distributed.run", *options, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def reached(run: Path) -> int:
    """Return the env steps of the newest checkpoint, 0 without any."""
    try:
        newest = (run / "checkpoints" / "LATEST").read_text().strip()
        state = json.loads((run / "checkpoints" / newest / "state.json").read_text())
        return int(state["trainer"]["progress"]["env_steps"])
    except (OSError, ValueError):
        return 0


def process_of(agent: int, rank: int) -> int:
    """Return the process of a rank among the children of torchrun, once it is there."""
    while True:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                if (
                    parent == agent
                    and f"\0RANK={rank}\0".encode() in (path / "environ").read_bytes()
                ):
                    return int(path.name)
            except (OSError, ValueError):
                continue
        time.sleep(0.05)


def measured(size: int) -> list[dict[str, Any]]:
    """Return the times of exchanges between so many processes."""
    with tempfile.NamedTemporaryFile() as file:
        os.environ["RANKS_TIMES"] = file.name
        started = torchrun(0, __file__, size=size)
        _, told = started.communicate()
        assert started.returncode == 0, told
        rows: list[dict[str, Any]] = json.loads(Path(file.name).read_text())
    return rows


def time_exchange() -> None:
    """Time, in one of the processes, what is done to gradients between their parts and the step."""
    torch.set_num_threads(1)
    with joined() as group:
        rows = [timed(group, name, config) for name, config in PRESETS.items()]
        if group.is_first:
            Path(os.environ["RANKS_TIMES"]).write_text(json.dumps(rows))


def timed(group: Any, name: str, config: DDPGConfig) -> dict[str, Any]:
    """Return the median time of the exchange of the gradients of actor and critics."""
    agent = DDPG(
        config,
        observation_dim=25,
        goal_dim=3,
        action_low=[-1.0] * 4,
        action_high=[1.0] * 4,
        reward_range=(-1.0, 0.0),
        seed=0,
    )
    gradients = [*map(torch.ones_like, (*agent.actor.parameters(), *agent.critics.parameters()))]
    learners = group.learners(LearnerConfig(shards=SHARDS))
    found = [gradients] * (SHARDS // group.size)
    wall, cpu = [], []
    for _ in range(ROUNDS):
        begun, used = time.perf_counter(), time.process_time()
        learners.mean(found)
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    return {
        "processes": group.size,
        "shards": SHARDS,
        "networks": name,
        "megabytes": round(sum(it.numel() for it in gradients) * 4 / 1e6, 2),
        "milliseconds": round(1e3 * float(np.median(wall)), 2),
        "milliseconds_lowest": round(1e3 * min(wall), 2),
        "cpu_milliseconds": round(1e3 * float(np.median(cpu)), 2),
        "load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    main()
