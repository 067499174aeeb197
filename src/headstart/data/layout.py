"""What the entries of states and actions mean, as far as headstart makes use of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from headstart.data.component_inputs import ComponentInputs
from headstart.data.goals import GoalComponent
from headstart.data.inputs import NOTHING, InputMap, Term
from headstart.settings import check_settings, setting

_RESOLVED = (0.5, 0.2)
"""Shares of a distance that is to be resolved; ``tanh`` of as much is nearly straight."""


@dataclass(frozen=True, kw_only=True)
class StateLayout:
    """Velocities, positions and angles among the entries of observation and goal, and the hand.

    Positions are given by their first entries; ``dim`` entries side by side are one position in
    one common frame. Moving the whole scene along ``shift_axes`` changes nothing that matters.
    """

    velocities: tuple[int, ...] = ()
    """Entries of the observation."""
    positions: tuple[int, ...] = ()
    """First entries in the observation."""
    goal_positions: tuple[int, ...] = ()
    """First entries in a goal."""
    hand: int | None = None
    """Which of ``positions`` is the hand's, by its first entry; others are seen from there."""
    offsets: tuple[int, ...] = ()
    """Those of ``positions`` whose offset from the hand the observation holds already."""
    angles: tuple[int, ...] = ()
    """Entries of the observation that are angles in the common frame."""
    shift_axes: tuple[int, ...] = ()
    """Axes of the frame, from 0 on."""
    dim: int = setting(3, at_least=1)
    """Entries of a position."""
    hand_actions: tuple[int, ...] = ()
    """Entries of the action that move the hand, one for each axis of the frame, in order."""
    hand_steps: tuple[float, ...] = ()
    """How far a unit of each of ``hand_actions`` moves the hand in a step, once it moves; negative
    where it moves it backwards. In the units of positions."""
    hand_lag: float = setting(0.0, at_least=0.0)
    """How many steps the hand is behind what was asked of it; it moves on for as many."""
    gripper_action: int | None = None
    """Entry of the action that opens and closes the gripper, if there is one that does."""
    gripper_closes_at: Literal["low", "high"] = "low"
    """The bound of that entry which closes the gripper."""
    unused_actions: tuple[int, ...] = ()
    """Entries of the action that do nothing."""

    def __post_init__(self) -> None:
        check_settings(self, "state_layout.")

    def absolute(self, firsts: tuple[int, ...]) -> set[int]:
        """Return the entries of positions, given by their first ones, along ``shift_axes``."""
        return {first + axis for first in firsts for axis in self.shift_axes}


@dataclass(frozen=True, kw_only=True)
class ComponentLayout:
    """The components of a goal as things to finish one after the other, in their order."""

    firsts: tuple[int, ...] = setting((), at_least=0, resume="fixed")
    """First entry in the observation of what belongs to each component of a goal."""
    width: int = setting(1, at_least=1, resume="fixed")
    """How many entries belong to each."""
    distances: tuple[float, ...] = setting((), above=0, below=math.inf, resume="fixed")
    """How near to its goal a component is finished; and, if a second number follows, how near one
    is that a later one may rest on."""

    def __post_init__(self) -> None:
        check_settings(self, "component_layout.")


def see_components(
    layout: StateLayout,
    parts: ComponentLayout,
    components: Sequence[GoalComponent],
    sizes: tuple[int, int],
    scales: tuple[float, ...],
) -> ComponentInputs:
    """Return what is seen of the current component: no velocities, angles and absolute positions.

    Args:
        layout: what the entries of a state mean.
        parts: what belongs to each component.
        components: these, in their order; each is a position.
        sizes: widths of observation and goal.
        scales: see ``ComponentInputs``; by default two that resolve the distances of ``parts``.
    """
    within = parts.distances[0], parts.distances[-1]
    places = {first + axis for first in layout.positions for axis in range(layout.dim)}
    owned = {first + entry for first in parts.firsts for entry in range(parts.width)}
    seen = {*range(sizes[0])} - {*layout.velocities, *layout.angles, *places}
    return ComponentInputs(
        observation_dim=sizes[0],
        goal_dim=sizes[1],
        dim=layout.dim,
        goals=tuple(it.start for it in components),
        firsts=parts.firsts,
        own=tuple(entry for entry in range(parts.width) if parts.firsts[0] + entry in seen),
        shared=tuple(sorted(seen - owned)),
        hand=layout.hand,
        heights=tuple(axis for axis in range(layout.dim) if axis not in layout.shift_axes),
        distances=within,
        scales=scales or tuple(share / within[0] for share in _RESOLVED),
    )


def choose_inputs(
    layout: StateLayout,
    everything: InputMap,
    *,
    velocities: bool,
    absolute: bool,
    fine_scales: tuple[float, ...] = (),
) -> InputMap:
    """Return what is seen of a state.

    Args:
        layout: what its entries mean.
        everything: the map that leaves nothing out.
        velocities: whether velocities are seen.
        absolute: whether positions along the axes of shifts, and angles, are seen as they are. If
            not, positions are seen from the hand, and goals from what is achieved.
        fine_scales: for each ``k`` of these, ``tanh(k x)`` of each difference of positions ``x`` is
            seen too, which resolves small distances.
    """
    observation_dim, goal_dim = everything.observation_dim, everything.goal_dim
    achieved, desired = observation_dim, observation_dim + goal_dim
    hidden = set() if velocities else set(layout.velocities)
    shown: list[Term] = []
    if not absolute and layout.shift_axes:
        hidden |= layout.absolute(layout.positions) | set(layout.angles)
        goals = layout.absolute(layout.goal_positions)
        hidden |= {desired + entry for entry in goals}
        shown += [(desired + entry, achieved + entry) for entry in sorted(goals)]
        shown += _seen_from_hand(layout, layout.offsets)
    if fine_scales:
        shown += _seen_from_hand(layout, ())
    kept = [term for term in everything.terms if term[0] not in hidden or term[1] != NOTHING]
    terms = tuple(dict.fromkeys((*kept, *shown)))
    return InputMap(terms, observation_dim, goal_dim, fine_scales)


def _seen_from_hand(layout: StateLayout, without: tuple[int, ...]) -> list[Term]:
    """Return the offsets from the hand of all positions but its own and those ``without``."""
    if layout.hand is None:
        return []
    return [
        (first + axis, layout.hand + axis)
        for first in layout.positions
        if first != layout.hand and first not in without
        for axis in range(layout.dim)
    ]
