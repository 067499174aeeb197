"""Whether the hand goes where the layout says that actions move it."""

import math
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.data.layout import StateLayout
from headstart.envs.interface import reset_env, step_env
from headstart.envs.trial import Trial

_STEPS = 4
_SHARE = 0.5  # of the range of an action, which leaves room before walls
_MOST_OFF = 0.5  # of the length of the way that is expected; a hand needs a step to get going


def find_misdeclared(trial: Trial, layout: StateLayout) -> Iterator[str]:
    """Yield what is wrong with what ``layout`` says of the hand."""
    yield from misdeclared(trial.env, layout)


def misdeclared(env: gym.Env[Any, Any], layout: StateLayout) -> Iterator[str]:
    """Yield the actions that move the hand elsewhere than ``layout`` says, both ways.

    Args:
        env: the environment, in which some steps are taken.
        layout: what is declared.
    """
    for axis, entry in enumerate(layout.hand_actions):
        ways = [_way(env, layout, axis, sign) for sign in (1.0, -1.0)]
        # One way may be barred, by a table for instance.
        if any(_agree(found, expected) for found, expected in ways):
            continue
        found, expected = ways[0]
        unit = np.linalg.norm(expected) / abs(layout.hand_steps[axis])
        yield (
            f"action {entry} is declared to move the hand by {layout.hand_steps[axis]:g} a unit "
            f"and step along axis {axis}, and moves it by {_words(found / unit)}: correct "
            f"hand_actions and hand_steps of its layout"
        )


def _way(
    env: gym.Env[Any, Any], layout: StateLayout, axis: int, sign: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far the hand went, and how far it should, each ``(dim,)``."""
    assert layout.hand is not None
    place = slice(layout.hand, layout.hand + layout.dim)
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    entry = layout.hand_actions[axis]
    action = np.clip(np.zeros_like(low), low, high)
    action[entry] = _SHARE * (high[entry] if sign > 0.0 else low[entry])
    expected = np.zeros(layout.dim)
    start = np.array(reset_env(env, 0)[0]["observation"][place], float)
    for step in range(_STEPS + math.ceil(2 * layout.hand_lag)):
        observation, _, terminated, truncated, _ = step_env(env, action.copy())
        moved = max(step + 1.0 - layout.hand_lag, 0.0)
        expected[axis] = layout.hand_steps[axis] * action[entry] * moved
        if terminated or truncated:
            break
    return np.asarray(observation["observation"][place] - start), expected


def _agree(found: NDArray[np.float64], expected: NDArray[np.float64]) -> bool:
    return bool(np.linalg.norm(found - expected) <= _MOST_OFF * np.linalg.norm(expected))


def _words(way: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{length:.3g}' for length in way)})"
