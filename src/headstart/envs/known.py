"""What is known of given environments, as data: symmetries, and named parts of goal spaces."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from headstart.data.layout import StateLayout
from headstart.data.symmetry import AxisMap, Mirror


@dataclass(frozen=True)
class GoalParts:
    """Two named parts of a goal space, told apart by one coordinate."""

    coordinate: int
    threshold: float  # goals above it belong to ``above``
    above: str
    below: str

    def names(self, desired_goals: NDArray[np.float32]) -> list[str]:
        """Return the part that each row of ``desired_goals``, ``(N, goal_dim)``, lies in."""
        high = desired_goals[:, self.coordinate] > self.threshold
        return [self.above if is_high else self.below for is_high in high]


@dataclass(frozen=True)
class Known:
    """What is known of one environment."""

    mirror: Mirror | None = None
    goal_parts: GoalParts | None = None
    layout: StateLayout | None = None
    render_options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of ``gym.make`` that make pictures show what matters."""


_HARMLESS = {"reward_type", "render_mode", "continuing_task", "reset_target", "width", "height"}
"""Arguments that leave the symmetry as it is."""

# The gripper of every Fetch task starts at this y; model and workspace are symmetric about it.
_FETCH_Y = 0.7491


def _reflection(
    size: int, flipped: tuple[int, ...], absolute: tuple[int, ...], swapped: tuple[int, ...] = ()
) -> AxisMap:
    """Negate the ``flipped`` axes, reflect the ``absolute`` ones in ``_FETCH_Y``, swap one pair."""
    permutation = list(range(size))
    for first, second in zip(swapped[::2], swapped[1::2], strict=True):
        permutation[first], permutation[second] = second, first
    sign = [-1.0 if axis in flipped or axis in absolute else 1.0 for axis in range(size)]
    offset = [2 * _FETCH_Y if axis in absolute else 0.0 for axis in range(size)]
    return AxisMap(tuple(permutation), tuple(sign), tuple(offset))


_GOAL = _reflection(3, (), (1,))
_ACTION = _reflection(4, (1,), ())
# gripper 0:3, fingers 3:5, gripper velocity 5:8, finger velocities 8:10.
_REACH = Mirror(_reflection(10, (6,), (1,), (3, 4, 8, 9)), _GOAL, _ACTION)
# gripper 0:3, object 3:6, object - gripper 6:9, fingers 9:11, object euler angles 11:14, its
# velocity 14:17, its angular velocity 17:20, gripper velocity 20:23, finger velocities 23:25.
# Angles and angular velocities about x and z change sign, those about y do not.
_OBJECT = Mirror(
    _reflection(25, (7, 11, 13, 15, 17, 19, 21), (1, 4), (9, 10, 23, 24)), _GOAL, _ACTION
)

_ALONG_X = AxisMap((0, 1), (1.0, -1.0), (0.0, 0.0))
# The U lies on its side: position 0:2 and velocity 2:4 are reflected in the x axis.
_U_MAZE = Mirror(AxisMap((0, 1, 2, 3), (1.0, -1.0, 1.0, -1.0), (0.0,) * 4), _ALONG_X, _ALONG_X)

# Nearer than the default camera, from which block and goal are a few pixels.
_CLOSE_UP = {
    "default_camera_config": {
        "distance": 1.45,
        "azimuth": 145.0,
        "elevation": -20.0,
        "lookat": np.array([1.32, 0.75, 0.56]),
    }
}

# The table may be moved in x and y; heights are what they are.
# The controller lets the hand come along by two thirds of the 5 cm that an action asks for.
_HAND_STEPS = (0.033,) * 3
_REACH_LAYOUT = StateLayout(
    velocities=(5, 6, 7, 8, 9),
    positions=(0,),
    goal_positions=(0,),
    hand=0,
    shift_axes=(0, 1),
    hand_actions=(0, 1, 2),
    hand_steps=_HAND_STEPS,
)
_OBJECT_LAYOUT = StateLayout(
    velocities=tuple(range(14, 25)),
    positions=(0, 3),
    goal_positions=(0,),
    hand=0,
    offsets=(3,),
    angles=(11, 12, 13),
    shift_axes=(0, 1),
    hand_actions=(0, 1, 2),
    hand_steps=_HAND_STEPS,
)
# In the other tasks the gripper is blocked.
_GRASP_LAYOUT = replace(_OBJECT_LAYOUT, gripper_action=3)
# Walls stand where they are.
_MAZE_LAYOUT = StateLayout(velocities=(2, 3), positions=(0,), goal_positions=(0,), dim=2)

KNOWN: dict[str, Known] = {
    "PointMaze_UMaze": Known(mirror=_U_MAZE, layout=_MAZE_LAYOUT),
    "FetchReach": Known(mirror=_REACH, layout=_REACH_LAYOUT, render_options=_CLOSE_UP),
    "FetchPush": Known(mirror=_OBJECT, layout=_OBJECT_LAYOUT, render_options=_CLOSE_UP),
    # The puck slides out of a close-up.
    "FetchSlide": Known(mirror=_OBJECT, layout=_OBJECT_LAYOUT),
    # The object rests at z = 0.425; half of the goals lie there, the others up to 0.45 m higher.
    "FetchPickAndPlace": Known(
        mirror=_OBJECT,
        layout=_GRASP_LAYOUT,
        goal_parts=GoalParts(coordinate=2, threshold=0.4257, above="air", below="table"),
        render_options=_CLOSE_UP,
    ),
}


def known(env_id: str) -> Known:
    """Look an environment up by its id, version and ``Dense`` aside; the empty ``Known`` if new.

    A class of the user's own may have the name of another's: it is new, once it is registered.
    """
    module, _, name = env_id.partition(",")[0].rpartition(":")
    registered = gym.registry.get(name)
    # What a module holds and nothing registers is a class or a function.
    if not _is_upstream(registered) if registered is not None else module:
        return Known()
    return KNOWN.get(task_name(env_id).removesuffix("Dense"), Known())


def known_layout(env: gym.Env[Any, Any]) -> StateLayout | None:
    """Return what is known of the states of an env that is built as it is upstream, unwrapped."""
    spec = env.spec
    if spec is None or not _is_upstream(spec) or spec.additional_wrappers:
        return None
    return known(spec.id).layout


def known_mirror(env: gym.Env[Any, Any]) -> Mirror | None:
    """Return the symmetry of an env that is built as it is upstream; whether it moves so is open.

    A maze may have another map, for instance.
    """
    spec = env.spec
    if spec is None or not _is_upstream(spec):
        return None
    usual = gym.registry[spec.id].kwargs if spec.id in gym.registry else {}
    changed = {name for name, value in spec.kwargs.items() if usual.get(name) != value}
    return known(spec.id).mirror if changed <= _HARMLESS else None


def _is_upstream(spec: EnvSpec) -> bool:
    return str(spec.entry_point).startswith("gymnasium_robotics.")


def task_name(env_id: str) -> str:
    """Return the name of an environment without its module, version and arguments."""
    name = env_id.partition(",")[0].rpartition(":")[2].removesuffix("(...)")
    return re.sub(r"-v\d+$", "", name)
