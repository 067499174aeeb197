"""The steps of one episode, with any source of actions: each is checked, and can be taken back."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.envs.goal_env import reaches_goal, success_key
from headstart.envs.interface import GOAL_KEYS, all_finite, set_elapsed, step_env, truth
from headstart.envs.snapshot import Restorable, simulator_trouble
from headstart.errors import EpisodeError, InputError
from headstart.policy import inner_bounds
from headstart.rollout.recording import Recording
from headstart.text import printable

Observation = Mapping[str, NDArray[Any]]
_LONGEST_FAILURE = 60


class EpisodeSteps:
    """An episode that is being taken.

    Args:
        env: the environment, in the state that the episode starts in.
        observation: what is observed there.
        name: what an error calls the episode.
        simulator: saves the state at every step; ``None`` keeps no states.
        reward_info_keys: what of each step's ``info`` the episode keeps.
        max_steps: after how many steps it is cut off, if the env has not ended it before.

    Attributes:
        observation: the newest one.
        finished: whether the episode ends there.
        bounds: lowest and highest action, each ``(action_dim,)`` float32.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        observation: Observation,
        name: str,
        simulator: Restorable | None,
        reward_info_keys: tuple[str, ...] = (),
        max_steps: int | None = None,
    ) -> None:
        self._env, self.name, self._keys = env, name, reward_info_keys
        self._max_steps = max_steps
        self._recording = Recording(observation, simulator)
        self.observation = observation
        self._info: Mapping[str, Any] = {}
        self.finished = False
        spaces: Any = env.observation_space
        self._shapes = {key: spaces[key].shape for key in GOAL_KEYS}
        self.bounds = inner_bounds(env.action_space.low, env.action_space.high)  # type: ignore[attr-defined]

    @property
    def is_success(self) -> bool:
        """Whether the goal is fulfilled after the newest step."""
        return self._recording.is_success

    @property
    def num_steps(self) -> int:
        """How many steps the episode has."""
        return self._recording.num_steps

    @property
    def env_steps(self) -> int:
        """How many steps were taken, those that were taken back included."""
        return self._recording.env_steps

    def check_observation(self) -> None:
        """Refuse what a policy, which would be blamed for it, makes nothing of.

        Raises:
            EpisodeError: if the observation has another shape than promised, or is not finite.
        """
        for key, promised in self._shapes.items():
            array = self.observation[key]
            found = np.shape(array)
            if found != promised:
                raise EpisodeError(f"{self.name}: {key} has shape {found} instead of {promised}")
            if not all_finite(array):
                raise EpisodeError(f"{self.name}: the observation holds NaN or infinity")

    def step(self, action: NDArray[np.float32], kept: NDArray[np.float32] | None = None) -> None:
        """Take a step.

        Args:
            action: what is executed, ``(action_dim,)``.
            kept: what the episode says was done; the same by default.

        Raises:
            EpisodeError: if the environment answers with what no episode can hold.
        """
        self._recording.before_step(self.observation, action if kept is None else kept)
        # A copy: an env may clip what it is given in place.
        try:
            found = step_env(self._env, action.copy())
            self.observation, reward, terminated, truncated, info = found
            is_success = self._reached_goal(info)
        except InputError as error:
            raise EpisodeError(str(error)) from error
        paid = self._read_reward(reward)
        infos = self._read_infos(info)
        self._recording.after_step(self.observation, terminated, is_success, paid, infos)
        self._info = info
        self.finished = terminated or truncated or self.num_steps == self._max_steps

    def go_back(self, num_steps: int) -> None:
        """Take back all but the first ``num_steps``; the env must restore states."""
        self.observation = self._recording.go_back(num_steps)
        set_elapsed(self._env, num_steps)
        self.finished = False

    def episode(self, *, snapshots: bool) -> Episode:
        """Return the finished episode, with the states or without.

        Raises:
            EpisodeError: if the simulator lost its state on the way, or the steps do not go
                together.
        """
        trouble = simulator_trouble(self._env)
        if trouble is not None:
            raise EpisodeError(f"{self.name}: {trouble}; the episode was not kept")
        try:
            return replace(self._recording.episode(snapshots=snapshots), **end_of(self._info))
        except ValueError as error:
            raise EpisodeError(f"{self.name}: {error}") from error

    def _reached_goal(self, info: Mapping[str, Any]) -> bool:
        """Return whether a step reached the goal: by ``info``, or the reward of where it led."""
        key = success_key(info)
        if key is not None:
            return truth(self._env, f"info[{key!r}] of step", info[key])
        # Not by what step paid: a price of the action, say, would hide that the goal was reached.
        achieved, desired = self.observation["achieved_goal"], self.observation["desired_goal"]
        return reaches_goal(self._env, achieved, desired, info)

    def _read_reward(self, reward: Any) -> float:
        """Return the reward of a step, if it is one finite number."""
        if isinstance(reward, float | np.floating) and math.isfinite(reward):
            return float(reward)
        number = np.asarray(reward, np.float64)
        if number.size != 1 or not np.isfinite(number).all():
            raise EpisodeError(f"{self.name}: the reward is {reward}, not one finite number")
        return float(number.squeeze())

    def _read_infos(self, info: Mapping[str, Any]) -> list[float]:
        try:
            return [float(info[key]) for key in self._keys]
        except KeyError as error:
            raise EpisodeError(
                f"{self.name}: step leaves {error} out of info, which the reward reads"
            ) from error


def end_of(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a step says of an episode that ends with it, by the names of its fields."""
    strict, failure = info.get("strict_success"), info.get("failure")
    end: dict[str, Any] = {}
    if isinstance(strict, bool | np.bool_ | int | float):
        end["strict_success"] = bool(strict)
    if isinstance(failure, str):
        end["failure"] = printable(failure, longest=_LONGEST_FAILURE)
    return end
