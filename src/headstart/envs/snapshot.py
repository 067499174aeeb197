"""The state of a simulator as one vector, restored to the bit, and whether it was lost."""

import inspect
import sys
from collections.abc import Sequence
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.envs.interface import env_name, layers
from headstart.envs.mujoco_state import MujocoState, State
from headstart.errors import InputError

_BAD_STATES = ("BADQPOS", "BADQVEL", "BADQACC", "BADCTRL")


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

    That is the env itself, or the outermost of its wrappers, that has the methods of
    ``Restorable``; else an adapter for what is built like the tasks of Gymnasium-Robotics:
    attributes ``model`` and ``data`` of MuJoCo, and ``goal``.
    """
    owner = _owner(env)
    if owner is not None and not _other_meaning(owner):
        return owner  # type: ignore[no-any-return]
    return _MujocoTask(env.unwrapped) if _is_mujoco_task(env.unwrapped) else None


def require_restorable(env: gym.Env[Any, Any]) -> Restorable:
    """Return what saves and restores the state of an env that has been reset.

    Raises:
        InputError: if nothing does.
    """
    states = restorable(env)
    if states is None:
        raise InputError(f"the state of {env_name(env)} cannot be restored: {why_not(env)}")
    return states


def why_not(env: gym.Env[Any, Any]) -> str:
    """Return why ``restorable`` finds nothing that restores the state of an env."""
    owner = _owner(env)
    if owner is None:
        return (
            "it lacks the methods save_state() and restore_state(state, desired_goal), and is not "
            "a MuJoCo task with `model`, `data` and `goal`"
        )
    return (
        f"{_other_meaning(owner)}, so its methods of these names are not those of headstart: "
        f"save_state() returns a vector of numbers, restore_state(state, desired_goal) takes it"
    )


def _owner(env: gym.Env[Any, Any]) -> Any:
    """Return the outermost layer of an env that has methods of the two names, or ``None``."""
    for layer in layers(env):
        if all(callable(getattr(layer, name, None)) for name in ("save_state", "restore_state")):
            return layer
    return None


def _other_meaning(owner: Any) -> str:
    """Return what shows that the two methods are not those of ``Restorable``; "" if nothing does.

    panda-gym's, for instance, return and take the number of a state that the simulator keeps.
    """
    for method, arguments in (("save_state", ()), ("restore_state", (None, None))):
        try:
            signature = inspect.signature(getattr(owner, method))
        except (TypeError, ValueError):  # Compiled ones do not always have one.
            continue
        try:
            signature.bind(*arguments)
        except TypeError:
            return f"{method}({', '.join(signature.parameters)}) takes other arguments"
    try:
        state = owner.save_state()
        array = np.asarray(state)
    except Exception as error:
        return f"save_state() fails ({type(error).__name__})"
    if array.ndim != 1 or not array.size or array.dtype.kind not in "fiub":
        return f"save_state() returns {type(state).__name__}, not a vector of numbers"
    return ""


def _is_mujoco_task(task: Any) -> bool:
    # An environment with a model of MuJoCo has imported it.
    mujoco = sys.modules.get("mujoco")
    model, data, goal = (getattr(task, name, None) for name in ("model", "data", "goal"))
    return (
        mujoco is not None
        and isinstance(model, mujoco.MjModel)
        and isinstance(data, mujoco.MjData)
        and np.asarray(goal).ndim == 1
    )


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


def simulator_trouble(env: gym.Env[Any, Any]) -> str | None:
    """Return what went wrong in the simulator since the last reset, if anything did.

    MuJoCo meets a number that is not finite, or is huge, with a line on standard error and a reset
    of its own in the middle of a step: what it returns from there on is finite and false.
    """
    warnings = getattr(getattr(env.unwrapped, "data", None), "warning", None)
    if warnings is None:
        return None
    import mujoco

    for name in _BAD_STATES:
        if warnings[getattr(mujoco.mjtWarning, f"mjWARN_{name}")].number:
            return f"MuJoCo lost its state ({name}) and reset itself within a step"
    return None


class _MujocoTask:
    """State of a MuJoCo task that keeps its goal in ``goal``."""

    def __init__(self, task: Any) -> None:
        data = task.data
        self._task = task
        self._state = MujocoState(task.model, data, poses=(data.xpos, data.xquat))

    def save_state(self) -> State:
        """Return the integration state, the derived poses of all bodies, and the goal."""
        return self._state.save(self._task.goal)

    def restore_state(self, state: State, desired_goal: NDArray[Any] | None = None) -> None:
        """Put all of it back."""
        (goal,) = self._state.restore(state, len(self._task.goal))
        self._task.goal = goal if desired_goal is None else np.array(desired_goal, float)
        # The mazes show their goal as a site.
        if hasattr(self._task, "update_target_site_pos"):
            self._task.update_target_site_pos()
