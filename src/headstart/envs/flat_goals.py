"""Goals that are Dicts of vectors, as one vector of components."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

_GOALS = ("achieved_goal", "desired_goal")


def flatten_goals(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """Return an environment whose goals are vectors; the same one if they are not Dicts of them."""
    space = env.observation_space
    if not isinstance(space, spaces.Dict) or not {*_GOALS} <= {*space.spaces}:
        return env
    achieved, desired = (space[key] for key in _GOALS)
    if not isinstance(achieved, spaces.Dict) or not isinstance(desired, spaces.Dict):
        return env
    boxes = all(isinstance(part, spaces.Box) for part in desired.spaces.values())
    return FlatGoals(env) if boxes and {*achieved.spaces} == {*desired.spaces} else env


class FlatGoals(gym.Wrapper[Any, Any, Any, Any]):
    """Puts the vectors of a Dict goal one behind the other; each of them is a component.

    ``compute_reward`` and ``compute_terminated`` are those of the environment, which is asked about
    Dicts: of goals ``(..., goal_dim)`` it is given vectors ``(..., width)``.

    Args:
        env: an environment whose two goals are Dicts of Boxes, with the same keys.

    Attributes:
        goal_components: the entries of each vector of the Dict, by its key.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        space: Any = env.observation_space
        parts = space["desired_goal"].spaces
        self.goal_components: dict[str, slice] = {}
        start = 0
        for name, box in parts.items():
            self.goal_components[name] = slice(start, start := start + int(np.prod(box.shape)))
        flat = {key: self._flat_space(space[key].spaces) for key in _GOALS}
        self.observation_space = spaces.Dict({**space.spaces, **flat})

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]
        """That of the environment, which is built with this wrapper wherever it is built."""
        return self.env.spec

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._flatten(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step."""
        observation, *others = self.env.step(action)
        return self._flatten(observation), *others

    def compute_reward(
        self, achieved_goal: NDArray[Any], desired_goal: NDArray[Any], info: Mapping[str, Any]
    ) -> Any:
        """Return the environment's reward of goals ``(..., goal_dim)``."""
        return self._ask("compute_reward", achieved_goal, desired_goal, info)

    def compute_terminated(
        self, achieved_goal: NDArray[Any], desired_goal: NDArray[Any], info: Mapping[str, Any]
    ) -> Any:
        """Return whether goals ``(..., goal_dim)`` end the episode, if the environment says it."""
        if not self.env.has_wrapper_attr("compute_terminated"):
            raise NotImplementedError
        return self._ask("compute_terminated", achieved_goal, desired_goal, info)

    def _ask(self, method: str, achieved: Any, desired: Any, info: Mapping[str, Any]) -> Any:
        nested = (self._nest(np.asarray(goal)) for goal in (achieved, desired))
        return self.env.get_wrapper_attr(method)(*nested, info)

    def _nest(self, goal: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return {name: goal[..., entries] for name, entries in self.goal_components.items()}

    def _flatten(self, observation: Any) -> Any:
        if not isinstance(observation, Mapping):
            return observation  # That it is none is said where it is looked at.
        flat = {
            key: np.concatenate([np.ravel(observation[key][name]) for name in self.goal_components])
            for key in _GOALS
            if isinstance(observation.get(key), Mapping)
        }
        return {**observation, **flat}

    def _flat_space(self, boxes: Mapping[str, Any]) -> spaces.Box:
        named = [boxes[name] for name in self.goal_components]
        low, high = (
            np.concatenate([np.ravel(getattr(box, end)) for box in named])
            for end in ("low", "high")
        )
        return spaces.Box(low, high, dtype=low.dtype)
