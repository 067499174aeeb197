"""The table of known environments: what those of others that cannot declare it are like."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from headstart.data.goals import GoalRegions
from headstart.data.layout import StateLayout
from headstart.data.symmetry import Mirror, Reflection


@dataclass(frozen=True)
class Known:
    """What is known of one environment."""

    mirror: Mirror | None = None
    regions: GoalRegions | None = None
    layout: StateLayout | None = None
    camera: Mapping[str, Any] | None = None
    """The camera that shows what matters, in MuJoCo's terms."""


_HARMLESS = {"reward_type", "render_mode", "continuing_task", "reset_target", "width", "height"}
"""Arguments that leave the symmetry as it is."""

# The gripper of every Fetch task starts at this y; model and workspace are symmetric about it.
FETCH_Y = 0.7491
# gripper 0:3, fingers 3:5, gripper velocity 5:8, finger velocities 8:10.
_REACH = Reflection(
    observation=(6,),
    observation_places=(1,),
    observation_pairs=(3, 4, 8, 9),
    goal_places=(1,),
    action=(1,),
    plane=FETCH_Y,
).mirror(10, 3, 4)
# gripper 0:3, object 3:6, object - gripper 6:9, fingers 9:11, object euler angles 11:14, its
# velocity 14:17, its angular velocity 17:20, gripper velocity 20:23, finger velocities 23:25.
# Angles and angular velocities about x and z change sign, those about y do not.
_OBJECT = Reflection(
    observation=(7, 11, 13, 15, 17, 19, 21),
    observation_places=(1, 4),
    observation_pairs=(9, 10, 23, 24),
    goal_places=(1,),
    action=(1,),
    plane=FETCH_Y,
).mirror(25, 3, 4)
# The U lies on its side: position 0:2 and velocity 2:4 are reflected in the x axis.
_U_MAZE = Reflection(observation=(1, 3), goal=(1,), action=(1,)).mirror(4, 2, 2)

# Nearer than the default camera, from which block and goal are a few pixels.
_CLOSE_UP = {
    "distance": 1.45,
    "azimuth": 145.0,
    "elevation": -20.0,
    "lookat": (1.32, 0.75, 0.56),
}

# The table may be moved in x and y; heights are what they are.
# The controller lets the hand come along by two thirds of the 5 cm that an action asks for.
HAND_STEPS = (0.033,) * 3
_REACH_LAYOUT = StateLayout(
    velocities=(5, 6, 7, 8, 9),
    positions=(0,),
    goal_positions=(0,),
    hand=0,
    shift_axes=(0, 1),
    hand_actions=(0, 1, 2),
    hand_steps=HAND_STEPS,
    unused_actions=(3,),
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
    hand_steps=HAND_STEPS,
    unused_actions=(3,),
)
# In the other tasks the gripper is blocked.
_GRASP_LAYOUT = replace(_OBJECT_LAYOUT, gripper_action=3, unused_actions=())
# Walls stand where they are.
_MAZE_LAYOUT = StateLayout(velocities=(2, 3), positions=(0,), goal_positions=(0,), dim=2)

KNOWN: dict[str, Known] = {
    "PointMaze_UMaze": Known(mirror=_U_MAZE, layout=_MAZE_LAYOUT),
    "FetchReach": Known(mirror=_REACH, layout=_REACH_LAYOUT, camera=_CLOSE_UP),
    "FetchPush": Known(mirror=_OBJECT, layout=_OBJECT_LAYOUT, camera=_CLOSE_UP),
    # The puck slides out of a close-up.
    "FetchSlide": Known(mirror=_OBJECT, layout=_OBJECT_LAYOUT),
    # The object rests at z = 0.425; half of the goals lie there, the others up to 0.45 m higher.
    "FetchPickAndPlace": Known(
        mirror=_OBJECT,
        layout=_GRASP_LAYOUT,
        regions=GoalRegions(coordinate=2, threshold=0.4257, above="air", below="table"),
        camera=_CLOSE_UP,
    ),
}


def known(env: gym.Env[Any, Any]) -> Known:
    """Return what is known of an environment that is built as it is upstream.

    Layout and regions are those of one without wrappers, which may change them. A mirror is left
    out of one with other arguments, such as another maze; whether it moves so is open.
    """
    spec = env.spec
    if spec is None or not _is_upstream(spec):
        return Known()
    found = KNOWN.get(_base_name(spec.id), Known())
    if spec.additional_wrappers:
        found = replace(found, layout=None, regions=None)
    usual = gym.registry[spec.id].kwargs if spec.id in gym.registry else {}
    changed = {name for name, value in spec.kwargs.items() if usual.get(name) != value}
    return found if changed <= _HARMLESS else replace(found, mirror=None)


def regions_by_name(env_id: str) -> GoalRegions | None:
    """Return the regions of the environment that a demo file names and does not describe.

    A class of the user's own may have the name of another's: it is new, once it is registered.
    """
    module, _, name = env_id.partition(",")[0].rpartition(":")
    registered = gym.registry.get(name)
    # What a module holds and nothing registers is a class or a function.
    if not _is_upstream(registered) if registered is not None else module:
        return None
    return KNOWN.get(_base_name(env_id), Known()).regions


def _base_name(env_id: str) -> str:
    return task_name(env_id).removesuffix("Dense")


def _is_upstream(spec: EnvSpec) -> bool:
    return str(spec.entry_point).startswith("gymnasium_robotics.")


def task_name(env_id: str) -> str:
    """Return the name of an environment without its module, version and arguments."""
    name = env_id.partition(",")[0].rpartition(":")[2].removesuffix("(...)")
    return re.sub(r"-v\d+$", "", name)
