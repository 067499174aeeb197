"""Episodes here and in Minari: arrays of a dataset become ``Episode``s, and these its buffers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.demos.imported import remark_on_cut, steps_kept
from headstart.demos.minari_files import Arrays, Metadata
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec

if TYPE_CHECKING:
    from minari.data_collector import EpisodeBuffer

_STATES = ("observations", "achieved_goals", "desired_goals")
_STEPS = ("actions", "terminated", "truncated", "success", "reward_infos")


def within_time_limit(arrays: Arrays, spec: GoalSpec) -> Arrays:
    """Return the arrays without the steps beyond the time limit.

    Args:
        arrays: what ``read_arrays`` returns.
        spec: the environment.

    Returns:
        The arrays, in which the time limit has truncated what was longer, and ``cut``, ``(N,)``,
        which tells of each episode whether it was.
    """
    lengths = arrays["steps"].tolist()
    kept = [steps_kept(length, spec) for length in lengths]
    pairs = list(zip(lengths, kept, strict=True))
    steps = np.concatenate([np.arange(length) < limit for length, limit in pairs])
    states = np.concatenate([np.arange(length + 1) <= limit for length, limit in pairs])
    rows = {key: arrays[key][steps] for key in _STEPS}
    rows |= {key: arrays[key][states] for key in _STATES}
    cut = np.array([limit < length for length, limit in pairs])
    rows["truncated"][np.cumsum(kept)[cut] - 1] = True
    return {**arrays, **rows, "steps": np.array(kept), "cut": cut}


def episodes_of(arrays: Arrays, spec: GoalSpec, reward: GoalReward | None) -> tuple[Episode, ...]:
    """Return the episodes that have a step, their actions within bounds.

    Args:
        arrays: what ``within_time_limit`` returns.
        spec: the environment.
        reward: tells success where the dataset does not.

    Raises:
        ValueError: if there is none, or one is not sound.
    """
    episodes = []
    step = state = 0
    for number, length in zip(arrays["numbers"], arrays["steps"], strict=True):
        rows = {key: arrays[key][step : step + length] for key in _STEPS}
        rows |= {key: arrays[key][state : state + length + 1] for key in _STATES}
        rows["actions"] = _clip(rows["actions"], spec)
        step += length
        state += length + 1
        if length == 0:
            continue
        try:
            episodes.append(_episode(rows, reward))
        except ValueError as error:
            raise ValueError(f"episode_{number}: {error}") from error
    if not episodes:
        raise ValueError("no episode of it has a step")
    return tuple(episodes)


def _episode(rows: Arrays, reward: GoalReward | None) -> Episode:
    """Return one episode, complete with success.

    Raises:
        ValueError: if it goes on after its end, or success is told neither by it nor by ``reward``.
    """
    ended = (rows["terminated"] | rows["truncated"])[:-1]
    if ended.any():
        raise ValueError(f"it goes on after step {int(np.argmax(ended))}, which ended it")
    episode = Episode(
        observations=rows["observations"],
        achieved_goals=rows["achieved_goals"],
        desired_goals=_goals(rows["desired_goals"]),
        actions=rows["actions"],
        terminated=rows["terminated"],
        is_success=rows["success"] != 0.0,
        reward_infos=rows["reward_infos"],
    )
    if not np.isnan(rows["success"]).any():
        return episode
    if reward is None:
        raise ValueError("it does not tell success, in is_success or success of infos")
    goals, infos = episode.desired_goals, episode.reward_infos
    reached, _ = reward(episode.achieved_goals[1:], goals, infos)
    at_goal, _ = reward(goals, goals, infos)
    return replace(episode, is_success=reached >= at_goal)


def _goals(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the goal of each step, given that of each state.

    Mazes that go on after success draw a new goal once the observation is made. A dataset that is
    cut there shows the goal before in the first state of an episode, while the reward of the first
    step is for the new one: so the goal of the state that a step led to counts, if it is one.
    """
    after = states[1:]
    return after if (after == after[0]).all() else states[:-1]


def remarks_on(
    arrays: Arrays, episodes: tuple[Episode, ...], spec: GoalSpec, metadata: Metadata
) -> list[str]:
    """Say in plain sentences what was found, and what was changed."""
    held = arrays["steps"] > 0
    lengths = arrays["steps"][held]
    first_states = (np.cumsum(arrays["steps"] + 1) - arrays["steps"] - 1)[held]
    goals = np.stack([episode.desired_goals[0] for episode in episodes])
    stale = (arrays["desired_goals"][first_states] != goals).any(axis=1).sum()
    ended = (arrays["terminated"] | arrays["truncated"])[np.cumsum(lengths) - 1]
    clipped = (_clip(arrays["actions"], spec) != arrays["actions"]).any(axis=1)
    solved = sum(episode.success for episode in episodes)
    remarks = [f"{solved} of {len(episodes)} episodes succeed at the last step."]
    if metadata.env_id is None:
        remarks.append("The dataset does not name its environment.")
    elif metadata.env_id != spec.env_id:
        remarks.append(f"The dataset was recorded with {metadata.env_id}.")
    if np.isnan(arrays["success"]).any():
        remarks.append("The dataset does not tell success; it was computed.")
    if clipped.any():
        remarks.append(f"Clipped the actions of {clipped.mean():.2%} of the steps to the bounds.")
    if arrays["cut"].any():
        remarks.append(remark_on_cut(arrays["cut"].sum(), len(episodes), spec))
    if not held.all():
        remarks.append(f"Episodes without a step, dropped: {(~held).sum()}.")
    if not ended.all():
        remarks.append(f"Episodes that end neither terminated nor truncated: {(~ended).sum()}.")
    if stale:
        remarks.append(f"Episodes with another goal in the first state, corrected: {stale}.")
    return remarks


def _clip(actions: NDArray[np.float32], spec: GoalSpec) -> NDArray[np.float32]:
    low, high = np.array([spec.action_low, spec.action_high], np.float32)
    return np.clip(actions, low, high)


def episode_buffers(
    demos: DemoSet, observation_space: spaces.Dict, action_space: Any, reward: GoalReward
) -> Iterator["EpisodeBuffer"]:
    """Yield the episodes as Minari has them: with the final goal, and with infos of the reset."""
    from minari.data_collector import EpisodeBuffer

    for episode in demos.episodes:
        goals, infos = episode.desired_goals, episode.reward_infos
        rewards, _ = reward(episode.achieved_goals[1:], goals, infos)
        last = np.arange(len(episode)) == len(episode) - 1
        states = {
            "observation": episode.observations,
            "achieved_goal": episode.achieved_goals,
            "desired_goal": np.concatenate([goals, goals[-1:]]),
        }
        # The first row is of reset, which tells nothing: the infos of the first step stand there.
        told = np.concatenate([infos[:1], infos])
        columns = {key: told[:, i] for i, key in enumerate(reward.spec.reward_info_keys)}
        yield EpisodeBuffer(
            observations={
                key: array.astype(observation_space[key].dtype) for key, array in states.items()
            },
            actions=episode.actions.astype(action_space.dtype),
            rewards=rewards.astype(np.float64),
            terminations=episode.terminated,
            truncations=last & ~episode.terminated,
            infos={"is_success": np.concatenate([[False], episode.is_success]), **columns},
        )
