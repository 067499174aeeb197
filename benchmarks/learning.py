"""Learning results: several seeds of one experiment, and what they came to, as one JSON file.

    python benchmarks/learning.py pick-and-place-fast --seeds 5

Each seed is a run of a sweep with 500 greedy episodes per evaluation. Success means
success at the last step; env steps include the warm start; wall seconds are given with and without
evaluation; demonstrations are counted apart.
"""

import argparse
import json
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cells import demo_file, last_policy, train_all, write
from demonstrators import behaviour_of
from machine import machine

from headstart import PRESETS, TrainConfig, collect_demos, evaluate, make_env
from headstart.files.run_files import read_metrics
from headstart.rollout.job import Constant
from headstart.sweeps.plan import Grid
from headstart.sweeps.spec import Base
from headstart.training.config import EvaluationConfig

HERE = Path(__file__).parent
EPISODES = 500
CURVES = (
    "eval/success_rate",
    "eval/success_rate_air",
    "eval/success_rate_table",
    "eval/mean_q",
    "time/expansion_env_steps",
    "time/env_steps",
    "time/updates",
    "time/wall_seconds",
    "time/evaluation_seconds",
)


@dataclass(frozen=True)
class Experiment:
    """What to train, and at which env steps to quote it."""

    env_id: str
    config: TrainConfig
    quoted_at: tuple[int, ...]
    num_demos: int = 0
    kind: str = "perfect"
    """Of the demonstrations; see ``demonstrators.py``."""
    noise: float = 0.0
    """On what is executed in them."""


def _evaluated(
    preset: str, env_steps: int, every: int, episodes: int = EPISODES, expand: int | None = None
) -> TrainConfig:
    base = PRESETS[preset]
    demos = base.demos if expand is None else replace(base.demos, expand=expand)
    evaluation = EvaluationConfig(every=every, episodes=episodes)
    return replace(base, env_steps=env_steps, evaluation=evaluation, demos=demos)


def _far_goals(env_steps: int) -> TrainConfig:
    """Return ``fast`` for goals that lie a hundred steps away, around a wall.

    With more of the original goals in each batch, which are the far ones, with a longer horizon,
    and without the pessimism of the smaller of two values, which hides what is far.
    """
    fast = _evaluated("fast", env_steps, 20_000)
    return replace(
        fast,
        agent=replace(fast.agent, discount=0.99, target_combination="mean"),
        hindsight=replace(fast.hindsight, relabel_fraction=0.5),
    )


EXPERIMENTS = {
    "pick-and-place-fast": Experiment(
        "FetchPickAndPlace-v4", _evaluated("fast", 20_000, 2000), (2000, 4000, 20_000), 100
    ),
    "pick-and-place-fast-bfloat16": Experiment(
        "FetchPickAndPlace-v4",
        replace(_evaluated("fast", 4000, 2000), matmul_precision="bfloat16"),
        (2000, 4000),
        100,
    ),
    "pick-and-place-10-fast": Experiment(
        "FetchPickAndPlace-v4", _evaluated("fast", 10_000, 3000, expand=0), (3000, 6000, 10_000), 10
    ),
    "pick-and-place-noisy-fast": Experiment(
        "FetchPickAndPlace-v4", _evaluated("fast", 10_000, 5000), (5000, 10_000), 100, "noisy"
    ),
    "pick-and-place-half-failing-fast": Experiment(
        "FetchPickAndPlace-v4", _evaluated("fast", 5000, 5000), (5000,), 100, "half-failing"
    ),
    "pick-and-place-slow-fast": Experiment(
        "FetchPickAndPlace-v4", _evaluated("fast", 8000, 4000), (4000, 8000), 100, "slow"
    ),
    "pick-and-place-5-fast": Experiment(
        "FetchPickAndPlace-v4", _evaluated("fast", 15_000, 5000, expand=0), (5000, 15_000), 5
    ),
    "pick-and-place-one-fast": Experiment(
        "FetchPickAndPlace-v4", _evaluated("fast", 4500, 1500, expand=100), (1500, 4500), 1
    ),
    "pick-and-place-one-as-it-is-fast": Experiment(
        "FetchPickAndPlace-v4", _evaluated("fast", 5000, 5000, expand=0), (5000,), 1
    ),
    "push-fast": Experiment("FetchPush-v4", _evaluated("fast", 10_000, 2000), (4000, 10_000), 100),
    "push-10-fast": Experiment(
        "FetchPush-v4", _evaluated("fast", 10_000, 5000), (5000, 10_000), 10
    ),
    "push-one-fast": Experiment(
        "FetchPush-v4", _evaluated("fast", 4500, 1500, expand=100), (1500, 4500), 1
    ),
    "pick-and-place-nothing-fast": Experiment(
        "FetchPickAndPlace-v4", _evaluated("fast", 4000, 1000), (1000, 4000)
    ),
    "push-nothing-fast": Experiment("FetchPush-v4", _evaluated("fast", 8000, 4000), (4000, 8000)),
    "metaworld-pick-place-fast": Experiment(
        "MetaWorldPickPlace-v3", _evaluated("fast", 6000, 6000, expand=0), (6000,), 40
    ),
    "metaworld-reach-fast": Experiment(
        "MetaWorldReach-v3", _evaluated("fast", 6000, 3000, expand=0), (3000, 6000), 40
    ),
    "ogbench-cube-fast": Experiment(
        "OGBenchCubeSingle-v0", _evaluated("fast", 10_000, 5000, expand=0), (5000, 10_000), 40
    ),
    **{
        f"{name}-one-fast": Experiment(
            env_id, _evaluated("fast", 6000, 3000, expand=100), (3000, 6000), 1
        )
        for name, env_id in (
            ("metaworld-reach", "MetaWorldReach-v3"),
            ("metaworld-push", "MetaWorldPush-v3"),
            ("metaworld-pick-place", "MetaWorldPickPlace-v3"),
            ("ogbench-cube", "OGBenchCubeSingle-v0"),
        )
    },
    "panda-pick-and-place-nothing-fast": Experiment(
        "PandaPickAndPlace-v3", _evaluated("fast", 4000, 4000), (4000,)
    ),
    "panda-push-nothing-fast": Experiment("PandaPush-v3", _evaluated("fast", 4000, 4000), (4000,)),
    "ogbench-point-maze-fast": Experiment(
        "OGBenchPointmazeMedium-v0", _evaluated("fast", 15_000, 15_000), (15_000,)
    ),
    "metaworld-push-fast": Experiment(
        "MetaWorldPush-v3", _evaluated("fast", 6000, 6000, expand=0), (6000,), 40
    ),
    "slide-fast": Experiment(
        "FetchSlide-v4", _evaluated("fast", 60_000, 30_000), (30_000, 60_000), 100, noise=0.1
    ),
    "slide-nothing-fast": Experiment(
        "FetchSlide-v4", _evaluated("fast", 500_000, 50_000), (100_000, 500_000)
    ),
    "point-maze-plain-fast": Experiment(
        "PointMaze_UMaze-v3", _evaluated("fast", 60_000, 20_000), (60_000,)
    ),
    "hand-reach-plain-fast": Experiment(
        "HandReach-v3", _evaluated("fast", 150_000, 50_000), (50_000, 150_000)
    ),
    "point-maze-fast": Experiment("PointMaze_UMaze-v3", _far_goals(120_000), (60_000, 120_000)),
    "reach-fast": Experiment("FetchReach-v4", _evaluated("fast", 3000, 500), (1500, 3000)),
    "pick-and-place-nair2018": Experiment(
        "FetchPickAndPlace-v4", _evaluated("nair2018", 300_000, 2000, 20), (), 100
    ),
    "pick-and-place-nair2018-without-demos": Experiment(
        "FetchPickAndPlace-v4", _evaluated("nair2018", 300_000, 2000, 20), ()
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 on (5)")
    parser.add_argument("--env-steps", type=int, help="env steps instead of the experiment's")
    parser.add_argument("--collectors", type=int, default=2)
    parser.add_argument("--runs", type=Path, default=Path("runs/benchmark"))
    arguments = parser.parse_args()
    name = arguments.experiment
    experiment, runs = EXPERIMENTS[name], arguments.runs / name
    command = f"python benchmarks/learning.py {name} --seeds {arguments.seeds}"
    if arguments.env_steps:
        config = replace(experiment.config, env_steps=arguments.env_steps)
        experiment = replace(experiment, config=config)
        command += f" --env-steps {arguments.env_steps}"
    base = Base(
        env_id=experiment.env_id,
        config=experiment.config,
        demos=demonstrations(experiment, arguments.seeds, runs.with_name(f"{name}-demos")),
        collectors=arguments.collectors,
    )
    done = train_all(runs, Grid(base=base, seeds=range(arguments.seeds)))
    results = HERE / "results" / f"{name}.json"
    write(results, summary(experiment, [runs / it.spec.name for it in done], command))
    print(f"{results}: {json.dumps(json.loads(results.read_text())['quoted'], indent=1)}")


def demonstrations(experiment: Experiment, seeds: int, place: Path) -> tuple[str, ...] | None:
    """Make the demonstrations of each seed; imperfect ones hold failures too."""
    for seed in range(seeds) if experiment.num_demos else ():
        demo_file(
            place / f"{seed}.npz",
            lambda seed=seed: collect_demos(
                experiment.env_id,
                behaviour_of(experiment.kind, experiment.env_id),
                episodes=experiment.num_demos,
                seed=seed,
                noise=experiment.noise,
                keep_failures=experiment.kind != "perfect",
            ),
        )
    return (str(place / "{seed}.npz"),) if experiment.num_demos else None


def summary(experiment: Experiment, runs: list[Path], command: str) -> dict[str, Any]:
    """Return the curves of all seeds, and median and range at the quoted env steps."""
    record = json.loads((runs[0] / "config.json").read_text())
    seeds = [
        {name: [row.get(name) for row in read_metrics(directory)] for name in CURVES}
        for directory in runs
    ]
    return {
        "command": command,
        "env_id": record["env_id"],
        "versions": record["versions"],
        "config": record["config"],
        "demos": record["demos"],
        "machine": machine(),
        "floor": floor(experiment.env_id),
        "quoted": [quote(seeds, mark) for mark in experiment.quoted_at],
        "last_policies": last_policies(experiment, runs),
        "seeds": seeds,
    }


def last_policies(experiment: Experiment, runs: list[Path]) -> list[dict[str, Any]]:
    """Return 500 episodes of each run's last policy, if its own evaluations are shorter."""
    if experiment.config.evaluation.episodes >= EPISODES:
        return []
    return [
        {
            "env_steps": policy.metadata["env_steps"],
            **evaluate(policy, experiment.env_id, episodes=EPISODES, collectors=2).to_json(),
        }
        for policy in map(last_policy, runs)
    ]


def floor(env_id: str) -> dict[str, Any]:
    """Return what doing nothing scores."""
    rest = np.zeros_like(make_env(env_id).action_space.low)
    return evaluate(Constant(rest), env_id, episodes=EPISODES, collectors=2).to_json()


def quote(seeds: list[dict[str, list[Any]]], mark: int) -> dict[str, Any]:
    """Return each seed's last evaluation at no more than ``mark`` env steps, and their spread."""
    success, seconds, with_evaluation, made_in = [], [], [], []
    for seed in seeds:
        steps = seed["time/env_steps"]
        at = max((index for index, step in enumerate(steps) if step <= mark), default=0)
        success.append(seed["eval/success_rate"][at])
        made_in.append(seed["time/expansion_env_steps"][at] or 0)
        wall = seed["time/wall_seconds"][at]
        with_evaluation.append(round(wall, 1))
        seconds.append(round(wall - seed["time/evaluation_seconds"][at], 1))
    return {
        "env_steps": mark,
        # On top of those: what making demonstrations has taken.
        "made_in": {"median": statistics.median(made_in), "range": spread(made_in)},
        "success_rate": {"median": statistics.median(success), "range": spread(success)},
        "seconds": {"median": statistics.median(seconds), "range": spread(seconds)},
        "seconds_with_evaluation": {
            "median": statistics.median(with_evaluation),
            "range": spread(with_evaluation),
        },
    }


def spread(values: list[float]) -> list[float]:
    return [min(values), max(values)]


if __name__ == "__main__":
    main()
