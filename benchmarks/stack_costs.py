"""What an update of the preset ``stack`` costs against the number of blocks.

    python benchmarks/stack_costs.py

Batches of 256 of a replay of untrained episodes, sampling included, one torch thread; in processor
time, which other work on the machine changes little. The numbers of blocks take turns.
"""

import json
import os
import statistics
import sys
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

# Before numpy and torch are imported, which read it then.
os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import torch

from benchmarks.costs import milliseconds
from benchmarks.machine import machine
from benchmarks.speed.ours import exploring_jobs
from headstart import PRESETS, make_env
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.rollout.executors import SerialExecutor
from headstart.runs.execution import keep_freed_memory
from headstart.training.assembly import build_trainer
from headstart.training.trainer import Trainer

RESULTS = Path(__file__).parent / "results" / "stack-costs.json"
COUNTS, ROUNDS, SECONDS, EPISODES = (2, 3, 4, 5, 6, 7, 8), 5, 1.0, 4


def main() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    with ExitStack() as stack:
        trainers = {count: filled(f"FetchStack{count}-v0", stack) for count in COUNTS}
        rounds = [{count: update(trainers[count]) for count in COUNTS} for _ in range(ROUNDS)]
    result = {
        "command": "python benchmarks/stack_costs.py",
        "machine": machine(),
        "versions": {name: version(name) for name in ("torch", "numpy", "mujoco")},
        "update_ms": {
            count: round(statistics.median(it[count] for it in rounds), 2) for count in COUNTS
        },
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["update_ms"]))


def filled(env_id: str, stack: ExitStack) -> Trainer:
    """Return a trainer whose replay holds some episodes of its untrained policy."""
    env = stack.enter_context(make_env(env_id))
    spec = GoalSpec.from_env(env)
    executor = stack.enter_context(SerialExecutor(env_id))
    trainer = build_trainer(PRESETS["stack"], spec, None, executor, GoalReward(env, spec), ())
    for pending in executor.submit(list(exploring_jobs(trainer, range(EPISODES)))):
        trainer.replay.add(pending.result())
    trainer.agent.observe(trainer.sampler.sample(EPISODES * spec.max_episode_steps))
    return trainer


def update(trainer: Trainer) -> float:
    """Return milliseconds of processor time of an update."""

    def one() -> int:
        batch = trainer.sampler.sample(PRESETS["stack"].batch_size).map(torch.from_numpy)
        trainer.agent.update(batch)
        return 1

    return milliseconds(one, SECONDS)


if __name__ == "__main__":
    main()
