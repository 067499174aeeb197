"""What an actor should see of a state: tasks with demonstrations, seeing all of it and less.

    python benchmarks/inputs.py --seeds 3

Each task is cloned alone and trained by ``fast``, with an actor that sees less or more; the last
policy is evaluated in 300 greedy episodes. Results are written after every run, and one that is in
them is not run again. Two processes may share the work: each takes what the other has not begun.
"""

import argparse
import itertools
import json
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium as gym
from ablation import write
from demonstrators import behaviour_of
from machine import machine
from momentum import Glide, glide_expert, maze_expert

from headstart import DemoSet, TrainConfig, collect_demos, evaluate, load_demos, save_demos, train
from headstart.files.run_files import read_metrics
from headstart.rollout.job import Behaviour
from headstart.runs.record import PACKAGES
from headstart.training.config import EvaluationConfig

EPISODES = 300
RESULTS = Path(__file__).parent / "results" / "inputs.json"
GLIDE, MAZE = "Glide-v0", "PointMaze_UMaze-v3"


@dataclass(frozen=True)
class Task:
    """What to learn, from how many demonstrations of whom, in how many env steps."""

    env_id: str
    num_demos: int
    env_steps: int
    kind: str = "perfect"

    @property
    def demonstrator(self) -> Behaviour:
        """Return who demonstrates."""
        own = {GLIDE: glide_expert, MAZE: maze_expert}
        return own.get(self.env_id) or behaviour_of(self.kind, self.env_id)


TASKS = {
    "pick-and-place, 10": Task("FetchPickAndPlace-v4", 10, 10_000),
    "push, 100": Task("FetchPush-v4", 100, 8000),
    "pick-and-place, 100 noisy": Task("FetchPickAndPlace-v4", 100, 10_000, "noisy"),
    "slide, 100": Task("FetchSlide-v4", 100, 10_000),
    "glide, 20": Task(GLIDE, 20, 6000),
    "pick-and-place, 100": Task("FetchPickAndPlace-v4", 100, 6000),
    "reach, 5": Task("FetchReach-v4", 5, 3000),
    "maze, 20": Task(MAZE, 20, 30_000),
}
OWN_GOALS = {"demos.other_goals": False}
INPUTS: dict[str, dict[str, Any]] = {
    "neither": {"actor_inputs": "neither", **OWN_GOALS},
    "all": {"actor_inputs": "all", **OWN_GOALS},
    "no-velocities": {"actor_inputs": "no-velocities", **OWN_GOALS},
    "no-absolute": {"actor_inputs": "no-absolute", **OWN_GOALS},
    "neither, fine": {
        "actor_inputs": "neither",
        "fine_scales": (10.0, 50.0, 200.0),
        **OWN_GOALS,
    },
    "neither, other goals": {"actor_inputs": "neither", "demos.other_goals": True},
    "auto": {},
}


def main() -> None:
    gym.register(GLIDE, Glide, max_episode_steps=50)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0 on (3)")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--inputs", nargs="+", choices=INPUTS, default=list(INPUTS))
    parser.add_argument("--how", nargs="+", default=("cloning", "training"))
    parser.add_argument("--runs", type=Path, default=Path("runs/inputs"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    cells = itertools.product(
        range(arguments.seeds), arguments.how, arguments.tasks, arguments.inputs
    )
    for seed, how, task, inputs in cells:
        cell = {"task": task, "how": how, "inputs": inputs, "seed": seed}
        run(arguments.out, arguments.runs, cell)


def run(out: Path, runs: Path, cell: dict[str, Any]) -> None:
    """Train and evaluate one combination, unless it is in the results or somebody has begun it."""
    if any({name: found[name] for name in cell} == cell for found in stored(out)["runs"]):
        return
    directory = runs / "-".join(map(str, cell.values())).replace(" ", "-").replace(",", "")
    try:
        directory.mkdir()
    except FileExistsError:
        return
    task, seed = TASKS[cell["task"]], cell["seed"]
    cloning = cell["how"] == "cloning"
    config = TrainConfig(
        env_steps=0 if cloning else task.env_steps,
        seed=seed,
        evaluation=EvaluationConfig(every=2000, episodes=50),
    ).with_(INPUTS[cell["inputs"]])
    try:
        demos = demonstrations(runs, task, seed)
        result = train(task.env_id, config, demos=demos, out=directory)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    last = evaluate(result.policy, task.env_id, episodes=EPISODES, seed=seed)
    rows = list(read_metrics(directory))
    found = {
        **cell,
        "success_rate": last.success_rate,
        "env_steps": result.progress.env_steps,
        "curve": [[row["time/env_steps"], row["eval/success_rate"]] for row in rows],
        "seconds": round(rows[-1]["time/wall_seconds"] - rows[-1]["time/evaluation_seconds"], 1),
    }
    content = stored(out)
    content["runs"].append(found)
    write(out, content)
    print(*cell.values(), last.success_rate, found["curve"], flush=True)


def demonstrations(runs: Path, task: Task, seed: int) -> DemoSet:
    """Return the demonstrations of one seed, which other runs of it share."""
    name = f"{task.env_id}-{task.kind}-{task.num_demos}-{seed}.npz"
    path = runs / name
    if not path.exists():
        demos = collect_demos(
            task.env_id,
            task.demonstrator,
            episodes=task.num_demos,
            seed=seed,
            keep_failures=task.kind != "perfect",
        )
        save_demos(path, demos)
    return load_demos(path)


def stored(out: Path) -> dict[str, Any]:
    """Return the results so far."""
    if out.exists():
        return json.loads(out.read_text())
    return {
        "command": "python benchmarks/inputs.py --seeds 3",
        "versions": {name: version(name) for name in PACKAGES},
        "machine": machine(),
        "runs": [],
    }


if __name__ == "__main__":
    main()
