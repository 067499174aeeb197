"""Gymnasium-Robotics: registering it quietly, and reading its robots' joints without a search."""

import contextlib
import io
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray


def register() -> None:
    """Register the tasks of Gymnasium-Robotics, once."""
    if "gymnasium_robotics" in sys.modules and "FetchReach-v4" in gym.registry:
        return
    # Importing it prints advice about hand tasks on standard error, at every start.
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import gymnasium_robotics
    gym.register_envs(gymnasium_robotics)


def is_own(env_id: str) -> bool:
    """Return whether Gymnasium-Robotics registers an id, and it is still what it registered."""
    register()
    found = gym.registry.get(env_id)
    if found is None or not is_robotic(found):
        return False
    import gymnasium_robotics

    everything = dict(gym.registry)
    del gym.registry[env_id]
    try:
        with warnings.catch_warnings():
            # Everything else is there already.
            warnings.simplefilter("ignore")
            gymnasium_robotics.register_robotics_envs()
        own = gym.registry.get(env_id)
    finally:
        gym.registry.clear()
        gym.registry.update(everything)
    return own is not None and (own.entry_point, own.kwargs) == (found.entry_point, found.kwargs)


def is_robotic(spec: EnvSpec) -> bool:
    """Return whether Gymnasium-Robotics is to be imported for an environment."""
    return isinstance(spec.entry_point, str) and is_part(spec.entry_point.partition(":")[0])


def is_part(module: str) -> bool:
    """Return whether a module is one of Gymnasium-Robotics."""
    return module.partition(".")[0] == "gymnasium_robotics"


def quicken(env: gym.Env[Any, Any]) -> None:
    """Let a robot environment find its joints once instead of by name at every step.

    ``robot_get_obs`` of Gymnasium-Robotics 1.4.2 takes a quarter of a Fetch step. What it returns
    stays the same bits. Environments that are built otherwise are left alone.
    """
    robot: Any = env.unwrapped
    names = getattr(getattr(robot, "_model_names", None), "joint_names", ())
    joints = [robot.model.joint(name) for name in names if name.startswith("robot")]
    one_number_each = all(len(joint.qpos0) == 1 for joint in joints)
    if hasattr(getattr(robot, "_utils", None), "robot_get_obs") and joints and one_number_each:
        robot._utils = _IndexedJoints(robot._utils, joints)


def aim(env: gym.Env[Any, Any], camera: Mapping[str, Any] | None) -> None:
    """Let an environment of MuJoCo be drawn by a camera, if there is one, from the start on."""
    renderer = getattr(env.unwrapped, "mujoco_renderer", None)
    if camera is not None and renderer is not None:
        # Arrays are copied into MuJoCo's own, tuples are not.
        renderer.default_cam_config = {
            name: np.array(value) if np.ndim(value) else value for name, value in camera.items()
        }


class _IndexedJoints:
    """Gymnasium-Robotics' ``mujoco_utils`` with one function replaced."""

    def __init__(self, utils: Any, joints: list[Any]) -> None:
        self._utils = utils
        self._positions = np.array([joint.qposadr[0] for joint in joints])
        self._velocities = np.array([joint.dofadr[0] for joint in joints])

    def robot_get_obs(
        self, model: Any, data: Any, joint_names: list[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return positions and velocities of the robot's joints, each ``(num_joints,)``."""
        return data.qpos[self._positions], data.qvel[self._velocities]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._utils, name)
