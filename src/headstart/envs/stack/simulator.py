"""Arm, hand and blocks, moved as Gymnasium-Robotics moves those of ``FetchPickAndPlace``.

An action shifts a body to which the hand is welded softly; it never sets joints. Poses that the
controller and the observation read are those of the last substep's beginning, as upstream.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from headstart.envs.stack.model import HALF_BLOCK, stack_model

Array = NDArray[np.float64]

TABLE = 0.4
REST_HEIGHT = TABLE + HALF_BLOCK
"""Of the middle of a block on the table."""
_SUBSTEPS = 20
_REACH = 0.05
"""Metres that a unit of an action asks for."""
_ROTATION = np.array([1.0, 0.0, 1.0, 0.0])
"""What is added to the hand's orientation in every step: it points down."""
_BASE = {"robot0:slide0": 0.405, "robot0:slide1": 0.48, "robot0:slide2": 0.0}
_TO_START = np.array([-0.498, 0.005, -0.231])
"""From where the model's joints leave the hand to where episodes begin."""
_SETTLING = 10
_ASIDE = np.array([1.1, 0.45, REST_HEIGHT])
"""Where blocks lie, one beside the other, while the arm moves to its start."""
_NEARLY_ZERO = 4.0 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Motion:
    """Where something is and how fast it moves, in metres a step."""

    position: Array  # (3,)
    velocity: Array  # (3,)
    rotation: Array  # (3,), Euler angles as those of Fetch
    spin: Array  # (3,), radians a step


class StackSimulator:
    """Fetch before a table with blocks.

    Args:
        num_blocks: how many.
        width: of pictures.
        height: of pictures.

    Attributes:
        start: where the hand is when an episode begins, ``(3,)``.
    """

    def __init__(self, num_blocks: int, width: int, height: int) -> None:
        self.model = stack_model(num_blocks, width, height)
        self.data = mujoco.MjData(self.model)
        self._num_blocks = num_blocks
        self._step_time = _SUBSTEPS * self.model.opt.timestep
        self._hand_body = self.model.body("robot0:gripper_link").id
        self._hand = self.model.site("robot0:grip").id
        joints = [self.model.joint(f"robot0:{side}_gripper_finger_joint") for side in "rl"]
        self._fingers = np.array([joint.qposadr[0] for joint in joints])
        self._finger_speeds = np.array([joint.dofadr[0] for joint in joints])
        self._driven = self.model.jnt_qposadr[self.model.actuator_trnid[:, 0]]
        names = [f"object{number}" for number in range(num_blocks)]
        self._blocks = [self.model.site(name).id for name in names]
        self._block_joints = [self.model.joint(f"{name}:joint").qposadr[0] for name in names]
        self._block_speeds = [self.model.joint(f"{name}:joint").dofadr[0] for name in names]
        self._targets = [self.model.site(f"goal{number}").id for number in range(num_blocks)]
        self._move_to_start()

    def reset(self, blocks: Array) -> None:
        """Put the hand at its start and the middles of the blocks at ``blocks``, ``(n, 3)``."""
        mujoco.mj_resetData(self.model, self.data)
        self.data.time = self._start_time
        self.data.qpos[:], self.data.qvel[:] = self._start_joints, self._start_speeds
        self._put(blocks)
        mujoco.mj_forward(self.model, self.data)

    def step(self, action: Array) -> None:
        """Take an action within its bounds, ``(4,)``: the hand's way, and fingers that open."""
        data = self.data
        data.ctrl[:] = data.qpos[self._driven] + action[3]
        data.mocap_pos[0] = data.xpos[self._hand_body] + _REACH * action[:3]
        data.mocap_quat[0] = data.xquat[self._hand_body] + _ROTATION
        mujoco.mj_step(self.model, data, nstep=_SUBSTEPS)

    def hand(self) -> Motion:
        """Return how the hand moves."""
        return self._motion(self._hand)

    def fingers(self) -> tuple[Array, Array]:
        """Return how far the right and the left finger are open, and what changes it, ``(2,)``."""
        data = self.data
        return data.qpos[self._fingers], data.qvel[self._finger_speeds] * self._step_time

    def blocks(self) -> list[Motion]:
        """Return how each block moves."""
        return [self._motion(site) for site in self._blocks]

    def block_speeds(self) -> Array:
        """Return how fast each block moves, in metres a second, ``(n,)``."""
        speeds = [self.data.qvel[first : first + 3] for first in self._block_speeds]
        return np.asarray(np.linalg.norm(speeds, axis=1))

    def show_targets(self, places: Array) -> None:
        """Draw the targets at ``places``, ``(n, 3)``, in the next picture; nothing else changes."""
        self.data.site_xpos[self._targets] = places

    def _motion(self, site: int) -> Motion:
        shift, turn = np.empty((2, 3, self.model.nv))
        mujoco.mj_jacSite(self.model, self.data, shift, turn, site)
        speeds = self.data.qvel * self._step_time
        rotation = euler_angles(self.data.site_xmat[site].reshape(3, 3))
        return Motion(self.data.site_xpos[site].copy(), shift @ speeds, rotation, turn @ speeds)

    def _put(self, blocks: Array) -> None:
        for first, place in zip(self._block_joints, blocks, strict=True):
            self.data.qpos[first : first + 7] = [*place, 1.0, 0.0, 0.0, 0.0]

    def _move_to_start(self) -> None:
        """Move the arm to where episodes begin, and keep its joints there."""
        model, data = self.model, self.data
        for name, place in _BASE.items():
            data.joint(name).qpos[0] = place
        shift = np.array([0.0, 0.08, 0.0])
        self._put(_ASIDE + shift * np.arange(self._num_blocks)[:, None])
        # Welded bodies are to coincide, whatever the model says of where they were.
        welds = model.eq_type == mujoco.mjtEq.mjEQ_WELD
        model.eq_data[welds, :7] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
        mujoco.mj_forward(model, data)
        data.mocap_pos[0] = data.site_xpos[self._hand] + _TO_START
        data.mocap_quat[0] = _ROTATION
        mujoco.mj_step(model, data, nstep=_SETTLING * _SUBSTEPS)
        self.start = data.site_xpos[self._hand].copy()
        self._start_time = data.time
        self._start_joints, self._start_speeds = data.qpos.copy(), data.qvel.copy()
        for first in self._block_speeds:
            self._start_speeds[first : first + 6] = 0.0


def euler_angles(rotation: Array) -> Array:
    """Return the Euler angles by which Fetch's observations describe a rotation, ``(3, 3)``."""
    flat = np.hypot(rotation[2, 2], rotation[1, 2])
    middle = -np.arctan2(-rotation[0, 2], flat)
    if flat <= _NEARLY_ZERO:
        return np.array([0.0, middle, -np.arctan2(-rotation[1, 0], rotation[1, 1])])
    first = -np.arctan2(rotation[1, 2], rotation[2, 2])
    return np.array([first, middle, -np.arctan2(rotation[0, 1], rotation[0, 0])])
