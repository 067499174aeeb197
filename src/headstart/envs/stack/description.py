"""What towers of ``n`` blocks declare of themselves: components, layout, mirror image."""

from headstart.data.layout import ComponentLayout, StateLayout
from headstart.data.symmetry import Reflection
from headstart.envs.known import FETCH_Y, HAND_STEPS

HAND_ENTRIES = 10
"""Of an observation: hand 0:3, fingers 3:5, velocity of the hand 5:8, of the fingers 8:10."""
BLOCK_ENTRIES = 15
"""Of each block, behind those: place 0:3, place - hand 3:6, Euler angles 6:9, velocity relative to
that of the hand 9:12, angular velocity 12:15."""


def components(num_blocks: int) -> dict[str, slice]:
    """Return which entries of a goal say where each block belongs, in the order of the tower."""
    return {f"block {number}": slice(3 * number, 3 * number + 3) for number in range(num_blocks)}


def component_layout(num_blocks: int) -> ComponentLayout:
    """Return what belongs to each block, and when it is left alone."""
    # A block is far within its threshold before the next one is taken: errors add up in a tower.
    return ComponentLayout(
        firsts=_block_entries(num_blocks), width=BLOCK_ENTRIES, distances=(0.01, 0.028)
    )


def stack_layout(num_blocks: int) -> StateLayout:
    """Return what the entries of a state mean."""
    blocks = _block_entries(num_blocks)
    moving = [first + entry for first in blocks for entry in range(9, 15)]
    return StateLayout(
        velocities=(*range(5, HAND_ENTRIES), *moving),
        positions=(0, *blocks),
        goal_positions=tuple(range(0, 3 * num_blocks, 3)),
        hand=0,
        offsets=blocks,
        angles=tuple(first + entry for first in blocks for entry in range(6, 9)),
        shift_axes=(0, 1),
        hand_actions=(0, 1, 2),
        hand_steps=HAND_STEPS,
        gripper_action=3,
    )


def stack_mirror(num_blocks: int) -> Reflection:
    """Return the reflection of a task in the plane through the middle of the robot."""
    blocks = _block_entries(num_blocks)
    # Angles and angular velocities about x and z change sign, those about y do not.
    flipped = (first + entry for first in blocks for entry in (4, 6, 8, 10, 12, 14))
    return Reflection(
        observation=(6, *flipped),
        observation_places=(1, *(first + 1 for first in blocks)),
        observation_pairs=(3, 4, 8, 9),
        goal_places=tuple(range(1, 3 * num_blocks, 3)),
        action=(1,),
        plane=FETCH_Y,
    )


def _block_entries(num_blocks: int) -> tuple[int, ...]:
    """Return the first entry of each block in an observation."""
    return tuple(HAND_ENTRIES + BLOCK_ENTRIES * number for number in range(num_blocks))
