"""Stable-Baselines3 at the common sizes: DDPG or TD3 with ``HerReplayBuffer``."""

from typing import Any

import gymnasium as gym
import gymnasium_robotics
import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import HerReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from benchmarks.speed import common
from benchmarks.speed.common import BATCH_SIZE, Algorithm, Clock, per_second

gym.register_envs(gymnasium_robotics)

_FOREVER = 10**9
_UPDATES_PER_CALL = 50


class _Watch(BaseCallback):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def _on_step(self) -> bool:
        return not self._clock.finished(self.num_timesteps, self.model._n_updates)


class _SameBatch:
    """Stands in for the replay buffer and returns one batch, over and over."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def sample(self, *_: object, **__: object) -> Any:
        return self._batch


def model(algorithm: Algorithm, threads: int, *, gradient_steps: int = 1) -> OffPolicyAlgorithm:
    """Return a fresh model. Networks see observation and both goals, as ours do."""
    torch.set_num_threads(threads)
    env = gym.make(common.ENV_ID)
    actions = env.action_space.shape
    return getattr(stable_baselines3, algorithm.name)(
        "MultiInputPolicy",
        env,
        learning_rate=common.LEARNING_RATE,
        buffer_size=common.CAPACITY,
        # It must have seen a whole episode before it can relabel.
        learning_starts=common.STARTED // 2,
        batch_size=BATCH_SIZE,
        tau=common.TAU,
        gamma=common.DISCOUNT,
        train_freq=1,
        gradient_steps=gradient_steps,
        action_noise=NormalActionNoise(np.zeros(actions), np.full(actions, common.NOISE)),
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs={"n_sampled_goal": 4, "goal_selection_strategy": "future"},
        policy_kwargs={"net_arch": list(common.HIDDEN)},
        device="cpu",
        seed=0,
    )


def whole_loop(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return env steps per second of ``learn``, with one update per env step."""
    clock = Clock(seconds)
    learner = model(algorithm, threads)
    learner.learn(_FOREVER, callback=_Watch(clock), log_interval=None)
    learner.env.close()
    return clock.rate


def updates(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return updates per second, each on a freshly sampled and relabelled batch."""
    learner = _filled(algorithm, threads)
    return per_second(lambda: _train(learner), seconds)


def updates_without_sampling(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return updates per second on one batch, over and over."""
    learner = _filled(algorithm, threads)
    learner.replay_buffer = _SameBatch(learner.replay_buffer.sample(BATCH_SIZE))
    return per_second(lambda: _train(learner), seconds)


def batches(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return sampled and relabelled batches per second, as tensors."""
    learner = _filled(algorithm, threads)

    def sample() -> int:
        learner.replay_buffer.sample(BATCH_SIZE)
        return 1

    return per_second(sample, seconds)


def env_steps(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return env steps per second of ``learn`` without updates: acting, stepping, storing."""
    learner = model(algorithm, threads, gradient_steps=0)
    learner.learn(common.STARTED, log_interval=None)

    def some_steps() -> int:
        before = learner.num_timesteps
        learner.learn(500, reset_num_timesteps=False, log_interval=None)
        return learner.num_timesteps - before

    rate = per_second(some_steps, seconds)
    learner.env.close()
    return rate


def _filled(algorithm: Algorithm, threads: int) -> OffPolicyAlgorithm:
    learner = model(algorithm, threads, gradient_steps=0)
    learner.learn(common.STARTED, log_interval=None)
    learner.env.close()
    return learner


def _train(learner: OffPolicyAlgorithm) -> int:
    learner.train(_UPDATES_PER_CALL, BATCH_SIZE)
    return _UPDATES_PER_CALL
