"""What has become of the blocks in an episode, and so where one fails."""

import numpy as np

from headstart.envs.stack import rewards
from headstart.envs.stack.simulator import REST_HEIGHT, Array

_LIFTED = 0.02
"""How far above the table a block is that was lifted, in metres."""
_IN_HAND = 0.03
"""How far from the hand a block is at most that it holds."""


class Course:
    """Which blocks were lifted, and which were placed, in an episode so far.

    Args:
        num_blocks: how many there are.
    """

    def __init__(self, num_blocks: int) -> None:
        self._lifted, self._was_placed = np.zeros((2, num_blocks), bool)

    def failure(self, blocks: Array, goals: Array, hand: Array) -> str:
        """Count a step, and return what is wrong with the first block that is not placed, if any.

        Args:
            blocks: where each block is, ``(n, 3)``.
            goals: where each one belongs, ``(n, 3)``.
            hand: where the hand is, ``(3,)``.
        """
        placed = rewards.is_placed(blocks.ravel(), goals.ravel())
        self._lifted |= blocks[:, 2] > REST_HEIGHT + _LIFTED
        self._was_placed |= placed
        if placed.all():
            return ""
        first = int(np.argmin(placed))
        if np.linalg.norm(blocks[first] - hand) < _IN_HAND and self._lifted[first]:
            return f"block {first} still held"
        if self._was_placed[first]:
            return f"block {first} knocked over"
        return f"block {first} {'dropped' if self._lifted[first] else 'not grasped'}"
