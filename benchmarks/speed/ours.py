"""headstart at the common sizes."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch

from benchmarks.speed import common
from benchmarks.speed.common import ENV_ID, Algorithm, Clock, per_second
from headstart.agents.config import DDPGConfig
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.rollout.executors import SerialExecutor
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob
from headstart.runs.train import train
from headstart.training.assembly import build_trainer
from headstart.training.config import (
    CycleConfig,
    EvaluationConfig,
    MatmulPrecision,
    TrainConfig,
    WarmStartConfig,
)
from headstart.training.observer import Observer, RunHandle
from headstart.training.progress import Progress
from headstart.training.trainer import Trainer

_EXPLORATION = Exploration(noise=common.NOISE, random_action=0.1)
_FOREVER = 10**9


def config(
    algorithm: Algorithm, threads: int, precision: MatmulPrecision = "float32"
) -> TrainConfig:
    """Return the configuration whose update does the arithmetic of ``algorithm``.

    What ours does on top of theirs: it standardises inputs, clips targets, penalises large actions,
    and moves the target networks after every update.
    """
    return TrainConfig(
        env_steps=_FOREVER,
        batch_size=algorithm.batch_size,
        replay_capacity=common.CAPACITY,
        symmetry=False,
        torch_threads=threads,
        matmul_precision=precision,
        agent=DDPGConfig(
            hidden_sizes=algorithm.hidden,
            critic_layer_norm=algorithm.layer_norm,
            num_critics=algorithm.num_critics,
            actor_delay=algorithm.actor_delay,
            target_combination="min",
            discount=common.DISCOUNT,
            actor_lr=common.LEARNING_RATE,
            critic_lr=common.LEARNING_RATE,
            tau=common.TAU,
            goal_input="both",
        ),
        warm_start=WarmStartConfig(bc_updates=0, episodes=0, critic_updates=0),
        # Two episodes of 50 steps: one update per env step.
        cycle=CycleConfig(episodes=2, updates=100),
        exploration=_EXPLORATION,
        evaluation=EvaluationConfig(every=_FOREVER, episodes=1),
    )


class _Watch(Observer):
    """Ends a run that has been measured for long enough."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def started(self, config: TrainConfig, run: RunHandle) -> None:
        self._run = run

    def progressed(self, progress: Progress) -> None:
        if self._run.stop_requested:
            return
        if self._clock.finished(progress.env_steps, progress.updates):
            self._run.stop()


def whole_loop(
    algorithm: Algorithm,
    *,
    threads: int,
    collectors: int,
    seconds: float,
    precision: MatmulPrecision = "float32",
) -> float:
    """Return env steps per second of ``train``, with one update per env step."""
    clock = Clock(seconds)
    settings = config(algorithm, threads, precision)
    train(ENV_ID, settings, collectors=collectors, observers=[_Watch(clock)])
    return clock.rate


def updates(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return updates per second, each on a freshly sampled and relabelled batch."""
    with filled_trainer(algorithm, threads) as trainer:

        def update() -> int:
            batch = trainer.sampler.sample(algorithm.batch_size).map(torch.from_numpy)
            trainer.agent.update(batch)
            return 1

        return per_second(update, seconds)


def updates_without_sampling(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return updates per second on one batch, over and over."""
    with filled_trainer(algorithm, threads) as trainer:
        batch = trainer.sampler.sample(algorithm.batch_size).map(torch.from_numpy)
        return per_second(_counted(lambda: trainer.agent.update(batch)), seconds)


def batches(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return sampled and relabelled batches per second, as tensors."""
    with filled_trainer(algorithm, threads) as trainer:
        return per_second(
            _counted(lambda: trainer.sampler.sample(algorithm.batch_size).map(torch.from_numpy)),
            seconds,
        )


def env_steps(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return env steps per second of exploring episodes in one process, without updates."""
    with filled_trainer(algorithm, threads) as trainer:
        jobs = exploring_jobs(trainer, itertools.count())
        return per_second(lambda: len(trainer.executor.submit([next(jobs)])[0].result()), seconds)


def exploring_jobs(trainer: Trainer, indices: Iterable[int]) -> Iterator[EpisodeJob]:
    """Yield episodes of the trainer's online policy."""
    policy = trainer.agent.policy(deployed=False)
    return (EpisodeJob(policy, 0, "rollout", index, _EXPLORATION) for index in indices)


def _counted(call: Callable[[], object]) -> Callable[[], int]:
    def counted() -> int:
        call()
        return 1

    return counted


@contextmanager
def filled_trainer(algorithm: Algorithm, threads: int) -> Iterator[Trainer]:
    """Yield a trainer whose replay holds ``STARTED`` env steps of its untrained policy."""
    torch.set_num_threads(threads)
    env = make_env(ENV_ID)
    spec = GoalSpec.from_env(env)
    with SerialExecutor(ENV_ID) as executor:
        reward = GoalReward(env, spec)
        trainer = build_trainer(config(algorithm, threads), spec, None, executor, reward, ())
        jobs = exploring_jobs(trainer, range(common.STARTED // spec.max_episode_steps))
        for pending in executor.submit(list(jobs)):
            trainer.replay.add(pending.result())
        trainer.agent.observe(trainer.sampler.sample(common.STARTED))
        yield trainer
    env.close()
