"""The scripted expert of FetchPickAndPlace: approach through a funnel, close, carry.

There are no stages to step through. How far each stage applies is a number in [0, 1], read off the
observation and changing over a few millimetres, so the action is a continuous function of the
observation: a network can clone it, and after noise, a miss or a dropped block the stage that fits
the new state takes over by itself. Lengths are metres.
"""

from collections.abc import Mapping

import numpy as np

from headstart.demos.experts.fetch_reach import Array, rise, servo

# The fingertips reach 19 mm below the gripper position and the block is 25 mm high above its
# centre, so open fingers pass over a standing block from 44 mm on.
HOVER_HEIGHT = 0.06
# The fingers have 25 mm of room on each side of the block; within the inner radius of the funnel
# they come down, beyond the outer one they stay at hover height.
FUNNEL_RADII = (0.02, 0.05)
# This far below the funnel the gripper stops moving sideways and opening, and only rises: fingers
# that come in low push the block away, and fingers that open beside it can shoot it off the table.
CLEAR_LIMITS = (0.006, 0.016)

# The block is between the fingers when its centre is this near to the gripper position.
GRASP_RADIUS = 0.022
GRASP_HEIGHT = 0.015
# Distance between the fingers: 100 mm open, 48 mm on the block, 67 mm on a block held by its edges.
CLOSED_WIDTHS = (0.068, 0.078)


def _approach(block_offset: Array) -> tuple[Array, float]:
    """Return the way to a block at ``block_offset``, ``(3,)``, and how clear of it the gripper is.

    The way, ``(3,)``, leads over the block and then down. Clear is 1 in the funnel, 0 below it.
    """
    distance = float(np.linalg.norm(block_offset[:2]))
    climb = block_offset[2] + HOVER_HEIGHT * rise(distance, FUNNEL_RADII)
    clear = 1.0 - rise(climb, CLEAR_LIMITS)
    return np.append(clear * block_offset[:2], climb), clear


def closedness(width: float) -> float:
    """Return how far fingers ``width`` apart are closed: 1 on a block, 0 if they are open."""
    return 1.0 - rise(width, CLOSED_WIDTHS)


def grasp(block_offset: Array, closed: float) -> float:
    """Return how far the fingers should be closing: 1 on a block between them, 0 away from it."""
    miss = max(
        float(np.linalg.norm(block_offset[:2])) / GRASP_RADIUS,
        abs(float(block_offset[2])) / GRASP_HEIGHT,
    )
    # Closed fingers tolerate twice the miss of open ones, or a block that shifts a little in the
    # grip would be dropped. The width is in the observation, so this hysteresis needs no memory.
    return rise(1.0 + closed - miss, (-0.1, 0.1))


def fetch_pick_and_place(observation: Mapping[str, Array]) -> Array:
    """Fetch the block and hold it at the goal. The action is ``(4,)``."""
    block_offset = observation["observation"][6:9]
    closed = closedness(float(observation["observation"][9:11].sum()))
    way_to_goal = observation["desired_goal"] - observation["achieved_goal"]

    approach, clear = _approach(block_offset)
    closing = grasp(block_offset, closed)
    holding = closing * closed
    # A straight carry will do: a block that slides along the table stays in the grip.
    displacement = (1.0 - holding) * approach + holding * way_to_goal
    return servo(displacement, gripper=(1.0 - closing) * clear - closing)
