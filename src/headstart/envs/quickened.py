"""Robot tasks of Gymnasium-Robotics without the searches by name that they repeat at every step.

What they return stays the same bits. Environments that are built otherwise are left alone.
"""

import math
import sys
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FETCH = "gymnasium_robotics.envs.fetch.fetch_env"
_NOTHING = np.zeros(0)


def quicken(env: gym.Env[Any, Any]) -> None:
    """Let a robot environment find joints, sites and welds once: two thirds of its own time."""
    robot: Any = env.unwrapped
    names = getattr(getattr(robot, "_model_names", None), "joint_names", ())
    joints = [robot.model.joint(name) for name in names if name.startswith("robot")]
    one_number_each = all(len(joint.qpos0) == 1 for joint in joints)
    if hasattr(getattr(robot, "_utils", None), "robot_get_obs") and joints and one_number_each:
        robot._utils = _Indexed(robot._utils, robot.model, joints)
    fetch = sys.modules.get(_FETCH)
    if fetch is not None and _is_plain_fetch(robot, fetch.MujocoFetchEnv):
        robot.generate_mujoco_observations = _FetchSight(robot, fetch.rotations)


def _is_plain_fetch(robot: Any, plain: Any) -> bool:
    """Return whether a robot observes what the base class of all Fetch tasks does."""
    name = "generate_mujoco_observations"
    return isinstance(robot, plain) and getattr(type(robot), name) is getattr(plain, name)


class _Indexed:
    """Gymnasium-Robotics' ``mujoco_utils`` with some functions replaced, for one model."""

    def __init__(self, utils: Any, model: Any, joints: list[Any]) -> None:
        self._utils = utils
        self._positions = np.array([joint.qposadr[0] for joint in joints])
        self._velocities = np.array([joint.dofadr[0] for joint in joints])
        if model.nmocap == 1:
            self.ctrl_set_action = partial(_set_controls, actuators=_actuators(model))
            self.mocap_set_action = partial(_move_mocap, welded=_welded_bodies(model))

    def robot_get_obs(self, model: Any, data: Any, joint_names: list[str]) -> tuple[Array, Array]:
        """Return positions and velocities of the robot's joints, each ``(num_joints,)``."""
        return data.qpos[self._positions], data.qvel[self._velocities]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._utils, name)


def _actuators(model: Any) -> list[tuple[int, int | None]]:
    """Return the number of each actuator, and of the position that it adds to, if it does."""
    joints = model.jnt_qposadr[model.actuator_trnid[:, 0]].tolist()
    biased = (model.actuator_biastype != 0).tolist()
    pairs = zip(joints, biased, strict=True)
    return [(number, place if adds else None) for number, (place, adds) in enumerate(pairs)]


def _welded_bodies(model: Any) -> list[int]:
    """Return the bodies that are welded to the only mocap body, in the order of the model."""
    import mujoco

    welds = np.flatnonzero(model.eq_type == mujoco.mjtEq.mjEQ_WELD)
    pairs = [(model.eq_obj1id[weld], model.eq_obj2id[weld]) for weld in welds]
    return [int(two if model.body_mocapid[one] != -1 else one) for one, two in pairs]


def _set_controls(
    model: Any, data: Any, action: Array, *, actuators: list[tuple[int, int | None]]
) -> None:
    """Set what drives the joints: what an action holds behind the motion of the mocap body."""
    control, position = data.ctrl, data.qpos
    for number, place in actuators:
        wanted = action[7 + number]
        control[number] = wanted if place is None else position[place] + wanted


def _move_mocap(model: Any, data: Any, action: Array, *, welded: list[int]) -> None:
    """Move the mocap body, from where the body welded to it is, by the first part of an action."""
    position, rotation = data.mocap_pos, data.mocap_quat
    for body in welded:
        position[0], rotation[0] = data.xpos[body], data.xquat[body]
    position += action[:3]
    rotation += action[3:7]


class _FetchSight:
    """What ``MujocoFetchEnv.generate_mujoco_observations`` of Gymnasium-Robotics 1.4.2 returns."""

    def __init__(self, robot: Any, rotations: Any) -> None:
        import mujoco

        model, data = robot.model, robot.data
        self._rotations = rotations
        self._step_time = robot.n_substeps * model.opt.timestep
        self._fingers = partial(
            robot._utils.robot_get_obs, model, data, robot._model_names.joint_names
        )
        self._data = data
        self._grip = model.site("robot0:grip").id
        self._object = model.site("object0").id if robot.has_object else None
        self._shift, self._turn = np.zeros((2, 3, model.nv))
        self._find_jacobian = partial(mujoco.mj_jacSite, model, data)

    def __call__(self) -> tuple[Array, ...]:
        """Return the parts of an observation in their order."""
        data, step_time = self._data, self._step_time
        positions, velocities = self._fingers()
        hand = data.site_xpos[self._grip]
        speeds = data.qvel
        self._find_jacobian(self._shift, None, self._grip)
        hand_velocity = (self._shift @ speeds) * step_time
        fingers, finger_velocities = positions[-2:], velocities[-2:] * step_time
        if self._object is None:
            nothing = _NOTHING
            return (
                hand,
                nothing,
                nothing,
                fingers,
                nothing,
                nothing,
                nothing,
                hand_velocity,
                finger_velocities,
            )
        place = data.site_xpos[self._object]
        self._find_jacobian(self._shift, self._turn, self._object)
        velocity = (self._shift @ speeds) * step_time
        velocity -= hand_velocity
        return (
            hand,
            place,
            place - hand,
            fingers,
            self._euler_angles(data.site_xmat[self._object]),
            velocity,
            (self._turn @ speeds) * step_time,
            hand_velocity,
            finger_velocities,
        )  # fmt: skip

    def _euler_angles(self, rotation: Array) -> Array:
        """Return what ``rotations.mat2euler`` does, by one call of ``arctan2`` instead of five."""
        xx, xy, xz, _, _, yz, _, _, zz = rotation.tolist()
        flat = math.sqrt(zz * zz + yz * yz)
        if flat <= self._rotations._EPS4:
            angles: Array = self._rotations.mat2euler(rotation.reshape(3, 3))
            return angles
        return -np.arctan2([yz, -xz, xy], [zz, flat, xx])
