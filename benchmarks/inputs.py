"""What an actor should see of a state: tasks with demonstrations, seeing all of it and less.

    python benchmarks/inputs.py --seeds 3

Each task is cloned alone and trained by ``fast``, with an actor that sees less or more; the last
policy is evaluated in 300 greedy episodes. The runs are those of a sweep, one a core; the same
command continues it, and what is in the results is not run again.
"""

import argparse
import itertools
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cells import cell_name, demo_file, last_policy, run_cells, seconds_of
from demonstrators import behaviour_of
from momentum import glide_expert, maze_expert

from headstart import TrainConfig, collect_demos, evaluate
from headstart.files.run_files import read_metrics
from headstart.rollout.job import Behaviour
from headstart.sweeps.spec import RunSpec
from headstart.training.config import EvaluationConfig

EPISODES = 300
RESULTS = Path(__file__).parent / "results" / "inputs.json"
GLIDE, MAZE = "momentum:Glide,max_episode_steps=50", "PointMaze_UMaze-v3"
FACTS = {"command": "python benchmarks/inputs.py --seeds 3"}


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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds, from 0 on (3)")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--inputs", nargs="+", choices=INPUTS, default=list(INPUTS))
    parser.add_argument("--how", nargs="+", default=("cloning", "training"))
    parser.add_argument("--runs", type=Path, default=Path("runs/inputs"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    cells = [
        {"task": task, "how": how, "inputs": inputs, "seed": seed}
        for seed, how, task, inputs in itertools.product(
            range(arguments.seeds), arguments.how, arguments.tasks, arguments.inputs
        )
    ]
    runs = arguments.runs
    run_cells(arguments.out, runs, FACTS, cells, partial(spec_of, runs), found_of)


def spec_of(runs: Path, cell: dict[str, Any]) -> RunSpec:
    """Return the run of one combination."""
    task, seed = TASKS[cell["task"]], cell["seed"]
    config = TrainConfig(
        env_steps=0 if cell["how"] == "cloning" else task.env_steps,
        seed=seed,
        evaluation=EvaluationConfig(every=2000, episodes=50),
    )
    return RunSpec(
        name=cell_name(cell),
        env_id=task.env_id,
        config=config.with_({"demos.expand": 0, **INPUTS[cell["inputs"]]}),
        settings={name: cell[name] for name in ("task", "how", "inputs")},
        demos=(demonstrations(runs, task, seed),),
    )


def found_of(spec: RunSpec, directory: Path) -> dict[str, Any]:
    """Return the results of a run: its last policy in 300 episodes, and how it came there."""
    policy = last_policy(directory)
    last = evaluate(policy, spec.env_id, episodes=EPISODES, seed=spec.config.seed)
    rows = read_metrics(directory)
    print(spec.name, last.success_rate, flush=True)
    return {
        "success_rate": last.success_rate,
        "env_steps": policy.metadata["env_steps"],
        "curve": [[row["time/env_steps"], row["eval/success_rate"]] for row in rows],
        "seconds": seconds_of(directory),
    }


def demonstrations(runs: Path, task: Task, seed: int) -> str:
    """Return the demonstrations of one seed, which other runs of it share."""
    name = f"{task.env_id.rpartition(':')[2]}-{task.kind}-{task.num_demos}-{seed}.npz"
    return demo_file(
        runs.with_name(f"{runs.name}-demos") / name,
        lambda: collect_demos(
            task.env_id,
            task.demonstrator,
            episodes=task.num_demos,
            seed=seed,
            keep_failures=task.kind != "perfect",
        ),
    )


if __name__ == "__main__":
    main()
