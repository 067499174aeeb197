"""Episodes out of what a Baselines file has of them: lists of actions, of obs and of info."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.demos.imported import remark_on_cut, steps_kept
from headstart.envs.goal_env import GoalReward, GoalSpec, success_key

MAX_STATES = 200_000
"""Of all episodes together: a file of a few bytes can name one episode a million times."""


@dataclass
class EpisodeImporter:
    """Makes episodes of what the file has of them, and counts what it changes."""

    spec: GoalSpec
    reward: GoalReward | None
    counts: Counter[str] = field(default_factory=Counter)

    def episode(self, actions: Any, states: Any, infos: Any) -> Episode:
        """Return one episode.

        Raises:
            ValueError: if its parts do not fit together or not to the environment.
        """
        actions, states, infos = self._cut(
            items(actions, "its actions"), items(states, "its obs"), items(infos, "its info")
        )
        spec = self.spec
        achieved = self._vectors(states, "achieved_goal", spec.goal_dim)
        desired = self._vectors(states, "desired_goal", spec.goal_dim)
        reward_infos = self._reward_infos(infos)
        is_success = self._success(infos, achieved[1:], desired[:-1], reward_infos)
        terminated = np.zeros(len(actions), bool)
        # Where it is not known whether the goal ends an episode, own experience will show it.
        terminated[-1] = bool(spec.terminates) and is_success[-1]
        episode = Episode(
            observations=self._vectors(states, "observation", spec.observation_dim),
            achieved_goals=achieved,
            desired_goals=desired[:-1],
            actions=self._clipped(actions),
            terminated=terminated,
            is_success=is_success,
            reward_infos=reward_infos,
        )
        # Vector environments hand out the first observation of the next episode here.
        if (desired[-1] != desired[0]).any():
            raise ValueError("its last obs has another goal: is it of the next episode?")
        return episode

    def _cut(
        self, actions: Sequence[Any], states: Sequence[Any], infos: Sequence[Any]
    ) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
        """Return as many steps as have a state after them, and as the time limit allows."""
        steps = len(actions)
        if len(states) not in (steps, steps + 1) or len(infos) != steps:
            raise ValueError(
                f"it has {steps} actions, {len(states)} obs and {len(infos)} info; "
                f"{steps} actions need {steps + 1} obs and {steps} info"
            )
        kept = steps_kept(len(states) - 1, self.spec)
        if kept < 1:
            raise ValueError("it has no step")
        self.counts["dropped"] += len(states) == steps
        self.counts["cut"] += kept < len(states) - 1
        self.counts["states"] += kept + 1
        if self.counts["states"] > MAX_STATES:
            raise ValueError(f"with it the file has more than {MAX_STATES} states")
        return actions[:kept], states[: kept + 1], infos[:kept]

    def _vectors(self, states: Sequence[Any], key: str, width: int) -> NDArray[np.float32]:
        """Return one part of the states, ``(T + 1, width)``."""
        rows = []
        for step, state in enumerate(states):
            if not isinstance(state, dict) or key not in state:
                raise ValueError(f"obs {step} has no {key}, which a goal environment needs")
            rows.append(self._vector(state[key], f"the {key} of obs {step}", width))
        return _float32(np.stack(rows))

    def _vector(self, value: Any, name: str, width: int) -> NDArray[Any]:
        found = len(items(value, name))
        if found != width:
            raise ValueError(f"{name} has width {found}, {self.spec.env_id} has {width}")
        if isinstance(value, np.ndarray) and value.ndim == 1:
            return value
        if not all(isinstance(entry, float | int) for entry in value):
            raise ValueError(f"{name} is no vector of numbers")
        return np.array([_float(entry) for entry in value])

    def _clipped(self, actions: Sequence[Any]) -> NDArray[np.float32]:
        """Return the actions within the bounds, ``(T, action_dim)``."""
        rows = [
            self._vector(action, f"action {step}", self.spec.action_dim)
            for step, action in enumerate(actions)
        ]
        taken = np.stack(rows).astype(np.float64)
        if not np.isfinite(taken).all():  # An infinite one would be clipped.
            raise ValueError("its actions hold NaN or infinity")
        clipped = taken.clip(self.spec.action_low, self.spec.action_high)
        self.counts["clipped"] += int((clipped != taken).sum())
        return clipped.astype(np.float32)

    def _success(
        self,
        infos: Sequence[Any],
        achieved: NDArray[np.float32],
        desired: NDArray[np.float32],
        reward_infos: NDArray[np.float32],
    ) -> NDArray[np.bool_]:
        """Return what the infos say, and where they do not, what the reward says, ``(T,)``."""
        keys = [success_key(info) for info in infos]
        known = np.array([key is not None for key in keys])
        told = [
            key is not None and _number(info[key]) for info, key in zip(infos, keys, strict=True)
        ]
        success = np.array(told, np.float64) > 0
        self.counts["unknown"] += int((~known).sum())
        if known.all() or self.reward is None:
            return success
        columns = reward_infos if self.spec.reward_info_keys else None
        rewards, _ = self.reward(achieved, desired, columns)
        return np.where(known, success, self.reward.is_best(rewards))

    def _reward_infos(self, infos: Sequence[Any]) -> NDArray[np.float32]:
        """Return what the reward reads of the infos, ``(T, info_dim)``."""
        keys = self.spec.reward_info_keys
        for step, info in enumerate(infos):
            if not isinstance(info, dict):
                raise ValueError(f"info {step} is no dict")
            missing = [key for key in keys if key not in info]
            if missing:
                raise ValueError(
                    f"info {step} has no {missing[0]}, which the reward of {self.spec.env_id} reads"
                )
        return _float32(np.array([[_number(info[key]) for key in keys] for info in infos]))

    def remarks(self, episodes: Sequence[Episode]) -> list[str]:
        """Return what is to be known of the import, in sentences."""
        solved = sum(episode.success for episode in episodes)
        steps = sum(len(episode) for episode in episodes)
        counts = self.counts
        share = counts["clipped"] / (steps * self.spec.action_dim)
        judged = "counted as failures" if self.reward is None else "judged by the reward"
        of_all = f"of {len(episodes)} episodes"
        found = {
            f"{solved} {of_all} succeed at their last step.": True,
            f"Without a success, check that the file is of {self.spec.env_id}.": not solved,
            f"{share:.2%} of the action numbers were beyond the bounds and are clipped.": share,
            f"{counts['dropped']} {of_all} lack their last obs: their last action is left out.": (
                counts["dropped"]
            ),
            remark_on_cut(counts["cut"], len(episodes), self.spec): counts["cut"],
            f"{counts['unknown']} of {steps} steps do not tell their success and are {judged}.": (
                counts["unknown"]
            ),
        }
        return [text for text, applies in found.items() if applies]


def items(value: Any, name: str) -> Sequence[Any]:
    """Return a value that has a length and can be sliced.

    Raises:
        ValueError: for any other value.
    """
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0):
        return value  # type: ignore[return-value]
    raise ValueError(f"{name} is no list")


def _float32(array: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):  # Episode refuses what is not finite then.
        return array.astype(np.float32)


def _float(value: float) -> float:
    """Return the number; an integer of any size, which numpy would refuse, too."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _number(value: Any) -> float:
    """Return a number of an info dict."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if not isinstance(value, float | int):
        raise ValueError("its info has something else than a number where one belongs")
    return _float(value)
