"""How long demonstrations take: 100 collected, and 100 read from a file of OpenAI Baselines.

    python benchmarks/demos.py

Commands are timed as a user runs them, imports included. Beside collecting stand the simulator's
own steps, on one core; beside the import stands ``np.load(allow_pickle=True)``, which runs whatever
code a file brings along.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import mujoco
from machine import machine

from headstart import load_demos, make_env

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
sys.path.append(str(Path(__file__).parents[1] / "tests" / "demos"))
from legacy_files import equal, parts_of, write_python2

ENV_ID, NUM_DEMOS = "FetchPickAndPlace-v4", 100
RESULTS = Path(__file__).parent / "results" / "demos.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        demos, legacy = Path(folder) / "demos.npz", Path(folder) / "legacy.npz"
        many = ["--episodes", NUM_DEMOS, "--collectors", 2]
        calls: dict[str, Callable[[], object]] = {
            "collect": lambda: headstart("collect", ENV_ID, *many, "--out", demos),
            "simulator": simulate,
            "import": lambda: headstart("import", legacy, "--env", ENV_ID, "--out", demos),
            "numpy": lambda: read_with_numpy(legacy),
        }
        calls["collect"]()
        episodes = load_demos(demos).episodes
        write_python2(legacy, equal(parts_of(episodes)))
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(arguments.rounds):
            for name, call in calls.items():
                seconds[name].append(timed(call))
        size = legacy.stat().st_size
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    result = {
        "command": f"python benchmarks/demos.py --rounds {arguments.rounds}",
        "machine": machine(),
        "versions": {name: version(name) for name in ("headstart", "numpy", "mujoco")},
        "env_id": ENV_ID,
        "demonstrations": NUM_DEMOS,
        "transitions": sum(len(episode) for episode in episodes),
        "legacy_bytes": size,
        "seconds": medians,
        "all_seconds": seconds,
        "collect_over_simulator": medians["collect"] / medians["simulator"],
        "import_over_numpy": medians["import"] / medians["numpy"],
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def headstart(*arguments: object) -> None:
    """Run ``headstart demos``."""
    command = [sys.executable, "-m", "headstart", "demos", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def simulate() -> None:
    """Take the simulator's steps of as many episodes, and nothing else."""
    env = make_env(ENV_ID)
    env.reset(seed=0)
    task = env.unwrapped
    for _ in range(NUM_DEMOS * env.spec.max_episode_steps):
        mujoco.mj_step(task.model, task.data, task.n_substeps)


def read_with_numpy(path: Path) -> None:
    """Read all arrays of a file, in a process of its own as the command is."""
    load = "numpy.load(sys.argv[1], allow_pickle=True, encoding='bytes')"
    script = f"import sys, numpy; list({load}.values())"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
