"""The layout of an environment's states: declared, else known, else detected."""

from dataclasses import asdict, replace
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.data.layout import StateLayout
from headstart.data.layout_detection import find_frame, find_velocities, free_axes
from headstart.envs.interface import env_name, reset_env
from headstart.envs.known import known_layout
from headstart.envs.probe import take_steps
from headstart.envs.task import TaskConfig
from headstart.errors import InputError

_EPISODES = (10,) * 6
"""Steps of the episodes in which it is looked for."""
_DECLARED = ("velocities", "positions", "goal_positions", "hand", "angles", "shift_axes")


def find_layout(env: gym.Env[Any, Any], task: TaskConfig, *, detect: bool = True) -> StateLayout:
    """Return what the entries of a state mean.

    What ``task`` declares counts first, then the attribute ``state_layout`` of the environment,
    then the table of known ones. Of others, what shows in some steps is detected, if ``detect``.

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
        layout = _detect(env) if detect else _nothing(env)
    given: dict[str, Any] = {
        "velocities": task.velocities,
        "positions": task.positions,
        "goal_positions": task.goal_positions,
        "hand": task.hand,
        "angles": task.angles,
        "shift_axes": task.shift_axes,
    }
    layout = replace(layout, **{name: it for name, it in given.items() if it is not None})
    _check_entries(env, layout)
    return layout


def declaration(layout: StateLayout) -> list[str]:
    """Return the options of the command line that declare a layout."""
    found = {name: value for name, value in asdict(layout).items() if name in _DECLARED}
    return [
        f"--task.{name.replace('_', '-')} {_words(value)}"
        for name, value in found.items()
        if value not in ((), None)
    ]


def _words(value: int | tuple[int, ...]) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _detect(env: gym.Env[Any, Any]) -> StateLayout:
    """Look at some random steps; what fails in them is reported elsewhere, and nothing is found."""
    width = _widths(env)["observation"]
    try:
        steps = take_steps(env, _EPISODES)
        starts = [reset_env(env, seed)[0]["achieved_goal"] for seed in range(len(_EPISODES))]
    except Exception:
        return _nothing(env)
    after = np.concatenate([steps.observations, steps.achieved_goals], axis=1)
    velocities = find_velocities(steps.before, after, width)
    states = np.concatenate([steps.before, after])
    frame = find_frame(states, width, velocities)
    if frame is None:
        return replace(_nothing(env), velocities=velocities)
    axes = free_axes(np.stack(starts), frame.dim)
    return replace(frame, velocities=velocities, shift_axes=axes)


def _nothing(env: gym.Env[Any, Any]) -> StateLayout:
    """Return a layout of which a goal's width says alone how wide its positions would be."""
    width = _widths(env)["goal"]
    return StateLayout(dim=2 if width % 3 and not width % 2 else 3)


def _widths(env: gym.Env[Any, Any]) -> dict[str, int]:
    boxes = env.observation_space
    return {
        "observation": boxes["observation"].shape[0],  # type: ignore[index]
        "goal": boxes["desired_goal"].shape[0],  # type: ignore[index]
    }


def _check_entries(env: gym.Env[Any, Any], layout: StateLayout) -> None:
    widths = {**_widths(env), "frame": layout.dim}
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
    for name, (places, of, further) in entries.items():
        for place in places:
            if not 0 <= place < widths[of] - further:
                raise InputError(
                    f"{env_name(env)}: {name} of its layout names entry {place}, and its {of} has "
                    f"{widths[of]} entries"
                )
