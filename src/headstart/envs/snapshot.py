"""The state of a simulator as one vector, restored to the bit."""

from collections.abc import Sequence
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.envs.probe import GOAL_KEYS, env_name
from headstart.errors import InputError

State = NDArray[np.float64]

_CHECKED_STEPS = 5


class Restorable(Protocol):
    """What can be put back where it was. An environment may have these two methods itself."""

    def save_state(self) -> State:
        """Return all that the future depends on, actions aside, as ``(state_dim,)`` float64.

        The width is the same in every state. The desired goal is part of it; the time limit, which
        a wrapper counts, is not.
        """

    def restore_state(self, state: State, desired_goal: NDArray[Any] | None = None) -> None:
        """Go back to ``state``, with its own goal or with another one, ``(goal_dim,)``."""


def restorable(env: gym.Env[Any, Any]) -> Restorable | None:
    """Return what saves and restores the state of an env that has been reset; ``None`` if nothing.

    That is the env itself if it has the methods of ``Restorable``, else an adapter for what is
    built like the tasks of Gymnasium-Robotics: attributes ``model`` and ``data`` of MuJoCo, and
    ``goal``.
    """
    inner: Any = env.unwrapped
    if hasattr(inner, "save_state") and hasattr(inner, "restore_state"):
        return inner  # type: ignore[no-any-return]
    if all(hasattr(inner, name) for name in ("model", "data", "goal")):
        return _MujocoTask(inner)
    return None


def require_restorable(env: gym.Env[Any, Any]) -> Restorable:
    """Return what saves and restores the state of an env that has been reset.

    Raises:
        InputError: if nothing does.
    """
    states = restorable(env)
    if states is None:
        raise InputError(
            f"the state of {env_name(env)} cannot be restored: it is no MuJoCo task with `model`, "
            f"`data` and `goal`, and has no methods save_state() and "
            f"restore_state(state, desired_goal)"
        )
    return states


def stack_states(states: Sequence[State]) -> State:
    """Return the states of an episode as rows, ``(T + 1, state_dim)``.

    Raises:
        ValueError: if they are not vectors of one width.
    """
    shapes = [state.shape for state in states]
    for step, shape in enumerate(shapes):
        if shape != shapes[0] or len(shape) != 1:
            raise ValueError(
                f"save_state() returned shape {shapes[0]} at the start and {shape} after step "
                f"{step}; it must return a vector of the same width in every state"
            )
    return np.stack(states)


def check_restores(env: gym.Env[Any, Any]) -> None:
    """Try in some steps of ``env`` whether its states are restored.

    Raises:
        InputError: if they cannot be, are not of one width, or have another future once restored.
    """
    env.action_space.seed(0)
    env.reset(seed=0)
    states = require_restorable(env)
    actions = [env.action_space.sample() for _ in range(2 * _CHECKED_STEPS)]
    saved, first = _futures(env, states, actions)
    try:
        stack_states(saved)
    except ValueError as error:
        raise InputError(f"{env_name(env)}: {error}") from error
    middle = len(first) // 2
    env.reset(seed=1)
    states.restore_state(saved[middle])
    _, again = _futures(env, states, actions[middle : len(first)])
    if not np.array_equal(first[middle:], again):
        raise InputError(
            f"{env_name(env)}: the same actions lead elsewhere from a restored state than from the "
            f"one that was saved; save_state() must return all that the future depends on"
        )


def _futures(
    env: gym.Env[Any, Any], states: Restorable, actions: list[Any]
) -> tuple[list[State], NDArray[np.float64]]:
    """Return the state before each step, and what the step led to, until the episode ends."""
    saved, observed = [], []
    for action in actions:
        saved.append(states.save_state())
        observation, _, terminated, truncated, _ = env.step(action.copy())
        observed.append(np.concatenate([observation[key] for key in GOAL_KEYS]))
        if terminated or truncated:
            break
    return saved, np.stack(observed)


class _MujocoTask:
    """State of a MuJoCo task that keeps its goal in ``goal``."""

    def __init__(self, task: Any) -> None:
        import mujoco

        self._mujoco = mujoco
        self._task = task
        self._what = mujoco.mjtState.mjSTATE_INTEGRATION
        self._size = mujoco.mj_stateSize(task.model, self._what)

    def save_state(self) -> State:
        """Return the integration state, the derived poses of all bodies, and the goal."""
        model, data = self._task.model, self._task.data
        state = np.empty(self._size)
        self._mujoco.mj_getState(model, data, state, self._what)
        return np.concatenate([state, data.xpos.ravel(), data.xquat.ravel(), self._task.goal])

    def restore_state(self, state: State, desired_goal: NDArray[Any] | None = None) -> None:
        """Put all of it back."""
        model, data = self._task.model, self._task.data
        poses = self._size + data.xpos.size
        goal = poses + data.xquat.size
        if state.shape != (goal + len(self._task.goal),):
            raise InputError(
                f"a snapshot holds {len(state)} numbers, a state of this environment "
                f"{goal + len(self._task.goal)}: they were made with another version"
            )
        self._mujoco.mj_setState(model, data, state[: self._size].copy(), self._what)
        self._mujoco.mj_forward(model, data)
        # The controller of Fetch's arm reads poses that are one substep behind the joints; computed
        # anew from the joints, they would let the arm drift by a millimetre in 20 steps.
        data.xpos[:] = state[self._size : poses].reshape(data.xpos.shape)
        data.xquat[:] = state[poses:goal].reshape(data.xquat.shape)
        self._task.goal = np.array(state[goal:] if desired_goal is None else desired_goal, float)
        # The mazes show their goal as a site.
        if hasattr(self._task, "update_target_site_pos"):
            self._task.update_target_site_pos()
