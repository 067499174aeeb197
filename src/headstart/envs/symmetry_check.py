"""Whether an environment moves as its mirror image says, tried before anything is learned from it.

What is written in a table of one environment need not hold for a wrapper around it, for another
version, or for one that only has the same name.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.data.symmetry import AxisMap, Mirror
from headstart.envs.interface import GOAL_KEYS

Array = NDArray[np.float64]

_EPISODES, _STEPS = 16, 10
_MOST_ERRORS = 6.0
"""Standard errors that two means or responses may differ by."""
_LEAST_DISTANCE = 5e-3
"""Share of a position by which a symmetric model may be off; a closed gripper is by 1 mm."""
_LEAST_SHARE = 0.2
"""Share of the largest response to an action that two of them may differ by."""
_LEAST_CORRELATION = 1.0
"""Difference of two correlations that is not chance; a wrong sign of a strong one makes about 2."""


def mirror_defect(env: gym.Env[Any, Any], mirror: Mirror) -> str | None:
    """Return why ``env`` is not symmetric as ``mirror`` says; ``None`` if it is.

    Random actions move it. In a symmetric environment, where episodes begin, and how the change of
    each entry goes with states and actions, are the same after reflection.
    """
    spaces: Any = env.observation_space
    for name, axis_map, space in (
        ("observation", mirror.observation, spaces["observation"]),
        ("goal", mirror.goal, spaces["desired_goal"]),
        ("action", mirror.action, env.action_space),
    ):
        if space.shape != (len(axis_map.sign),):
            return f"its {name} has shape {space.shape}, its mirror {len(axis_map.sign)} numbers"
    starts, states, changes, actions = _move(env)
    state_maps = mirror.observation, mirror.goal, mirror.goal
    reflect, shift = _reflection(*state_maps)
    mean, error = starts.mean(axis=0), starts.std(axis=0) / np.sqrt(len(starts))
    chance = _MOST_ERRORS * (error + np.abs(reflect) @ error)
    differs = np.abs(mean - (reflect @ mean + shift))
    if (differs > chance + _LEAST_DISTANCE * (1.0 + np.abs(mean))).any():
        return "its episodes begin elsewhere than in its mirror"
    reflect_action, _ = _reflection(mirror.action)
    response, error = _response(changes, actions)
    image = reflect @ response @ reflect_action.T
    chance = _MOST_ERRORS * (error + np.abs(reflect) @ error @ np.abs(reflect_action).T)
    largest = np.abs([response, image]).max(axis=(0, 2))[:, None]
    if (np.abs(response - image) > chance + _LEAST_SHARE * largest).any():
        return "it responds to actions otherwise than in its mirror"
    causes = np.column_stack([states, actions])
    correlation = _correlation(changes, causes)
    reflect_causes, _ = _reflection(*state_maps, mirror.action)
    image = reflect @ correlation @ reflect_causes.T
    if (np.abs(correlation - image) > _LEAST_CORRELATION).any():
        return "it moves otherwise than in its mirror"
    return None


def _move(env: gym.Env[Any, Any]) -> tuple[Array, Array, Array, Array]:
    """Return first states, ``(episodes, width)``; states, changes, actions of ``n`` steps."""
    rng = np.random.default_rng(0)
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    starts, steps = [], []
    for seed in range(_EPISODES):
        state = _state(env.reset(seed=seed)[0])
        starts.append(state)
        for _ in range(_STEPS):
            action = rng.uniform(low, high).astype(env.action_space.dtype)
            observation, _, terminated, truncated, _ = env.step(action.copy())
            # Of the state that the step led to: a velocity is there what changed the position.
            following = _state(observation)
            steps.append((following, following - state, action))
            state = following
            if terminated or truncated:
                break
    states, changes, actions = (np.array(column, float) for column in zip(*steps, strict=True))
    return np.array(starts), states, changes, actions


def _state(observation: Mapping[str, NDArray[Any]]) -> Array:
    return np.concatenate([np.asarray(observation[key], float) for key in GOAL_KEYS])


def _reflection(*axis_maps: AxisMap) -> tuple[Array, Array]:
    """Return matrix and shift of the mirror images of vectors one behind the other."""
    widths = [len(axis_map.sign) for axis_map in axis_maps]
    matrix = np.zeros((sum(widths), sum(widths)))
    start = 0
    for axis_map, width in zip(axis_maps, widths, strict=True):
        rows = start + np.arange(width)
        matrix[rows, start + np.array(axis_map.permutation)] = axis_map.sign
        start += width
    return matrix, np.concatenate([axis_map.offset for axis_map in axis_maps])


def _response(changes: Array, actions: Array) -> tuple[Array, Array]:
    """Return the linear response of changes to actions, ``(width, action_dim)``, and its error."""
    inputs = np.column_stack([actions, np.ones(len(actions))])
    weights, *_ = np.linalg.lstsq(inputs, changes, rcond=None)
    rest = (changes - inputs @ weights).std(axis=0)
    error = rest[:, None] / (actions.std(axis=0) * np.sqrt(len(actions)))[None, :]
    return np.asarray(weights[:-1].T), np.asarray(error)


def _correlation(changes: Array, causes: Array) -> Array:
    """Return how each change goes with each cause, in [-1, 1]; 0 for what mostly does not change.

    What moves in few steps, such as a block that is hit, goes with anything by chance.
    """
    regular = np.median(np.abs(changes - np.median(changes, axis=0)), axis=0)
    moving = regular > 0.1 * changes.std(axis=0)
    scores = [
        (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
        for values in (changes * moving, causes)
    ]
    return np.asarray(scores[0].T @ scores[1] / len(causes))
