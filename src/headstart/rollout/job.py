"""An episode as a pure function of its job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from headstart.data.episode import Episode
from headstart.envs.goal_env import is_success, reward_at_goal
from headstart.rollout.exploration import GREEDY, Exploration
from headstart.seeding import generator, integer_seed

Behaviour = Callable[[Mapping[str, NDArray[Any]]], NDArray[Any]]
"""A policy or a scripted expert: an observation dict in, an action in the env's units out."""


@dataclass(frozen=True, eq=False)
class Constant:
    """The policy that always takes one action; the zero action is the floor to beat."""

    action: NDArray[np.float32]

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Return the action, whatever is observed."""
        return self.action


EVALUATION = "evaluation"
"""The stream of episodes that policies are judged by and never learn from."""

_BLAS = ThreadpoolController()


@dataclass(frozen=True)
class EpisodeJob:
    """All that an episode depends on: whoever runs it, wherever, gets the same episode."""

    policy: Behaviour
    seed: int
    """The run's seed."""
    stream: str
    """What the episode is for, e.g. "rollout"; episodes of two streams never share a draw."""
    index: int
    """Number of the episode within its stream."""
    exploration: Exploration = GREEDY

    @property
    def env_seed(self) -> int:
        """The seed of ``env.reset``: even in evaluation and odd elsewhere, so none serves both."""
        return 2 * integer_seed(self.seed, f"{self.stream}/env", self.index) + (
            self.stream != EVALUATION
        )


def run_episode(
    env: gym.Env[Any, Any], job: EpisodeJob, on_state: Callable[[bool], None] | None = None
) -> Episode:
    """Run one episode from a reset to its end.

    Args:
        env: the environment; nothing that was run in it before matters.
        job: what to run.
        on_state: called at every state, the first and the last included, with whether the goal is
            fulfilled there. It may look at the environment, and must leave it as it is.

    Raises:
        FloatingPointError: if the policy returns an action that is not finite. It is caught here
            because MuJoCo would answer a NaN with a silent reset and finite, false data.
    """
    # One thread: which order a product is summed in must not depend on the machine's cores.
    with _BLAS.limit(limits=1, user_api="blas"):
        return _run(env, job, on_state or _ignore)


def _run(env: gym.Env[Any, Any], job: EpisodeJob, on_state: Callable[[bool], None]) -> Episode:
    rng = generator(job.seed, f"{job.stream}/exploration", job.index)
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    observation, _ = env.reset(seed=job.env_seed)
    states, actions, goals, ends, successes = [_state(observation)], [], [], [], []
    best_reward = reward_at_goal(env, observation["desired_goal"])
    on_state(False)
    finished = False
    while not finished:
        action = job.exploration(job.policy(observation), low, high, rng)
        if not np.isfinite(action).all():
            raise FloatingPointError(f"action {action} is not finite; it was not executed")
        goals.append(np.array(observation["desired_goal"], np.float32))
        # A copy: an env may clip what it is given in place.
        observation, reward, terminated, truncated, info = env.step(action.copy())
        states.append(_state(observation))
        actions.append(action)
        ends.append(terminated)
        successes.append(is_success(info, float(reward), best_reward))
        on_state(successes[-1])
        finished = terminated or truncated
    return Episode(
        observations=np.stack([state for state, _ in states]),
        achieved_goals=np.stack([achieved for _, achieved in states]),
        desired_goals=np.stack(goals),
        actions=np.stack(actions),
        terminated=np.array(ends, bool),
        is_success=np.array(successes, bool),
    )


def _ignore(success: bool) -> None:
    """Look at no state."""


def _state(observation: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    return (
        np.array(observation["observation"], np.float32),
        np.array(observation["achieved_goal"], np.float32),
    )
