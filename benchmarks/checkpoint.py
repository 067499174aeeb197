"""What it costs to save a run, and to go on with it.

    python benchmarks/checkpoint.py

First how long saving and going on take with a million transitions stored (FetchPickAndPlace-v4,
the ``fast`` preset, real episodes over and over), then how much of a run's time goes into its
checkpoints: by the run's own clock, and beside runs that save nothing, in turn.
"""

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from machine import machine

from headstart import DemoSet, TrainConfig, collect_demos, resume, train
from headstart.demos.experts import expert_for
from headstart.files.run_files import read_metrics
from headstart.runs.directory import new_run
from headstart.runs.execution import run_in
from headstart.runs.preparation import prepare_run
from headstart.runs.record import RunRecord, current_versions
from headstart.training.config import CheckpointConfig, CycleConfig, EvaluationConfig
from headstart.training.observer import Observer
from headstart.training.trainer import Trainer

ENV_ID = "FetchPickAndPlace-v4"
RESULTS = Path(__file__).parent / "results" / "checkpoint.json"
NEVER = 1e9
NEW = CycleConfig(episodes=20, updates=0)
"""What is new in the replay from one checkpoint to the next where it is full."""


class Stopped(BaseException):
    """Ends a run once what is measured is over."""


class StopAtOnce(Observer):
    """Ends a run where it could be saved, and keeps the time."""

    def resumable(self) -> None:
        """Note the time."""
        self.reached = time.perf_counter()
        raise Stopped


class Filled(Observer):
    """Fills the replay at the start, and keeps what the run's clock of checkpoints says."""

    def __init__(self, trainer: Trainer, demos: DemoSet, transitions: int) -> None:
        self.trainer, self.demos, self.transitions = trainer, demos, transitions
        self.seconds: list[float] = []

    def resumable(self) -> None:
        """Fill the replay if it is not full yet."""
        progress = self.trainer.progress
        self.seconds.append(progress.checkpoint_seconds)
        if len(self.seconds) > 12:
            raise Stopped
        while progress.env_steps < self.transitions:
            episode = self.demos.episodes[progress.episodes % len(self.demos.episodes)]
            self.trainer.replay.add(episode)
            self.trainer.state.num_asked += 1
            progress.episodes += 1
            progress.env_steps += len(episode)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--transitions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="runs with and without checkpoints")
    parser.add_argument("--env-steps", type=int, default=6000, help="of each of these runs")
    arguments = parser.parse_args()
    demos = collect_demos(ENV_ID, expert_for(ENV_ID), episodes=100)
    with tempfile.TemporaryDirectory(dir=".", prefix=".checkpoint-") as scratch:
        result = {
            "command": f"python benchmarks/checkpoint.py --rounds {arguments.rounds}",
            "machine": machine(),
            "versions": {name: version(name) for name in ("torch", "numpy", "safetensors")},
            "full": full_replay(Path(scratch), demos, arguments.transitions),
            "overhead": overhead(Path(scratch), demos, arguments.rounds, arguments.env_steps),
        }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def full_replay(scratch: Path, demos: DemoSet, transitions: int) -> dict[str, Any]:
    """Return seconds of saving and of going on with so many transitions stored."""
    run = scratch / "full"
    config = TrainConfig(env_steps=2 * transitions, checkpoint=CheckpointConfig(seconds=0.0))
    config = replace(config, replay_capacity=2 * transitions, cycle=NEW)
    with filled(run, config, demos, transitions) as seconds:
        saves = [after - before for before, after in itertools.pairwise(seconds)]
    begun, stop = time.perf_counter(), StopAtOnce()
    with suppress(Stopped):
        resume(run, observers=[stop])
    files = [path for path in (run / "checkpoints").rglob("*") if path.is_file()]
    return {
        "transitions": transitions,
        "first_save_seconds": saves[0],
        "later_save_seconds": statistics.median(saves[1:]),
        "slowest_later_save_seconds": max(saves[1:]),
        "resume_seconds": stop.reached - begun,
        "bytes": sum(path.stat().st_size for path in files),
    }


@contextmanager
def filled(
    run: Path, config: TrainConfig, demos: DemoSet, transitions: int
) -> Iterator[list[float]]:
    """Yield what the clock of the checkpoints said before each of them."""
    with prepare_run(ENV_ID, config, None, 0, None, []) as (trainer, _):
        observer = Filled(trainer, demos, transitions)
        trainer.observers = [observer]
        # Trained already, as far as it knows: the checkpoints are what is measured.
        trainer.state.begun = True
        trainer.progress.warm_start_updates = config.warm_start.critic_updates
        trainer.progress.warm_start_env_steps = 1
        trainer.state.evaluated_at = 2 * transitions
        record = RunRecord(env_id=ENV_ID, config=config, demos=None, versions=current_versions())
        with new_run(run, record, None) as directory, suppress(Stopped):
            run_in(directory, trainer)
        yield observer.seconds


def overhead(scratch: Path, demos: DemoSet, rounds: int, env_steps: int) -> dict[str, Any]:
    """Return the share of a run's time that its checkpoints take, both ways of measuring it."""
    shares, walls = [], {"default": [], "never": []}
    config = TrainConfig(env_steps=env_steps, evaluation=EvaluationConfig(every=env_steps))
    for number in range(rounds):
        for name in walls:
            checkpoint = CheckpointConfig(seconds=NEVER) if name == "never" else CheckpointConfig()
            run = scratch / f"{name}-{number}"
            begun = time.perf_counter()
            train(ENV_ID, replace(config, checkpoint=checkpoint), demos=demos, out=run)
            walls[name].append(time.perf_counter() - begun)
            if name == "default":
                row = read_metrics(run)[-1]
                shares.append(row["time/checkpoint_seconds"] / row["time/wall_seconds"])
    return {
        "env_steps": env_steps,
        "interval_seconds": CheckpointConfig().seconds,
        "share_of_wall_time": statistics.median(shares),
        "shares": shares,
        "wall_seconds": walls,
        "ratio_to_never": statistics.median(walls["default"]) / statistics.median(walls["never"]),
    }


if __name__ == "__main__":
    main()
