"""Demonstrations written as others write them, by none of the code that reads them."""

import numpy as np


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
