"""Whether goals are a few steps away: poses of many joints, for instance, each set by an action."""

from typing import Any

import gymnasium as gym
import numpy as np

from headstart.envs.probe import Array, Probe, take_steps

_STEPS, _GOALS = 3, 20
_RULED_OUT = 8.0
"""Goals that are all so many times as far as those steps go are not near, whatever others are."""


def goals_are_near(env: gym.Env[Any, Any], probe: Probe) -> bool:
    """Return whether three random actions on end move what is achieved half as far as goals are.

    Where the probe's few goals do not rule it out, more are asked for, an episode each.

    Raises:
        InputError: as ``take_steps``.
    """
    before, after = _achieved(probe)
    begins = _begins(probe)
    last = np.arange(_STEPS - 1, len(probe))
    last = last[[not begins[row - _STEPS + 2 : row + 1].any() for row in last]]
    if not len(last):
        return False
    moved = np.median(np.linalg.norm(after[last] - before[last - _STEPS + 1], axis=1))
    if _RULED_OUT * moved < _away(probe)[begins].min():
        return False
    away = np.median(_away(take_steps(env, [1] * _GOALS, spare=_GOALS)))
    return bool(moved >= away / 2.0 > 0.0)


def _achieved(probe: Probe) -> tuple[Array, Array]:
    """Return what is achieved before and after each step, ``(n, goal_dim)`` of floats twice."""
    width = probe.achieved_goals.shape[1]
    # Of whole numbers, differences without a sign would wrap around.
    return probe.before[:, -width:].astype(float), probe.achieved_goals.astype(float)


def _begins(probe: Probe) -> Array:
    """Return which steps begin an episode, ``(n,)``: not where the last one ended."""
    before, after = _achieved(probe)
    return np.array([True, *(before[1:] != after[:-1]).any(axis=1)])


def _away(probe: Probe) -> Array:
    """Return how far the goal is before each step, ``(n,)``."""
    before, _ = _achieved(probe)
    return np.asarray(np.linalg.norm(probe.desired_goals.astype(float) - before, axis=1))
