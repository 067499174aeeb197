"""The layout of an environment's states: declared, else known, else detected."""

from dataclasses import replace
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from headstart.data.layout import StateLayout
from headstart.data.layout_detection import find_frame, find_velocities, free_axes
from headstart.envs.interface import env_name, reset_env, widths
from headstart.envs.known import known
from headstart.envs.probe import take_steps
from headstart.envs.task import LAYOUT, TaskConfig
from headstart.envs.task_facts import Origin, attribute, first_of
from headstart.errors import InputError
from headstart.text import counted

Detected = Literal["nothing", "velocities", "frame"]
_EPISODES = (10,) * 6
"""Steps of the episodes in which it is looked for."""


def find_layout(
    env: gym.Env[Any, Any], task: TaskConfig, detect: Detected = "frame"
) -> tuple[StateLayout, Origin | None]:
    """Return what the entries of a state mean, and where that comes from.

    What ``task`` declares counts first, then the attribute ``state_layout`` of the environment,
    then the table of known ones. Of others, what shows in some steps is detected.

    Args:
        env: the environment.
        task: what is declared from outside.
        detect: nothing, velocities alone, or positions in one frame too. No step shows whether
            moving a scene in its frame would change what to do there.

    Raises:
        InputError: if what is declared contradicts itself, or names an entry that does not exist.
    """
    layout, origin = first_of(attribute(env, "state_layout", StateLayout), known(env).layout)
    declared = task.declared_layout()
    if declared and detect == "frame":
        detect = "velocities"  # What is declared and what is found need not go together.
    if layout is None:
        layout = _detect(env, detect)
        origin = None if layout == _nothing(env) else "detected"
    layout = replace(layout, **declared)
    _check_entries(env, layout)
    _check_hand(env, layout)
    return layout, "declared" if declared else origin


def without_frame(layout: StateLayout, goal_dim: int) -> StateLayout:
    """Return the velocities of a layout that was detected, without positions in one frame."""
    return replace(_bare(goal_dim), velocities=layout.velocities)


def declaration(layout: StateLayout) -> list[str]:
    """Return the options of the command line that declare a layout."""
    found = {name: getattr(layout, name) for name in LAYOUT}
    return [
        f"--task.{name.replace('_', '-')} {_words(value)}"
        for name, value in found.items()
        if value not in ((), None)
    ]


def _words(value: int | tuple[float, ...]) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _detect(env: gym.Env[Any, Any], detect: Detected) -> StateLayout:
    """Look at some random steps; what fails in them is reported elsewhere, and nothing is found."""
    if detect == "nothing":
        return _nothing(env)
    width = widths(env)["observation"]
    try:
        steps = take_steps(env, _EPISODES)
        starts = [reset_env(env, seed)[0]["achieved_goal"] for seed in range(len(_EPISODES))]
    except Exception:
        return _nothing(env)
    after = np.concatenate([steps.observations, steps.achieved_goals], axis=1)
    velocities = find_velocities(steps.before, after, width)
    frame = None
    if detect == "frame":
        frame = find_frame(np.concatenate([steps.before, after]), width, velocities)
    if frame is None:
        return replace(_nothing(env), velocities=velocities)
    axes = free_axes(np.stack(starts), frame.dim)
    return replace(frame, velocities=velocities, shift_axes=axes)


def _nothing(env: gym.Env[Any, Any]) -> StateLayout:
    return _bare(widths(env)["goal"])


def _bare(goal_dim: int) -> StateLayout:
    """Return a layout of which a goal's width says alone how wide its positions would be."""
    return StateLayout(dim=2 if goal_dim % 3 and not goal_dim % 2 else 3)


def _check_entries(env: gym.Env[Any, Any], layout: StateLayout) -> None:
    """Refuse a layout that does not fit the environment, or itself."""
    sizes, dim = {**widths(env), "frame": layout.dim}, layout.dim
    hand = () if layout.hand is None else (layout.hand,)
    gripper = () if layout.gripper_action is None else (layout.gripper_action,)
    entries = {
        "velocities": (layout.velocities, "observation", 1),
        "angles": (layout.angles, "observation", 1),
        "positions": (layout.positions, "observation", dim),
        "offsets": (layout.offsets, "observation", dim),
        "goal_positions": (layout.goal_positions, "goal", dim),
        "hand": (hand, "observation", dim),
        "shift_axes": (layout.shift_axes, "frame", 1),
        "hand_actions": (layout.hand_actions, "action", 1),
        "gripper_action": (gripper, "action", 1),
        "unused_actions": (layout.unused_actions, "action", 1),
    }
    for name, (places, of, size) in entries.items():
        for place in places:
            if not 0 <= place <= sizes[of] - size:
                many = f"{size} entries from {place} on" if size > 1 else f"entry {place}"
                raise InputError(
                    f"{env_name(env)}: {name} of its layout names {many}, and its {of} has "
                    f"{counted(sizes[of], 'entry', 'entries')}"
                )
        if len({*places}) < len(places):
            raise InputError(f"{env_name(env)}: {name} of its layout names an entry twice")
    covered = [first + axis for first in layout.positions for axis in range(dim)]
    contradictions = {
        "an entry in two positions": len({*covered}) < len(covered),
        "a velocity in a position": bool({*covered} & {*layout.velocities}),
        "a hand that is none of the positions": not {*hand} <= {*layout.positions},
        "axes of a frame without positions": bool(layout.shift_axes) and not layout.positions,
    }
    for what, holds in contradictions.items():
        if holds:
            raise InputError(f"{env_name(env)}: its layout has {what}")


def _check_hand(env: gym.Env[Any, Any], layout: StateLayout) -> None:
    """Refuse a declaration of the hand that leaves open how it is moved."""
    name, actions, steps = env_name(env), layout.hand_actions, layout.hand_steps
    if not actions and not steps:
        return
    if layout.hand is None:
        raise InputError(f"{name}: hand_actions of its layout need hand, its first position entry")
    if len(actions) != layout.dim or len(set(actions)) != layout.dim:
        raise InputError(
            f"{name}: hand_actions of its layout must name {layout.dim} entries of the action, one "
            f"for each axis, got {_words(actions) or 'none'}"
        )
    if len(steps) != layout.dim or not all(0.0 < abs(step) < np.inf for step in steps):
        raise InputError(
            f"{name}: hand_steps of its layout must say of each of hand_actions how far a unit "
            f"moves the hand in a step, got {_words(steps) or 'none'}"
        )
    if layout.gripper_action in actions:
        raise InputError(
            f"{name}: gripper_action of its layout is one of hand_actions, {layout.gripper_action}"
        )
