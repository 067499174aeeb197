"""Environments that are built again for each episode, because ``reset`` does not set back all."""

import contextlib
from collections.abc import Callable
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from headstart.standard_streams import silent_stdout

REBUILD = "rebuild_each_episode"
"""The argument, and the attribute, that declares it."""


class RebuiltEachEpisode(gym.Wrapper[Any, Any, Any, Any]):
    """Builds its environment again at each ``reset`` but the first: no episode leaves a trace.

    Args:
        env: the environment, not yet reset.
        build: returns another one like it.
    """

    def __init__(self, env: gym.Env[Any, Any], build: Callable[[], gym.Env[Any, Any]]) -> None:
        super().__init__(env)
        self._build = build
        self._is_used = False

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]
        """That of the environment, which is built with this wrapper wherever it is built."""
        return self.env.spec

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in an environment that has run none."""
        if self._is_used:
            with contextlib.suppress(Exception):
                self.env.close()
            # What a simulator prints when it starts, it has printed.
            with silent_stdout():
                self.env = self._build()
        self._is_used = True
        return self.env.reset(seed=seed, options=options)

    # Their bound methods are kept by callers, and the environment is not.
    def compute_reward(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Return the environment's reward."""
        return self.env.get_wrapper_attr("compute_reward")(achieved_goal, desired_goal, info)

    def compute_terminated(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Return whether a goal ends the episode, if the environment says it."""
        if not self.env.has_wrapper_attr("compute_terminated"):
            raise NotImplementedError
        return self.env.get_wrapper_attr("compute_terminated")(achieved_goal, desired_goal, info)
