"""The layout of an environment's states: declared, else known, else detected."""

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.data.layout import StateLayout
from headstart.data.layout_detection import find_velocities
from headstart.envs.interface import env_name
from headstart.envs.known import known_layout
from headstart.envs.probe import Probe
from headstart.envs.task import TaskConfig
from headstart.errors import InputError


def find_layout(env: gym.Env[Any, Any], steps: Probe, task: TaskConfig) -> StateLayout:
    """Return what the entries of a state mean.

    What ``task`` declares counts first, then the attribute ``state_layout`` of the environment,
    then the table of known ones. Of others, velocities that show in some steps are detected.

    Raises:
        InputError: if an entry that is declared does not exist.
    """
    layout = known_layout(env)
    if env.has_wrapper_attr("state_layout"):
        layout = env.get_wrapper_attr("state_layout")
        if not isinstance(layout, StateLayout):
            raise InputError(
                f"{env_name(env)}: the attribute state_layout must be a StateLayout, got {layout!r}"
            )
    elif layout is None:
        after = np.concatenate([steps.observations, steps.achieved_goals], axis=1)
        width = steps.observations.shape[1]
        layout = StateLayout(velocities=find_velocities(steps.before, after, width))
    declared: dict[str, Any] = {
        "velocities": task.velocities,
        "positions": task.positions,
        "goal_positions": task.goal_positions,
        "hand": task.hand,
        "angles": task.angles,
        "shift_axes": task.shift_axes,
    }
    given = {name: value for name, value in declared.items() if value is not None}
    layout = replace(layout, **given)
    _check_entries(env, steps, layout)
    return layout


def _check_entries(env: gym.Env[Any, Any], steps: Probe, layout: StateLayout) -> None:
    widths = {"observation": steps.observations.shape[1], "goal": steps.desired_goals.shape[1]}
    last = layout.dim - 1
    entries = {
        "velocities": (layout.velocities, "observation", 0),
        "angles": (layout.angles, "observation", 0),
        "positions": (layout.positions, "observation", last),
        "offsets": (layout.offsets, "observation", last),
        "goal_positions": (layout.goal_positions, "goal", last),
        "hand": (() if layout.hand is None else (layout.hand,), "observation", last),
        "shift_axes": (layout.shift_axes, "frame", 0),
    }
    widths["frame"] = layout.dim
    for name, (places, of, further) in entries.items():
        for place in places:
            if not 0 <= place < widths[of] - further:
                raise InputError(
                    f"{env_name(env)}: {name} of its layout names entry {place}, and its {of} has "
                    f"{widths[of]} entries"
                )
