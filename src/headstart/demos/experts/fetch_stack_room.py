"""Where a hand with open fingers fits in beside the neighbours of a block.

The fingers open along y. Lengths are metres.
"""

from dataclasses import dataclass

import numpy as np

from headstart.demos.experts.fetch_reach import Array, rise

HALF_BLOCK, HALF_WIDTH = 0.025, 0.05
# Fingers are 14 mm thick, and 27 mm wide along x.
FINGER = 0.014
BESIDE_FINGERS = (0.042, 0.05)
# From 52 mm above the gripper position on there is the palm, 126 mm by 80 mm.
HALF_PALM = 0.063
BESIDE_PALM = (0.068, 0.076)
PALM_HEIGHTS = (0.015, 0.025)
# Blocks above or below the one that is taken are not beside it.
BESIDE = (0.045, 0.055)
# The hand comes down within the funnel, which is as narrow as the room that is left.
WIDEST, NARROWEST = 0.02, 0.004
LEAST_WIDTH = 0.036
# Farther from its middle, a block is not taken for one between the fingers.
MOST_SHIFT = 0.015
FAR = 1.0


@dataclass(frozen=True)
class Room:
    """Where and how the hand comes down on a block."""

    shift: float  # of the middle of the hand from that of the block, along y
    half_width: float  # how far each finger is open
    funnel: float  # how far the hand may be beside where it belongs

    @classmethod
    def beside(cls, block: Array, others: Array) -> "Room":
        """Return the room at a block, ``(3,)``, that others, ``(n, 3)``, leave."""
        fingers, palm = {1: FAR, -1: FAR}, {1: FAR, -1: FAR}
        for other in others - block:
            away, side = abs(float(other[1])), 1 if other[1] > 0.0 else -1
            aside, beside = abs(float(other[0])), rise(away, BESIDE)
            near = beside * (1.0 - rise(aside, BESIDE_FINGERS))
            gap = away - HALF_BLOCK - NARROWEST
            fingers[side] = min(fingers[side], _fade(gap - FINGER, near))
            high = beside * rise(float(other[2]), PALM_HEIGHTS)
            near = high * (1.0 - rise(aside, BESIDE_PALM))
            palm[side] = min(palm[side], _fade(gap - HALF_PALM, near))
        half = min(HALF_WIDTH, (fingers[1] + fingers[-1]) / 2.0)
        shift = float(np.clip(0.0, half - fingers[-1], fingers[1] - half))
        shift = float(np.clip(min(max(shift, -palm[-1]), palm[1]), -MOST_SHIFT, MOST_SHIFT))
        left = min(fingers[1] - shift, fingers[-1] + shift)
        half = max(min(half, left), LEAST_WIDTH)
        spare = min(left - half, palm[1] - shift, palm[-1] + shift)
        return cls(shift, half, float(np.clip(NARROWEST + spare, NARROWEST, WIDEST)))


def _fade(gap: float, near: float) -> float:
    """Return a gap, or nearly no limit where it is not near."""
    return near * gap + (1.0 - near) * FAR
