"""Kills what a run on a Ray cluster consists of, at random, and compares the final bytes.

    python benchmarks/chaos.py --ray --kills 30

The cluster has a head without processors and three nodes with one each, all of this machine. While
the real command trains there, one after the other is killed: a node (another one joins), a worker
of Ray, a collector, the process that speaks with Ray, or the learner; after the last two the run is
resumed. What is left at the end must be what a run with two collectors here leaves.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from chaos import ENV_ID, command, command_line, headstart
from machine import machine
from outcomes import differences, find_damage, outcome

RESULTS = Path(__file__).parent / "results" / "chaos-ray.json"
NODES = 3
PROGRAMS = {
    "worker": "ray::run_jobs",
    "collector": "headstart.rollout.collector",
    "driver": "headstart.rollout.ray_driver",
}
ENDS_THE_COMMAND = ("driver", "learner")
SHORTEST, LONGEST = 2.0, 20.0
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


def main(kills: int, seed: int) -> None:
    """Kill so often, and write what became of it."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(dir=".", prefix=".chaos-") as scratch, cluster() as (ray, add):
        place = Path(scratch)
        demos = place / "demos.npz"
        headstart("demos", "collect", ENV_ID, "--episodes", "5", "--out", demos)
        headstart(*command(place / "whole", demos), "--collectors", "2")
        expected = outcome(place / "whole")
        nodes = [add() for _ in range(NODES)]
        runs: list[dict[str, Any]] = []
        while sum(sum(run["kills"].values()) for run in runs) < kills:
            directory = place / f"run-{len(runs)}"
            runs.append(killed_run(directory, demos, rng, ray, nodes, add))
            runs[-1]["different"] = differences(outcome(directory), expected)
            print(json.dumps(runs[-1]), flush=True)
    total: Counter[str] = Counter()
    for run in runs:
        total.update(run["kills"])
    result = {
        "command": f"python benchmarks/chaos.py --ray --kills {kills}",
        "env_id": ENV_ID,
        "machine": machine(),
        "versions": {name: version(name) for name in ("headstart", "ray", "torch", "mujoco")},
        "kills": dict(total),
        "damaged_files": sum(run["damaged"] for run in runs),
        "runs": len(runs),
        "runs_with_the_same_bytes": sum(not run["different"] for run in runs),
        "each": runs,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


@contextmanager
def cluster() -> Iterator[tuple[Any, Any]]:
    """Yield a cluster that commands find, and what adds a node to it."""
    place = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    os.environ |= {
        "RAY_TMPDIR": place,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_worker_niceness": "0",
    }
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={**NODE, "num_cpus": 0})
    os.environ["RAY_ADDRESS"] = made.address
    try:
        yield made, lambda: made.add_node(**NODE)
    finally:
        made.shutdown()
        shutil.rmtree(place, ignore_errors=True)


def killed_run(
    directory: Path, demos: Path, rng: np.random.Generator, ray: Any, nodes: list[Any], add: Any
) -> dict[str, Any]:
    """Kill parts of a run until it reaches its end; return what was killed, and how often."""
    kills: Counter[str] = Counter()
    seen: dict[str, Any] = {"kills": kills, "starts": 0, "damaged": 0}
    while True:
        line = command_line((*command(directory, demos), "--collectors", "ray"))
        log = directory.with_suffix(".log")
        with log.open("wb") as told:
            process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=told)
        seen["starts"] += 1
        struck = ""
        while struck not in ENDS_THE_COMMAND:
            try:
                process.wait(rng.uniform(SHORTEST, LONGEST))
            except subprocess.TimeoutExpired:
                struck = strike(process, rng, ray, nodes, add)
                kills.update([struck] if struck else [])
            else:
                break
        if process.wait() == 0:
            return {**seen, "kills": dict(kills)}
        if struck not in ENDS_THE_COMMAND:
            raise SystemExit(f"{line} failed:\n{log.read_text(errors='replace')}")
        seen["damaged"] += len(find_damage(directory))


def strike(
    process: "subprocess.Popen[bytes]",
    rng: np.random.Generator,
    ray: Any,
    nodes: list[Any],
    add: Any,
) -> str:
    """Kill a part of a run, and return which; nothing if there is none of its kind yet."""
    kind = str(rng.choice(["node", "node", "worker", "worker", "collector", *ENDS_THE_COMMAND]))
    if kind == "node":
        ray.remove_node(nodes.pop(int(rng.integers(len(nodes)))), allow_graceful=False)
        nodes.append(add())
        return kind
    victims = [process.pid] if kind == "learner" else found(PROGRAMS[kind])
    if not victims:
        return ""
    try:
        os.kill(int(rng.choice(victims)), signal.SIGKILL)
    except ProcessLookupError:
        return ""
    return kind


def found(program: str) -> list[int]:
    """Return the processes that run a program and descend from this one."""
    parents, running = {}, []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            said = (path / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        parents[int(path.name)] = int(fields[1])
        if program in said:
            running.append(int(path.name))
    return sorted(pid for pid in running if _descends(pid, parents))


def _descends(pid: int, parents: dict[int, int]) -> bool:
    while pid > 1:
        pid = parents.get(pid, 0)
        if pid == os.getpid():
            return True
    return False
