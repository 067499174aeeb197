"""Where hindsight goals come from: HER's strategies (Andrychowicz et al. 2017, section 4.5).

A strategy gets the rows that are to have another goal, and returns one goal for each. The built-in
ones choose a stored state; a strategy of your own may return any goals:

    def towards_the_goal(rows, rng):
        halfway = 0.5 * (rows.achieved_goals + rows.desired_goals)
        return halfway.astype(np.float32)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.data.replay import EpisodeReplay, integers_below

IntArray = NDArray[np.integer]
FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class ChosenRows:
    """``n`` transitions that are to have another goal, and their episodes.

    The state of step ``t`` of an episode of ``T`` steps is ``steps_left = T - t`` rows before the
    final state, and ``steps_taken = t`` rows after the first.
    """

    replay: EpisodeReplay
    row: IntArray  # (n,), where each transition starts

    @property
    def steps_taken(self) -> IntArray:
        """Steps before each transition within its episode, ``(n,)``, from 0."""
        return self.replay.steps_taken(self.row)

    @property
    def steps_left(self) -> IntArray:
        """Steps from each transition's start to its episode's end, ``(n,)``, at least 1."""
        return self.replay.steps_left(self.row)

    @property
    def achieved_goals(self) -> FloatArray:
        """What each transition's first state achieves, ``(n, goal_dim)``."""
        return self.achieved_at(self.row)

    @property
    def desired_goals(self) -> FloatArray:
        """The goals the episodes were run for, ``(n, goal_dim)``."""
        return self.replay.desired_goals[self.row]

    def achieved_at(self, row: IntArray) -> FloatArray:
        """What the states of some rows achieve, as a copy, ``(n, goal_dim)``."""
        return self.replay.achieved_goals[row]


GoalStrategy = Callable[[ChosenRows, np.random.Generator], FloatArray]
"""Chosen rows and the stream to draw from, to one goal a row: float32, ``(n, goal_dim)``."""


def sample_future(row: IntArray, steps_left: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw for each row a later row of its episode, uniformly over the states ``t + 1 .. T``.

    ``row + 1`` is the state that this very step led to.
    """
    return row + 1 + integers_below(steps_left, len(row), rng)


def sample_final(row: IntArray, steps_left: IntArray) -> IntArray:
    """Return for each row the final state ``T`` of its episode."""
    return row + steps_left


def sample_episode(
    row: IntArray, steps_taken: IntArray, steps_left: IntArray, rng: np.random.Generator
) -> IntArray:
    """Draw for each row a row of its episode, earlier or later, uniformly over ``1 .. T``.

    The first state is left out: no step led to it.
    """
    return row - steps_taken + 1 + integers_below(steps_taken + steps_left, len(row), rng)


def own(rows: ChosenRows, rng: np.random.Generator) -> FloatArray:
    """Goals that the episodes were run for: no hindsight."""
    return rows.desired_goals


def future(rows: ChosenRows, rng: np.random.Generator) -> FloatArray:
    """Goals that the same episode achieved later."""
    return rows.achieved_at(sample_future(rows.row, rows.steps_left, rng))


def final(rows: ChosenRows, rng: np.random.Generator) -> FloatArray:
    """The goals that the episodes ended with."""
    return rows.achieved_at(sample_final(rows.row, rows.steps_left))


def episode(rows: ChosenRows, rng: np.random.Generator) -> FloatArray:
    """Goals that the same episode achieved at any step."""
    state = sample_episode(rows.row, rows.steps_taken, rows.steps_left, rng)
    return rows.achieved_at(state)


def random(rows: ChosenRows, rng: np.random.Generator) -> FloatArray:
    """Goals that any stored episode achieved at any step."""
    return rows.achieved_at(rows.replay.draw(len(rows.row), rng) + 1)


@dataclass(frozen=True)
class PreferMoved:
    """Another strategy with a preference for goals for which the object moved.

    A goal that the transition's first state achieves already is rewarded whatever is done, and so
    distinguishes good actions from bad ones least (Luo et al. 2023, relay HER).

    Raises:
        ValueError: if a number is out of range, or the strategy returns goals of a wrong shape.
    """

    strategy: GoalStrategy
    share: float
    """Probability that a row insists on a moved goal."""
    distance: float
    """How far a goal must lie from what the transition's first state achieves."""
    attempts: int = 8
    """How often a goal is drawn again; one that then has not moved is kept."""

    def __post_init__(self) -> None:
        if not (0.0 <= self.share <= 1.0 and self.distance > 0.0 and self.attempts >= 1):
            raise ValueError(
                f"PreferMoved needs a share in [0, 1], a positive distance and attempts, "
                f"got {self.share}, {self.distance}, {self.attempts}"
            )

    def __call__(self, rows: ChosenRows, rng: np.random.Generator) -> FloatArray:
        """Return a goal for each row."""
        achieved = rows.achieved_goals
        goals = checked(self.strategy(rows, rng), achieved.shape).copy()
        insisting = np.flatnonzero(rng.random(len(goals)) < self.share)
        for _ in range(self.attempts):
            offset = goals[insisting] - achieved[insisting]
            insisting = insisting[np.linalg.norm(offset, axis=1) <= self.distance]
            if not len(insisting):
                break
            again = ChosenRows(rows.replay, rows.row[insisting])
            goals[insisting] = checked(self.strategy(again, rng), (len(insisting), goals.shape[1]))
        return goals


def checked(goals: object, shape: tuple[int, ...]) -> FloatArray:
    """Return what a strategy gave, if it is one finite goal a row.

    Raises:
        ValueError: if the shape is another or a number is not finite.
    """
    array = np.asarray(goals, np.float32)
    if array.shape != shape:
        raise ValueError(
            f"the goal strategy returned shape {array.shape} where {shape} was asked for: "
            f"one goal for each chosen row"
        )
    if not np.isfinite(array).all():
        raise ValueError("the goal strategy returned NaN or infinity")
    return array
