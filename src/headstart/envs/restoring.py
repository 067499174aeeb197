"""Whether a saved state, once restored, has the future that it had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.envs.interface import GOAL_KEYS, env_name, layers
from headstart.envs.mujoco_state import State
from headstart.envs.randomness import Randomness
from headstart.envs.snapshot import (
    Restorable,
    require_restorable,
    stack_states,
)
from headstart.errors import InputError

_STEPS = 5


@dataclass(frozen=True)
class _Saved:
    """One state of an episode, and where the random generators stood in it."""

    state: State
    randomness: Randomness


@dataclass(frozen=True)
class NotRestored:
    """Why restored states are not what they were when they were saved."""

    reason: str
    is_defect: bool
    """Whether methods that are there to restore them are wrong, not a wrapper or their absence."""


def check_restores(env: gym.Env[Any, Any]) -> None:
    """Try in some steps of ``env`` whether its states are restored.

    Random numbers that steps draw may differ: they are not part of a state.

    Raises:
        InputError: if they cannot be, are not of one width, have another future once restored, or
            keep their own goal where another one is given.
    """
    problem = restoring_problem(env)
    if problem is not None:
        raise InputError(f"{env_name(env)}: {problem.reason}")


def restoring_problem(env: gym.Env[Any, Any]) -> NotRestored | None:
    """Return what is wrong with the restored states of ``env``, if anything is.

    Raises:
        InputError: if nothing restores them.
    """
    env.action_space.seed(0)
    env.reset(seed=0)
    states = require_restorable(env)
    actions = [env.action_space.sample() for _ in range(2 * _STEPS)]
    saved, _ = _futures(env, states, actions)
    try:
        stack_states([one.state for one in saved])
    except ValueError as error:
        return NotRestored(str(error), True)
    if _returns(env, env, actions):
        return _goal_problem(env, actions[0])
    innermost = states if isinstance(states, gym.Env) else env.unwrapped
    around = [*layers(env)]
    for layer in reversed(around[: around.index(innermost) + 1]):
        if not _returns(env, layer, actions):
            return _blame(layer, innermost, owns=layer is states)
    reason = "restored states have now one future and now another: reset does not set back all"
    return NotRestored(reason, False)


def _blame(layer: gym.Env[Any, Any], innermost: gym.Env[Any, Any], *, owns: bool) -> NotRestored:
    """Return what the innermost layer that goes elsewhere lacks.

    Args:
        layer: that layer.
        innermost: the one whose state is restored.
        owns: whether it saves and restores that state itself.
    """
    if layer is not innermost:
        reason = (
            f"the wrapper {type(layer).__name__} keeps a state of its own, which restored states "
            f"lack: give it save_state() and restore_state(state, desired_goal) that add it"
        )
        return NotRestored(reason, False)
    missing = (
        "save_state() must return all that the future depends on"
        if owns
        else "it depends on more than the state of MuJoCo and the goal: give it save_state() and "
        "restore_state(state, desired_goal)"
    )
    reason = (
        f"the same actions lead elsewhere from a restored state than from the one that was saved; "
        f"{missing}"
    )
    return NotRestored(reason, owns)


def _returns(env: gym.Env[Any, Any], layer: gym.Env[Any, Any], actions: Sequence[Any]) -> bool:
    """Return whether the same actions lead to the same from a restored state as from the saved.

    Args:
        env: the environment.
        layer: itself, or what is below some of its wrappers; it is what is stepped.
        actions: what to do, at most; the episode may end before.
    """
    env.reset(seed=0)
    saved, first = _futures(layer, require_restorable(env), actions)
    middle = len(first) // 2
    env.reset(seed=1)
    states = require_restorable(env)
    states.restore_state(saved[middle].state)
    saved[middle].randomness.restore()
    _, again = _futures(layer, states, actions[middle : len(first)])
    return len(first[middle:]) == len(again) and all(map(np.array_equal, first[middle:], again))


def _futures(
    layer: gym.Env[Any, Any], states: Restorable, actions: Sequence[Any]
) -> tuple[list[_Saved], list[NDArray[np.float64]]]:
    """Return the state before each step, and what the step led to, until the episode ends."""
    saved, observed = [], []
    for action in actions:
        state = np.array(states.save_state(), np.float64)
        saved.append(_Saved(state, Randomness(layer)))
        observation, _, terminated, truncated, _ = layer.step(action.copy())
        observed.append(_numbers(observation))
        if terminated or truncated:
            break
    return saved, observed


def _numbers(observation: Any) -> NDArray[np.float64]:
    """Return what a layer observes as one vector; of a goal environment, what training sees."""
    if not isinstance(observation, Mapping):
        return np.ravel(np.asarray(observation, np.float64))
    keys = GOAL_KEYS if set(GOAL_KEYS) <= set(observation) else sorted(observation)
    return np.concatenate([_numbers(observation[key]) for key in keys])


def _goal_problem(env: gym.Env[Any, Any], action: Any) -> NotRestored | None:
    """Return what is wrong if a restored state does not take another goal."""
    env.reset(seed=0)
    state = np.array(require_restorable(env).save_state(), np.float64)
    goal = np.array(env.reset(seed=1)[0]["achieved_goal"])
    # Of the environment as it is now: a reset may build it again.
    states = require_restorable(env)
    states.restore_state(state, goal.copy())
    found = env.step(action.copy())[0]["desired_goal"]
    if np.allclose(found, goal, atol=1e-6):
        return None
    reason = (
        f"restore_state(state, desired_goal) was given the goal {goal[:4]} and the next step shows "
        f"{np.asarray(found)[:4]}; let it take the goal that it is given"
    )
    return NotRestored(reason, isinstance(states, gym.Env))
