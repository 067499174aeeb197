"""The goal-environment contract: what it asks, what a given env answers, and its reward in bulk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from headstart.errors import InputError

FloatArray = NDArray[np.float32]

GOAL_KEYS = ("observation", "achieved_goal", "desired_goal")
SUCCESS_KEYS = ("is_success", "success")


@dataclass(frozen=True)
class GoalSpec:
    """What the rest of the library needs to know of an environment."""

    env_id: str
    observation_dim: int
    goal_dim: int
    action_low: tuple[float, ...]  # (action_dim,), in the env's own units
    action_high: tuple[float, ...]  # (action_dim,)
    max_episode_steps: int
    reward_range: tuple[float, float]  # of one step; infinite where it has no bound
    terminates: bool  # whether reaching the goal ends the episode

    @property
    def action_dim(self) -> int:
        """Width of an action."""
        return len(self.action_low)

    @classmethod
    def from_env(cls, env: gym.Env[Any, Any]) -> "GoalSpec":
        """Read the spaces and probe the reward of an env that ``check_goal_env`` accepts."""
        assert isinstance(env.observation_space, spaces.Dict)
        assert isinstance(env.action_space, spaces.Box)
        assert env.spec is not None
        assert env.spec.max_episode_steps is not None
        observation, _ = env.reset(seed=0)
        goal = np.asarray(observation["desired_goal"], np.float64)
        shapes = {key: env.observation_space[key].shape for key in GOAL_KEYS}
        return cls(
            env_id=env.spec.id,
            observation_dim=int(np.prod(shapes["observation"] or ())),
            goal_dim=int(np.prod(shapes["desired_goal"] or ())),
            action_low=tuple(env.action_space.low.tolist()),
            action_high=tuple(env.action_space.high.tolist()),
            max_episode_steps=env.spec.max_episode_steps,
            reward_range=_reward_range(env, goal),
            terminates=_terminates(env, goal),
        )


class GoalReward:
    """Reward and termination of a goal environment as vector functions of goals.

    Keep the environment for this purpose alone: ``compute_reward`` is not pure everywhere.
    """

    def __init__(self, env: gym.Env[Any, Any], *, terminates: bool) -> None:
        self._compute_reward = env.get_wrapper_attr("compute_reward")
        self._compute_terminated = (
            env.get_wrapper_attr("compute_terminated") if terminates else None
        )

    def __call__(
        self, achieved_goal: FloatArray, desired_goal: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return reward and terminated, each ``(B,)`` float32."""
        # Positional on purpose: Fetch calls the second parameter ``goal``, not ``desired_goal``.
        reward = np.asarray(self._compute_reward(achieved_goal, desired_goal, {}), np.float32)
        if self._compute_terminated is None:
            return reward, np.zeros(len(reward), np.float32)
        # Row by row on purpose: the mazes take one norm over the whole batch.
        rows = zip(achieved_goal, desired_goal, strict=True)
        terminated = [self._compute_terminated(achieved, desired, {}) for achieved, desired in rows]
        return reward, np.asarray(terminated, np.float32)


def check_goal_env(env: gym.Env[Any, Any]) -> None:
    """Refuse, by name, an environment that does not keep the goal contract.

    Raises:
        InputError: if a key, ``compute_reward``, a bounded continuous action or a time limit is
            missing.
    """
    name = env.spec.id if env.spec else type(env).__name__
    space = env.observation_space
    if not isinstance(space, spaces.Dict) or not set(GOAL_KEYS) <= set(space.spaces):
        raise InputError(
            f"{name} is not a goal environment: its observation is no Dict with the keys "
            f"{', '.join(GOAL_KEYS)}"
        )
    for key in GOAL_KEYS:
        if not isinstance(space[key], spaces.Box) or len(space[key].shape or ()) != 1:
            raise InputError(f"{name}: {key} must be a flat vector (Box), got {space[key]}")
    if not env.has_wrapper_attr("compute_reward"):
        raise InputError(f"{name} is not a goal environment: it has no compute_reward method")
    actions = env.action_space
    if not isinstance(actions, spaces.Box) or not actions.is_bounded():
        raise InputError(f"{name}: actions must be continuous and bounded (Box), got {actions}")
    if env.spec is None or env.spec.max_episode_steps is None:
        raise InputError(f"{name} has no time limit: register it with max_episode_steps=N")


def reward_at_goal(env: gym.Env[Any, Any], goal: NDArray[Any]) -> float:
    """Return the reward of having achieved exactly ``goal``, ``(goal_dim,)``."""
    return float(env.get_wrapper_attr("compute_reward")(goal, goal, {}))


def is_success(info: Mapping[str, Any], reward: float, best_reward: float) -> bool:
    """Return whether a step reached the goal: by the env's own word, else by its best reward."""
    for key in SUCCESS_KEYS:
        if key in info:
            return bool(info[key])
    return bool(reward >= best_reward)


def _reward_range(env: gym.Env[Any, Any], goal: NDArray[np.float64]) -> tuple[float, float]:
    """Probe the reward at the goal and at two far places; if those differ it has no lower bound."""
    compute_reward = env.get_wrapper_attr("compute_reward")
    far, further = (float(compute_reward(goal + shift, goal, {})) for shift in (10.0, 20.0))
    return (far if far == further else -np.inf, max(far, reward_at_goal(env, goal)))


def _terminates(env: gym.Env[Any, Any], goal: NDArray[np.float64]) -> bool:
    if not env.has_wrapper_attr("compute_terminated"):
        return False
    return bool(env.get_wrapper_attr("compute_terminated")(goal, goal, {}))
