"""Episodes out of what a Baselines file has of them: lists of actions, of obs and of info."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.demos.foreign.plain_values import MAX_STATES, items, stack_vectors, to_float
from headstart.demos.recorded import Recorded
from headstart.envs.goal_env import GoalSpec, success_key


class LegacyEpisodes:
    """Reads the episodes of a file one after the other, up to ``MAX_STATES`` of all of them."""

    def __init__(self, spec: GoalSpec) -> None:
        self._spec = spec
        self._num_states = 0

    def read(self, actions: Any, states: Any, infos: Any) -> Recorded:
        """Return what the file has of one episode.

        Args:
            actions: ``T`` vectors.
            states: ``T + 1`` observation dicts, or ``T``.
            infos: ``T`` info dicts, or ``None``.

        Raises:
            ValueError: if it is not of this form, or too long.
        """
        actions, states = items(actions, "its actions"), items(states, "its obs")
        infos = [{}] * len(actions) if infos is None else items(infos, "its info")
        if len(states) not in (len(actions), len(actions) + 1) or len(infos) != len(actions):
            raise ValueError(
                f"it has {len(actions)} actions, {len(states)} obs and {len(infos)} info; "
                f"{len(actions)} actions need {len(actions) + 1} obs and {len(actions)} info"
            )
        # What lies beyond the time limit is not kept, and not looked at either.
        limit = self._spec.max_episode_steps + 1
        actions, states, infos = actions[:limit], states[: limit + 1], infos[:limit]
        self._num_states += len(states)
        if self._num_states > MAX_STATES:
            raise ValueError(f"with it the file has more than {MAX_STATES} states")
        spec = self._spec
        return Recorded(
            achieved_goals=self._states(states, "achieved_goal", spec.goal_dim),
            observations=self._states(states, "observation", spec.observation_dim),
            desired_goals=self._states(states, "desired_goal", spec.goal_dim),
            actions=stack_vectors(actions, "action {}", spec.action_dim, spec.env_id),
            success=_success(infos),
            reward_infos=self._reward_infos(infos),
        )

    def _states(self, states: Sequence[Any], key: str, width: int) -> NDArray[Any]:
        """Return one part of the states, ``(T + 1, width)``."""
        for step, state in enumerate(states):
            if not isinstance(state, dict) or key not in state:
                raise ValueError(f"obs {step} has no {key}, which a goal environment needs")
        values = [state[key] for state in states]
        return stack_vectors(values, f"the {key} of obs {{}}", width, self._spec.env_id)

    def _reward_infos(self, infos: Sequence[Any]) -> NDArray[Any]:
        """Return what the reward reads of the infos, ``(T, info_dim)``."""
        keys = self._spec.reward_info_keys
        for step, info in enumerate(infos):
            missing = [key for key in keys if key not in info]
            if missing:
                raise ValueError(
                    f"info {step} has no {missing[0]}, which the reward of {self._spec.env_id} "
                    f"reads"
                )
        rows = [[_number(info[key]) for key in keys] for info in infos]
        return np.array(rows).reshape(len(infos), len(keys))


def _success(infos: Sequence[Any]) -> NDArray[np.float64]:
    """Return the success of each step, ``(T,)``, NaN where its info does not say."""
    for step, info in enumerate(infos):
        if not isinstance(info, dict):
            raise ValueError(f"info {step} is not a dict")
    keys = [success_key(info) for info in infos]
    pairs = zip(infos, keys, strict=True)
    return np.array([np.nan if key is None else _number(info[key]) for info, key in pairs])


def _number(value: Any) -> float:
    """Return a number of an info dict."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if not isinstance(value, float | int):
        raise ValueError("its info has something else than a number where one belongs")
    return to_float(value)
