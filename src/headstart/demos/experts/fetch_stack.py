"""The scripted expert of FetchStack: one block after the other, each as in pick-and-place.

As there, how far each stage applies is read off the observation, so there is nothing to remember:
the block to move is the first one that is not placed, one that is placed and still between the
fingers is let go, and what stands in the way is flown over. Lengths are metres.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.demos.experts.fetch_pick_and_place import (
    CLEAR_LIMITS,
    FUNNEL_RADII,
    HOVER_HEIGHT,
    closedness,
    grasp,
)
from headstart.demos.experts.fetch_reach import GAIN, Array, rise, servo
from headstart.demos.experts.fetch_stack_room import Room

HAND_ENTRIES, BLOCK_ENTRIES = 10, 15
# A block is placed within the first distance of its goal; it counts within 40 mm. One that carries
# others is not taken from under them unless it is farther off than the second one.
PLACED, PLACED_BELOW = 0.01, 0.028
# Another block stands on it if it is less than this aside, and this much higher.
ASIDE, LEVEL = 0.03, (0.03, 0.07)
# Middles of blocks are 25 mm below their tops and the fingers reach 19 mm below the gripper
# position, so open fingers pass over a block from 44 mm on, and one in the hand from 50 mm on.
FLY_OVER = 0.062
CARRY_OVER = 0.062
# What is this near to the way is in the way: half a hand and half a block.
IN_THE_WAY = (0.09, 0.13)
# As long as the hand is farther from it than this, it may rise while it comes nearer, by this much
# a metre: along both axes of the table it is faster than upwards.
RISE_DISTANCE, RISE_SLOPE = 0.11, 0.5
# A block comes down on its goal within the first of these distances, and is above others from the
# second one on; it leaves the spot when it has this much left to rise.
LANDING = (0.006, 0.03)
CARRY_CLEAR = (0.004, 0.02)
# At most what the hand can do in a step, so that a share of it is slower.
LONGEST = 1.0 / GAIN
# It is let go a little above what is below.
DROP = 0.003
# The hand leaves a finished tower by this much.
RETREAT = 0.14
# How far a block that does not belong there is held, when nothing but letting it go matters.
STUCK = (0.05, 0.3)
# Fingers that are not to open wide are led to their width: see ``_open``.
WIDTH_GAIN = 0.6
WIDE = 0.098


@dataclass(frozen=True)
class _Scene:
    """What the observation says."""

    hand: Array  # (3,)
    width: float  # between the fingers
    width_change: float  # a step
    blocks: Array  # (n, 3)
    goals: Array  # (n, 3)

    @property
    def closed(self) -> float:
        """How far the fingers are closed, from 0 to 1."""
        return closedness(self.width)

    def others(self, current: int) -> Array:
        """Return the blocks but one, ``(n - 1, 3)``."""
        return np.delete(self.blocks, current, axis=0)


def fetch_stack(observation: Mapping[str, Array]) -> Array:
    """Stack the blocks in order, let go and retreat. The action is ``(4,)``."""
    scene = _read(observation)
    offsets = scene.blocks - scene.hand
    waiting = np.flatnonzero(~_find_placed(scene))
    current = int(waiting[0]) if len(waiting) else None
    held = [grasp(offset, scene.closed) * scene.closed for offset in offsets]
    stuck = max((held[number] for number in range(len(held)) if number != current), default=0.0)
    free = 1.0 - rise(stuck, STUCK)
    if current is None:
        up = scene.goals[:, 2].max() + RETREAT - scene.hand[2]
        return servo(free * np.array([0.0, 0.0, up]), gripper=1.0)
    room = Room.beside(scene.blocks[current], scene.others(current))
    approach, clear = _approach(scene, current, room)
    closing = grasp(offsets[current], scene.closed) * (1.0 - stuck)
    holding = closing * scene.closed
    way = (1.0 - holding) * approach + holding * _carry(scene, current)
    gripper = (1.0 - closing) * clear * _open(scene, room) - closing
    return servo(free * way, gripper=free * gripper + 1.0 - free)


def _read(observation: Mapping[str, Array]) -> _Scene:
    state = observation["observation"]
    return _Scene(
        hand=state[:3],
        width=float(state[3:5].sum()),
        width_change=float(state[8:10].sum()),
        blocks=state[HAND_ENTRIES:].reshape(-1, BLOCK_ENTRIES)[:, :3],
        goals=observation["desired_goal"].reshape(-1, 3),
    )


def _find_placed(scene: _Scene) -> NDArray[np.bool_]:
    """Return which blocks need not be moved, ``(n,)``."""
    ways = scene.blocks[None] - scene.blocks[:, None]
    aside, higher = np.linalg.norm(ways[..., :2], axis=-1), ways[..., 2]
    carries = ((aside < ASIDE) & (higher > LEVEL[0]) & (higher < LEVEL[1])).any(axis=1)
    away = np.linalg.norm(scene.blocks - scene.goals, axis=1)
    return np.asarray(away <= np.where(carries, PLACED_BELOW, PLACED))


def _approach(scene: _Scene, current: int, room: Room) -> tuple[Array, float]:
    """Return the way to a block, ``(3,)``, and how clear of it the hand is.

    The way leads over what is between, over the block, and down into the room beside its
    neighbours.
    """
    block, others = scene.blocks[current], scene.others(current)
    target = block + np.array([0.0, room.shift, 0.0])
    offset = target - scene.hand
    distance = float(np.linalg.norm(offset[:2]))
    over, rest = _obstacles(scene.hand, target, others, FLY_OVER)
    above = HOVER_HEIGHT * rise(distance, FUNNEL_RADII)
    aside = rise(distance, (room.funnel, 2.0 * room.funnel))
    climb = offset[2] + max(above, (over - block[2]) * aside)
    clear = 1.0 - rise(max(offset[2] + above, rest * aside), CLEAR_LIMITS)
    return np.append(clear * _shorten(offset[:2]), climb), clear


def _carry(scene: _Scene, current: int) -> Array:
    """Return the way of a held block to its goal, ``(3,)``: over the others, and down."""
    block, goal = scene.blocks[current], scene.goals[current]
    way = goal - block
    distance = float(np.linalg.norm(way[:2]))
    over, rest = _obstacles(block, goal, scene.others(current), CARRY_OVER)
    outside = rise(distance, LANDING)
    climb = way[2] + DROP + outside * max(over - goal[2], 0.04)
    clear = 1.0 - rise(outside * rest, CARRY_CLEAR)
    return np.append(clear * _shorten(way[:2]), climb)


def _shorten(way: Array) -> Array:
    """Return a way on the table, ``(2,)``, in its direction, no longer than can be gone at once."""
    return way * min(1.0, LONGEST / max(float(np.abs(way).max()), 1e-9))


def _obstacles(start: Array, target: Array, others: Array, above: float) -> tuple[float, float]:
    """Return how high a way leads over what is in it, and how much of that is urgent.

    Args:
        start: of the way, ``(3,)``.
        target: its end, ``(3,)``.
        others: what may be in the way, ``(n, 3)``.
        above: how far above these it leads.
    """
    way = target[:2] - start[:2]
    height, urgent = 0.0, 0.0
    for other in others:
        to_other = other[:2] - start[:2]
        share = np.clip(way @ to_other / max(way @ way, 1e-9), 0.0, 1.0)
        near = 1.0 - rise(float(np.linalg.norm(to_other - share * way)), IN_THE_WAY)
        needed = near * (other[2] + above)
        room = max(float(np.linalg.norm(to_other)) - RISE_DISTANCE, 0.0)
        height = max(height, needed)
        urgent = max(urgent, needed - start[2] - RISE_SLOPE * room)
    return height, urgent


def _open(scene: _Scene, room: Room) -> float:
    """Return the command that opens the fingers: wide, or as wide as there is room.

    A command pushes the fingers off where they are, and they keep moving by about what they have
    moved in the last step.
    """
    width = 2.0 * room.half_width
    wide = rise(width, (WIDE, 0.1))
    led = WIDTH_GAIN * (width - scene.width - scene.width_change)
    return wide + (1.0 - wide) * float(np.clip(led, -1.0, 1.0))
