"""Hindsight Experience Replay (Andrychowicz et al. 2017): learn from goals that were reached."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.data.batch import Batch, NumpyBatch
from headstart.data.replay import EpisodeReplay
from headstart.data.strategies import ChosenRows, GoalStrategy, checked, future

FloatArray = NDArray[np.float32]


class Reward(Protocol):
    """Reward and termination as functions of goals, for any number of rows."""

    def __call__(
        self, achieved_goal: FloatArray, desired_goal: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return ``(reward, terminated)``, each ``(B,)``."""


class Sampler(Protocol):
    """Anything that yields batches of a chosen size."""

    def sample(self, count: int) -> NumpyBatch:
        """Return ``count`` transitions."""


class HindsightSampler:
    """Uniform transitions of a replay, a share of them with a goal that was reached.

    Relabelling works on copies, and reward and termination are recomputed for every row, relabelled
    or not, from the goal it ends up with.

    Args:
        replay: the episodes to draw from.
        reward: reward and termination of the environment.
        relabel_fraction: probability of a substitute goal, row by row; 0.8 is "k = 4".
        rng: the stream that every draw comes from.
        strategy: where substitute goals come from; see ``headstart.data.strategies``.
        is_demo: whether the rows count as demonstrations.
    """

    def __init__(
        self,
        replay: EpisodeReplay,
        reward: Reward,
        *,
        relabel_fraction: float,
        rng: np.random.Generator,
        strategy: GoalStrategy = future,
        is_demo: bool = False,
    ) -> None:
        if not 0.0 <= relabel_fraction <= 1.0:
            raise ValueError(f"relabel_fraction must lie in [0, 1], got {relabel_fraction}")
        self.replay = replay
        self.reward = reward
        self.relabel_fraction = relabel_fraction
        self.rng = rng
        self.strategy = strategy
        self.is_demo = is_demo

    def sample(self, count: int) -> NumpyBatch:
        """Return ``count`` transitions drawn with replacement."""
        replay = self.replay
        row = replay.draw(count, self.rng)
        relabelled = np.flatnonzero(self.rng.random(count) < self.relabel_fraction)
        origin = row[relabelled]
        goals = self.strategy(ChosenRows(replay, origin), self.rng)
        desired_goal = replay.desired_goals.take(row, axis=0)
        desired_goal[relabelled] = checked(goals, desired_goal[relabelled])
        next_achieved_goal = replay.achieved_goals.take(row + 1, axis=0)
        reward, terminated = self.reward(next_achieved_goal, desired_goal)
        # The env itself said how the rows that kept their goal ended.
        unchanged = np.ones(count, bool)
        unchanged[relabelled] = False
        terminated = np.where(unchanged, replay.terminated[row], terminated)
        return Batch(
            observation=replay.observations.take(row, axis=0),
            achieved_goal=replay.achieved_goals.take(row, axis=0),
            desired_goal=desired_goal,
            action=replay.actions.take(row, axis=0),
            reward=reward,
            terminated=terminated,
            next_observation=replay.observations.take(row + 1, axis=0),
            next_achieved_goal=next_achieved_goal,
            is_demo=np.full(count, self.is_demo, np.float32),
        )
