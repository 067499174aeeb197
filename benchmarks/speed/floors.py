"""The floors: the arithmetic alone, without which no implementation can do.

``products`` multiplies matrices of the shapes of one update and does nothing else: no activations,
losses, optimiser, target update or sampling. ``physics`` is the 20 simulator steps of one env step:
no observation, reward, action or policy.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import gymnasium as gym
import mujoco
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.speed.common import ENV_ID, TD3, Algorithm, per_second
from benchmarks.speed.ours import exploring_jobs, filled_trainer
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.rollout.job import EpisodeJob, run_episode

_NARROW = 16  # columns
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION

Product = Callable[[], object]
Widths = Sequence[tuple[int, int]]


def products(algorithm: Algorithm, *, threads: int, seconds: float) -> float:
    """Return updates per second if an update were its matrix products alone."""
    torch.set_num_threads(threads)
    return per_second(product_turn(algorithm), seconds)


def product_turn(algorithm: Algorithm) -> Callable[[], int]:
    """Return a call that does the products of a few updates, and returns of how many."""
    spec = _spec()
    inputs = spec.observation_dim + 2 * spec.goal_dim
    actor = list(pairwise((inputs, *algorithm.hidden, spec.action_dim)))
    critic = list(pairwise((inputs + spec.action_dim, *algorithm.hidden, 1)))
    batch = _Products(algorithm.batch_size)
    critic_step = batch.critic_step(actor, critic, algorithm.num_critics)
    both_steps = critic_step + batch.actor_step(actor, critic)
    turns = [both_steps] + [critic_step] * (algorithm.actor_delay - 1)

    def turn() -> int:
        for step in turns:
            for product in step:
                product()
        return len(turns)

    return turn


class _Products:
    """The products of an update with batches of one size."""

    def __init__(self, batch_size: int) -> None:
        self._rows = batch_size

    def critic_step(self, actor: Widths, critic: Widths, num_critics: int) -> list[Product]:
        """Return the products of a gradient step of the critics."""
        return [
            *self._forward(actor, 1),  # the target actor
            *self._forward(critic, num_critics),  # the target critics
            *self._forward(critic, num_critics),
            *self._weight_gradients(critic, num_critics),
            *self._input_gradients(critic[1:], num_critics),
        ]

    def actor_step(self, actor: Widths, critic: Widths) -> list[Product]:
        """Return the products of a gradient step of the actor."""
        return [
            *self._forward(actor, 1),
            *self._forward(critic, 1),
            *self._input_gradients(critic, 1),  # down to the action; the critic is not moved
            *self._weight_gradients(actor, 1),
            *self._input_gradients(actor[1:], 1),
        ]

    def _forward(self, layers: Widths, count: int) -> list[Product]:
        rows = self._rows
        return [_product((rows, fan_in), (fan_in, fan_out), count) for fan_in, fan_out in layers]

    def _weight_gradients(self, layers: Widths, count: int) -> list[Product]:
        rows = self._rows
        return [
            _product((rows, fan_in), (rows, fan_out), count, transpose_first=True)
            for fan_in, fan_out in layers
        ]

    def _input_gradients(self, layers: Widths, count: int) -> list[Product]:
        rows = self._rows
        return [
            _product((rows, fan_out), (fan_in, fan_out), count, transpose_second=True)
            for fan_in, fan_out in layers
        ]


def _product(
    first: tuple[int, int],
    second: tuple[int, int],
    count: int,
    *,
    transpose_first: bool = False,
    transpose_second: bool = False,
) -> Product:
    """Return a call that multiplies ``count`` pairs of matrices into memory of its own.

    A product of few columns is done as its transpose: BLAS would pad the columns to many.
    """
    left, right = _operand(first, count, transpose_first), _operand(second, count, transpose_second)
    if right.shape[-1] < _NARROW:
        left, right = right.mT, left.mT
    out = left @ right
    if count == 1:
        return lambda: torch.mm(left, right, out=out)
    return lambda: torch.bmm(left, right, out=out)


def _operand(shape: tuple[int, int], count: int, transpose: bool) -> Tensor:
    tensor = torch.randn(shape if count == 1 else (count, *shape))
    return tensor.mT if transpose else tensor


def physics(*, seconds: float) -> float:
    """Return env steps per second if an env step were its simulator steps alone.

    They start from the states of the episodes that ``ours.env_steps`` runs: how long a simulator
    step takes depends on what touches what, and at rest it is not the same.
    """
    with filled_trainer(TD3, threads=1) as trainer:
        env = make_env(ENV_ID)
        states = _states_before_steps(env, exploring_jobs(trainer, range(10)))
    model, data = env.unwrapped.model, env.unwrapped.data
    substeps = env.unwrapped.n_substeps

    def replay() -> int:
        for state in states:
            mujoco.mj_setState(model, data, state, _STATE)  # a microsecond
            mujoco.mj_step(model, data, substeps)
        return len(states)

    rate = per_second(replay, seconds)
    env.close()
    return rate


def _states_before_steps(env: gym.Env, jobs: Iterable[EpisodeJob]) -> list[NDArray[np.float64]]:
    """Return the simulator's state, action included, before each env step of some episodes."""
    robot = env.unwrapped
    step = robot._mujoco_step
    states: list[NDArray[np.float64]] = []

    def record_and_step(action: NDArray[np.float64]) -> None:
        state = np.empty(mujoco.mj_stateSize(robot.model, _STATE))
        mujoco.mj_getState(robot.model, robot.data, state, _STATE)
        states.append(state)
        step(action)

    robot._mujoco_step = record_and_step
    for job in jobs:
        run_episode(env, job)
    return states


def _spec() -> GoalSpec:
    env = make_env(ENV_ID)
    spec = GoalSpec.from_env(env)
    env.close()
    return spec
