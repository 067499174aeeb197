"""The part of a demonstration before anything has moved, shown with other goals too.

How one gets to an object mostly does not depend on where it is to go. Of few demonstrations a clone
learns that it does: the hand then stops between the object and the goal (causal confusion; de Haan
et al. 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode

FloatArray = NDArray[np.float32]

_STILL = 0.05
"""Share of the farthest that the achieved goal gets to, below which it has not moved."""
_LEAST = 3
"""Steps of an approach; where what is to move moves at once, it is none."""


def approach_steps(episode: Episode) -> int:
    """Return how many steps an episode has before the achieved goal moves; 0 for less than three.

    It is 0 as well where the achieved goal never moves.
    """
    way = np.linalg.norm(episode.achieved_goals - episode.achieved_goals[0], axis=1)
    moved = way > _STILL * way.max()
    steps = int(np.argmax(moved)) if moved.any() else 0
    return steps if steps >= _LEAST else 0


def approach(episode: Episode) -> Episode | None:
    """Return an episode up to where the achieved goal moves, if there is such a part."""
    steps = approach_steps(episode)
    return episode.first(steps) if steps else None


@dataclass(frozen=True)
class OtherGoals:
    """Goals of other demonstrations for steps before anything has moved.

    Each coordinate comes from one of the demonstrations: ten have a thousand goals in space.
    """

    is_still: NDArray[np.bool_]  # (rows,), by row of the replay
    goals: FloatArray  # (n, goal_dim), of the demonstrations
    share: float = 0.5
    """Of those steps, how many get another goal."""

    @classmethod
    def of(cls, demos: Sequence[Episode], share: float = 0.5) -> "OtherGoals":
        """Return the goals for a replay that these were the first to be added to."""
        still = [np.arange(len(demo) + 1) < approach_steps(demo) for demo in demos]
        goals = np.stack([demo.desired_goals[0] for demo in demos])
        return cls(np.concatenate(still), goals, share)

    def swap(self, row: NDArray[np.integer], goal: FloatArray, rng: np.random.Generator) -> None:
        """Give some of the transitions that start in rows of the replay another goal, in place.

        Args:
            row: ``(n,)``.
            goal: ``(n, goal_dim)``, the goals of the rows.
            rng: the stream to draw from.
        """
        known = row < len(self.is_still)
        still = known & self.is_still[np.where(known, row, 0)]
        swapped = np.flatnonzero(still & (rng.random(len(row)) < self.share))
        shape = (len(swapped), self.goals.shape[1])
        drawn = rng.integers(len(self.goals), size=shape)
        goal[swapped] = self.goals[drawn, np.arange(shape[1])]
