"""When more collectors pay, when a bigger learner does, and what the network must carry.

    python benchmarks/saturation.py

What one episode, one update and one message cost is measured, in processor time and bytes. A model
of one line each is made of it, and compared with the whole loop as `benchmarks/speed` measured it
on two cores, and with the real learner beside collectors that exist in a clock alone
(`virtual_cluster.py`), 1 to 1,000 of them. What Ray adds to an episode is in ``results/ray.json``.
"""

import argparse
import json
import os
import pickle
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Before numpy and torch are imported, which read it then.
os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import torch

from benchmarks.machine import machine
from benchmarks.speed.common import ENV_ID, FAST
from benchmarks.speed.ours import config, exploring_jobs, filled_trainer
from benchmarks.virtual_cluster import Cluster, VirtualCluster
from headstart.data.episode import Episode
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.rollout.job import Constant, EpisodeJob
from headstart.rollout.pickled import pickle_bare_job, pickle_policy
from headstart.runs.execution import keep_freed_memory
from headstart.training.assembly import build_trainer
from headstart.training.config import CycleConfig
from headstart.training.observer import Observer
from headstart.training.progress import Progress

RESULTS = Path(__file__).parent / "results" / "saturation.json"
STEPS = 50
EVALUATION = 5000
CYCLES = 2
COUNTS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000)
SLOW_STEP = 20e-3
ACTING = "env steps per second, acting but not learning"


@dataclass(frozen=True)
class Work:
    """A kind of work for a cluster."""

    name: str
    updates_per_step: float
    step_seconds: float | None = None
    """Of the simulator; as measured if ``None``."""
    virtual: tuple[int, ...] = COUNTS
    """The numbers of collectors that are simulated."""


WORKS = (
    Work("half an update a step, Fetch", 0.5, virtual=(1, 2, 5)),
    Work("half an update a step, 20 ms a step", 0.5, SLOW_STEP, virtual=(1, 3, 10)),
    Work("0.02 updates a step, Fetch", 0.02, virtual=(1, 10, 30, 100, 1000)),
    Work("evaluation of 5,000 episodes, Fetch", 0.0, virtual=(1, 3, 10, 30, 100, 300, 1000)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    ray = json.loads((RESULTS.parent / "ray.json").read_text())["processor_seconds"]
    with filled_trainer(FAST, threads=1) as trainer:
        episodes = [pending.result() for pending in ask(trainer, 20)]
        costs = learner_costs(trainer, episodes, arguments.seconds, arguments.rounds)
    costs |= ray_parts(ray["an episode"])
    result = {
        "command": " ".join(["python benchmarks/saturation.py", *sys.argv[1:]]),
        "env_id": ENV_ID,
        "machine": machine(),
        "versions": {name: version(name) for name in ("torch", "numpy", "mujoco")},
        "costs": costs,
        "network": {name: getattr(Cluster(1, 1.0), name) for name in ("bandwidth", "latency")},
        "two_cores": two_cores(),
        "works": [curve(work, costs, episodes) for work in WORKS],
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def ray_parts(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return what a task, a job of it and a policy cost, from turns with 1 and 3 jobs a task."""
    one, three = found["ray"]["driver"], found["ray at once"]["driver"]
    task = min(one, max(0.0, 1.5 * (one - three)))
    return {
        "task": task,
        "job": one - task,
        "put": max(0.0, found["ray, a policy each"]["driver"] - one),
    }


def ask(trainer: Any, count: int) -> Sequence[Any]:
    return trainer.executor.submit(list(exploring_jobs(trainer, range(count))))


def learner_costs(
    trainer: Any, episodes: list[Episode], seconds: float, rounds: int
) -> dict[str, float]:
    """Return processor seconds of an env step, an update and a stored episode, and bytes."""

    def update() -> int:
        batch = trainer.sampler.sample(FAST.batch_size).map(torch.from_numpy)
        trainer.agent.update(batch)
        return 1

    def step() -> int:
        return sum(len(pending.result()) for pending in ask(trainer, 1))

    def store() -> int:
        checked = [trainer.check(episode) for episode in episodes]
        for episode in checked:
            trainer.replay.add(episode)
        trainer.agent.observe(trainer.sampler.sample(STEPS * len(episodes)))
        return len(episodes)

    jobs = list(exploring_jobs(trainer, range(len(episodes))))
    answers = [pickle.dumps(episode, protocol=5) for episode in episodes]

    def talk() -> int:
        for job, answer in zip(jobs, answers, strict=True):
            pickle_bare_job(job)
            pickle.loads(answer)
        return len(jobs)

    turns = {"step": step, "update": update, "store": store, "learner_ask": talk}
    rates: dict[str, list[float]] = {name: [] for name in turns}
    # By turns: all see the same machine.
    for _ in range(rounds):
        for name, turn in turns.items():
            rates[name].append(cpu_seconds(turn, seconds))
    return {
        **{name: statistics.median(found) for name, found in rates.items()},
        "policy_bytes": len(pickle_policy(trainer.agent.policy(deployed=False))),
        "episode_bytes": len(pickle.dumps(episodes[0], protocol=5)),
    }


def cpu_seconds(call: Any, seconds: float) -> float:
    """Return the processor seconds of one unit of what ``call`` does."""
    call()
    begun, count = time.process_time(), 0
    while time.process_time() - begun < seconds or count < 3:
        count += call()
    return (time.process_time() - begun) / count


def two_cores() -> list[dict[str, float | int | str]]:
    """Return the whole loop as it was measured on two cores, beside what its parts make of it."""
    medians = json.loads((RESULTS.parent / "speed.json").read_text())["medians"]
    found: list[dict[str, float | int | str]] = []
    for algorithm in ("TD3", "DDPG"):
        for threads in (1, 2):
            end = f"headstart | {algorithm} | torch threads {threads}"
            acting = medians[
                "env steps per second, acting but not learning | headstart | TD3 | torch threads 1"
            ]
            update = 1.0 / medians[f"updates per second, sampling included | {end}"]
            for collectors in (0, 1, 2):
                costs = {"step": 1.0 / acting, "update": update, "store": 0.0}
                whole = f"env steps per second of training, one update each | {end}"
                measured = medians[f"{whole} | collectors {collectors}"]
                found.append(
                    {
                        "algorithm": algorithm,
                        "threads": threads,
                        "collectors": collectors,
                        "measured": measured,
                        "model": steps_per_second(costs, collectors, 1.0, episodes=2),
                    }
                )
    return found


def steps_per_second(
    costs: dict[str, float],
    collectors: int,
    updates_per_step: float,
    *,
    episodes: int,
    step: float | None = None,
    cores: int = 16,
    bandwidth: float = Cluster.bandwidth,
) -> float:
    """Return env steps a second: the model.

    A cycle collects ``episodes`` while it learns from those before, or with 0 collectors after; it
    takes as long as the slowest of collectors, learner, driver and network.
    """
    episode = STEPS * (costs["step"] if step is None else step)
    learn = episodes * STEPS * updates_per_step * costs["update"]
    learn += episodes * costs.get("learner_ask", 0.0)
    if updates_per_step:
        learn += episodes * costs["store"]
    if collectors == 0:
        return episodes * STEPS / (learn + episodes * episode)
    nodes = -(-collectors // cores)
    waves = -(-episodes // collectors)
    out = nodes * costs.get("policy_bytes", 0.0) / bandwidth
    back = episodes * costs.get("episode_bytes", 0.0) / bandwidth
    size = Cluster(collectors, episode).jobs_a_task(episodes)
    driver = costs.get("put", 0.0) + episodes * costs.get("job", 0.0)
    driver += -(-episodes // size) * costs.get("task", 0.0)
    # The first episode of a node waits for its policy, the last one for the driver.
    collect = max(out + waves * episode, driver + size * episode, back)
    return episodes * STEPS / max(collect, learn)


def per_cycle(work: Work, collectors: int) -> int:
    """Return the episodes of a cycle: as many as keep all collectors busy, two at least."""
    return max(2, collectors) if work.updates_per_step else EVALUATION


def curve(work: Work, costs: dict[str, float], episodes: list[Episode]) -> dict[str, Any]:
    """Return env steps a second against collectors, by the model and with the real learner."""
    rows = []
    for collectors in COUNTS:
        cycle = per_cycle(work, collectors)
        model = steps_per_second(
            costs, collectors, work.updates_per_step, episodes=cycle, step=work.step_seconds
        )
        row: dict[str, float] = {"collectors": collectors, "episodes": cycle, "model": model}
        per_second = model / STEPS
        row["bytes_in_per_second"] = per_second * costs["episode_bytes"]
        row["bytes_out_per_second"] = (
            per_second / cycle * -(-collectors // 16) * costs["policy_bytes"]
        )
        if collectors in work.virtual:
            row["virtual"] = virtual(work, collectors, costs, episodes)
        rows.append(row)
        print(work.name, row, file=sys.stderr, flush=True)
    return {**asdict(work), "rows": rows}


def virtual(work: Work, collectors: int, costs: dict[str, float], episodes: list[Episode]) -> float:
    """Return env steps a second of the real learner beside collectors that exist in a clock."""
    step = costs["step"] if work.step_seconds is None else work.step_seconds
    shared = {name: costs[name] for name in ("learner_ask", "task", "job", "put")}
    cluster = Cluster(collectors, STEPS * step, **shared)
    executor = VirtualCluster(cluster, episodes)
    count = per_cycle(work, collectors)
    if not work.updates_per_step:
        return evaluated(executor, count, episodes)
    watch = _Watch(executor, CYCLES)
    with trainer_with(executor, work, count, watch) as trainer:
        try:
            trainer.run()
        except _EnoughError:
            return watch.rate
    raise RuntimeError("training ended before the measurement")


def evaluated(executor: VirtualCluster, count: int, episodes: list[Episode]) -> float:
    """Return env steps a second of greedy episodes that are counted."""
    policy = Constant(episodes[0].actions[0])
    jobs = [EpisodeJob(policy, 0, "evaluation", index) for index in range(count)]
    begun = executor.now
    steps = sum(len(pending.result()) for pending in executor.submit(jobs))
    return steps / (executor.now - begun)


@contextmanager
def trainer_with(
    executor: VirtualCluster, work: Work, count: int, watch: Observer
) -> Iterator[Any]:
    env = make_env(ENV_ID)
    try:
        spec = GoalSpec.from_env(env)
        cycle = CycleConfig(episodes=count, updates_per_step=work.updates_per_step)
        settings = replace(config(FAST, 1), cycle=cycle)
        yield build_trainer(settings, spec, None, executor, GoalReward(env, spec), [watch])
    finally:
        env.close()


class _EnoughError(Exception):
    """The measurement is over."""


class _Watch(Observer):
    """Measures some cycles after the first, whose episodes nothing was learned beside."""

    def __init__(self, executor: VirtualCluster, cycles: int) -> None:
        self._executor, self._cycles = executor, cycles
        self._seen: list[tuple[float, int]] = []

    def progressed(self, progress: Progress) -> None:
        if self._seen and progress.env_steps == self._seen[-1][1]:
            return
        self._seen.append((self._executor.now, progress.env_steps))
        if len(self._seen) > self._cycles + 1:
            raise _EnoughError

    @property
    def rate(self) -> float:
        (begun, first), (ended, last) = self._seen[1], self._seen[-1]
        return (last - first) / (ended - begun)


if __name__ == "__main__":
    main()
