"""panda-gym: its ids without an import, the end of its episodes, and simulators that remember."""

import importlib
import re
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from headstart.data.layout import StateLayout
from headstart.envs.interface import layers
from headstart.errors import InputError
from headstart.standard_streams import silent_stdout

_MODULE = "panda_gym"
_HAND, _OBJECT = 6, 12
"""Numbers of the hand, before the width between its fingers if these move; and of an object."""
_GRIPPER = 3
_HAND_STEPS = (0.025, 0.042, 0.036)
"""Measured, in steps on end: an action of 1 asks for 5 cm."""
_ID = re.compile(r"Panda(Reach|Slide|Push|PickAndPlace|Stack|Flip)(Joints)?(Dense)?-v3")


def register(env_id: str) -> None:
    """Register the tasks of panda-gym if an id, without arguments, is one of them.

    Raises:
        InputError: if panda-gym is not installed.
    """
    if not _ID.fullmatch(env_id) or env_id in gym.registry:
        return
    try:
        with silent_stdout():
            importlib.import_module(_MODULE)
    except ImportError as error:
        raise InputError(
            f"environment {env_id!r} needs panda-gym: run `pip install 'headstart[panda]'`"
        ) from error


def is_own(env_id: str) -> bool:
    """Return whether an id is one of panda-gym's, and still what panda-gym registers."""
    spec = gym.registry.get(env_id)
    return bool(_ID.fullmatch(env_id)) and (
        spec is None or str(spec.entry_point).startswith(f"{_MODULE}.")
    )


def end_at_goals(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """Return a task of panda-gym with what it lacks; any other environment as it is."""
    is_panda = type(env.unwrapped).__module__.partition(".")[0] == _MODULE
    is_done = any(isinstance(layer, EndsAtGoals) for layer in layers(env))
    return EndsAtGoals(env) if is_panda and not is_done else env


class EndsAtGoals(gym.Wrapper[Any, Any, Any, Any]):
    """Says where goals end episodes of panda-gym, and that no simulator may run two of them.

    Upstream (3.0.7) a success ends an episode and nothing says so of another goal. PyBullet keeps
    contacts that ``reset`` does not set back, so an episode depends on those before it
    (panda-gym issue 94); states that PyBullet saves keep them too.
    """

    rebuild_each_episode = True

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]
        """That of the task, which is built with this wrapper wherever it is built."""
        return self.env.spec

    @property
    def state_layout(self) -> StateLayout | None:
        """What the entries of its states mean, where an action moves the hand."""
        return _layout(self.env.unwrapped)

    def compute_terminated(self, achieved_goal: Any, desired_goal: Any, info: Any) -> Any:
        """Return whether goals are reached, for one or for many."""
        task: Any = self.env.unwrapped
        return task.task.is_success(achieved_goal, desired_goal)


def _layout(env: Any) -> StateLayout | None:
    """Return place, velocity and width of the hand, and twelve numbers of each object."""
    if env.robot.control_type != "ee":
        return None
    spaces = env.observation_space.spaces
    gripper = None if env.robot.block_gripper else _GRIPPER
    first = _HAND if gripper is None else _HAND + 1
    objects = range(first, spaces["observation"].shape[0], _OBJECT)
    goal_dim = spaces["desired_goal"].shape[0]
    is_place = goal_dim == 3 * max(len(objects), 1)
    return StateLayout(
        velocities=(3, 4, 5, *(it + entry for it in objects for entry in range(6, _OBJECT))),
        positions=(0, *objects),
        goal_positions=tuple(range(0, goal_dim, 3)) if is_place else (),
        angles=tuple(it + entry for it in objects for entry in range(3, 6)),
        hand=0,
        shift_axes=(0, 1),
        hand_actions=(0, 1, 2),
        hand_steps=_HAND_STEPS,
        gripper_action=gripper,
    )
