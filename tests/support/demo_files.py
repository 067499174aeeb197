"""Demonstrations written as others write them, by none of the code that reads them."""

import gymnasium as gym
import numpy as np

# The same task under the id of a dense reward, and under one that has nothing to do with it.
for _name in ("PointReachDense-v0", "Wrapped-v3"):
    gym.register(_name, entry_point="headstart.envs.toy:PointReach", max_episode_steps=30)


def write_baselines(path, episodes, info=True):
    """As OpenAI Baselines writes them, in arrays of objects."""
    arrays = {
        "acs": [episode.actions for episode in episodes],
        "obs": [_states(episode) for episode in episodes],
    }
    if info:
        arrays["info"] = [
            [{"is_success": np.float32(success)} for success in episode.is_success]
            for episode in episodes
        ]
    objects = {name: np.empty(len(episodes), object) for name in arrays}
    for name, values in arrays.items():
        for index, value in enumerate(values):
            objects[name][index] = list(value)
    np.savez_compressed(path, **objects)


def _states(episode):
    goal = episode.desired_goals[0]
    return [
        {"observation": observation, "achieved_goal": achieved, "desired_goal": goal}
        for observation, achieved in zip(episode.observations, episode.achieved_goals, strict=True)
    ]


def one_row(episodes, *, last=True):
    """Arrays in which all episodes lie in one row; states with the last one of each, or without."""
    states = [slice(None) if last else slice(-1)] * len(episodes)
    cut = list(zip(episodes, states, strict=True))
    return {
        "observations": np.concatenate([episode.observations[rows] for episode, rows in cut]),
        "achieved_goals": np.concatenate([episode.achieved_goals[rows] for episode, rows in cut]),
        "desired_goals": np.concatenate([episode.desired_goals for episode in episodes]),
        "actions": np.concatenate([episode.actions for episode in episodes]),
        "is_success": np.concatenate([episode.is_success for episode in episodes]),
    }


def row_each(episodes, *, last=True):
    """The same arrays with a row for each episode, filled up to the length of the longest."""
    rows = [one_row([episode], last=last) for episode in episodes]
    return {name: _fill([row[name] for row in rows]) for name in rows[0]}


def array_each(episodes):
    """The same arrays as arrays of objects, one array for each episode."""
    rows = [one_row([episode]) for episode in episodes]
    arrays = {name: np.empty(len(rows), object) for name in rows[0]}
    for name, array in arrays.items():
        array[:] = [row[name] for row in rows]
    return arrays


def her_buffer(episodes):
    """The buffers of Baselines' HER: ``o`` and ``ag`` of T + 1 states, ``u`` and ``g`` of T."""
    rows = row_each(episodes)
    names = {"observations": "o", "achieved_goals": "ag", "desired_goals": "g", "actions": "u"}
    buffers = {short: rows[name] for name, short in names.items()}
    return {**buffers, "info_is_success": rows["is_success"][:, :, None].astype(float)}


def lengths_of(episodes):
    return np.array([len(episode) for episode in episodes])


def _fill(arrays):
    longest = max(map(len, arrays))
    return np.stack(
        [
            np.pad(array, [(0, longest - len(array))] + [(0, 0)] * (array.ndim - 1))
            for array in arrays
        ]
    )
