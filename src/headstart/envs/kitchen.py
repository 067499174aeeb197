"""FrankaKitchen of Gymnasium-Robotics, with the reward of a goal task."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from headstart.envs.interface import layers

_MODULE = "gymnasium_robotics.envs.franka_kitchen.kitchen_env"
Goal = Mapping[str, NDArray[Any]]


def pay_for_goals(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """Return a kitchen that is paid for goals; any other environment as it is."""
    is_kitchen = type(env.unwrapped).__module__ == _MODULE
    is_paid = any(isinstance(layer, PaidForGoals) for layer in layers(env))
    return PaidForGoals(env) if is_kitchen and not is_paid else env


class PaidForGoals(gym.Wrapper[Any, Any, Any, Any]):
    """Pays, at each step, how many tasks are done; an episode ends when all of them are.

    Upstream (1.4.2) a task that is done is taken off a list, so ``compute_reward`` depends on the
    episode: it pays for each task once, and the end counts tasks that were done at any time. Here
    reward and end are functions of the goals, for one goal or for many. ``info["is_success"]`` says
    whether all tasks are done.

    Args:
        env: the kitchen; with ``terminate_on_tasks_completed=False`` its episodes do not end.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        from gymnasium_robotics.envs.franka_kitchen.kitchen_env import BONUS_THRESH

        self._threshold = BONUS_THRESH
        self._ends: bool = env.unwrapped.terminate_on_tasks_completed  # type: ignore[attr-defined]

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]
        """That of the kitchen, which is built with this wrapper wherever it is built."""
        return self.env.spec

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        observation, _, _, truncated, info = self.env.step(action)
        goals = observation["achieved_goal"], observation["desired_goal"]
        reward = float(self.compute_reward(*goals, info))
        terminated = bool(self.compute_terminated(*goals, info))
        info["is_success"] = bool(self._done(*goals).all())
        return observation, reward, terminated, truncated, info

    def compute_reward(self, achieved_goal: Goal, desired_goal: Goal, info: Any) -> Any:
        """Return the number of tasks that are done, for goals of vectors ``(..., width)``."""
        return self._done(achieved_goal, desired_goal).sum(axis=0).astype(np.float64)

    def compute_terminated(self, achieved_goal: Goal, desired_goal: Goal, info: Any) -> Any:
        """Return whether all tasks are done and that ends the episode."""
        return self._done(achieved_goal, desired_goal).all(axis=0) & self._ends

    def _done(self, achieved: Goal, desired: Goal) -> NDArray[np.bool_]:
        """Return which tasks are done, ``(tasks, ...)``."""
        ways = [achieved[name] - desired[name] for name in desired]
        return np.array([np.linalg.norm(way, axis=-1) < self._threshold for way in ways])
