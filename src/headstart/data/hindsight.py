"""Hindsight Experience Replay (Andrychowicz et al. 2017): learn from goals that were reached."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headstart.data.approach import OtherGoals
from headstart.data.batch import Batch, NumpyBatch
from headstart.data.replay import EpisodeReplay
from headstart.data.rewards import RewardScale
from headstart.data.strategies import ChosenRows, GoalStrategy, checked, future
from headstart.errors import InputError

FloatArray = NDArray[np.float32]

_REWARD = ("reward", "terminated")


class Reward(Protocol):
    """Reward and termination as functions of goals, for any number of rows."""

    def __call__(
        self, achieved_goal: FloatArray, desired_goal: FloatArray, reward_info: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return ``(reward, terminated)``, each ``(B,)``; ``reward_info`` is ``(B, info_dim)``."""


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
        scale: the units that rewards are given in; the environment's own by default.
        other_goals: which steps get goals of other demonstrations besides.
    """

    def __init__(
        self,
        replay: EpisodeReplay,
        reward: Reward,
        *,
        relabel_fraction: float,
        rng: np.random.Generator,
        strategy: GoalStrategy = future,
        scale: RewardScale | None = None,
        other_goals: OtherGoals | None = None,
    ) -> None:
        if not 0.0 <= relabel_fraction <= 1.0:
            raise ValueError(f"relabel_fraction must lie in [0, 1], got {relabel_fraction}")
        self.replay = replay
        self.reward = reward
        self.relabel_fraction = relabel_fraction
        self.rng = rng
        self.strategy = strategy
        self.scale = scale
        self.other_goals = other_goals

    def sample(self, count: int) -> NumpyBatch:
        """Return ``count`` transitions drawn with replacement."""
        drawn = Drawn.empty(count, self.replay.width)
        self.draw(drawn)
        return self.judge(drawn)

    def draw(self, drawn: "Drawn") -> None:
        """Fill ``drawn`` with random transitions, their goals replaced where that is their lot."""
        replay = self.replay
        row = replay.draw(len(drawn), self.rng)
        replay.fetch(row, out=drawn.before)
        replay.fetch(row + 1, out=drawn.after)
        goal = drawn.before[:, replay.columns["desired_goals"]]
        drawn.same_end[:] = True
        self._relabel(row, goal, drawn)
        if self.other_goals is not None:
            self.other_goals.swap(row, goal, self.rng)

    def _relabel(self, row: NDArray[np.integer], goal: FloatArray, drawn: "Drawn") -> None:
        """Give a share of the rows a goal that was reached, in place."""
        replay = self.replay
        relabelled = np.flatnonzero(self.rng.random(len(drawn)) < self.relabel_fraction)
        if not len(relabelled):
            return
        goals = self.strategy(ChosenRows(replay, row[relabelled]), self.rng)
        goals = checked(goals, (len(relabelled), goal.shape[1]))
        drawn.same_end[relabelled] = False
        ended = relabelled[drawn.before[relabelled, replay.columns["terminated"].start] > 0.0]
        if len(ended):
            # Ended, but not by the goal: by a fall for instance, which ends it whatever the goal.
            achieved = drawn.after[ended, replay.columns["achieved_goals"]]
            info = drawn.before[ended, replay.columns["reward_infos"]]
            _, by_goal = self._rewarded(achieved, goal[ended], info)
            drawn.same_end[ended] = by_goal == 0.0
        goal[relabelled] = goals

    def judge(self, drawn: "Drawn") -> NumpyBatch:
        """Return the drawn transitions with the reward and the end that their goals earn them."""
        before, after, columns = drawn.before, drawn.after, self.replay.columns
        achieved_goals, infos = columns["achieved_goals"], columns["reward_infos"]
        desired_goal = before[:, columns["desired_goals"]]
        next_achieved_goal = after[:, achieved_goals]
        reward, at_goal = self._rewarded(next_achieved_goal, desired_goal, before[:, infos])
        ended = before[:, columns["terminated"].start]
        # Whether a goal ends the episode is asked for stored goals too: by the same function, or a
        # stored and a substitute goal could have two targets for one transition.
        fell = np.where(drawn.same_end & (at_goal == 0.0), ended, np.float32(0.0))
        if self.scale is not None:
            reward = self.scale(reward, at_goal, fell)
        return Batch(
            observation=before[:, columns["observations"]],
            achieved_goal=before[:, achieved_goals],
            desired_goal=desired_goal,
            action=before[:, columns["actions"]],
            reward=reward,
            terminated=np.maximum(at_goal, fell),
            next_observation=after[:, columns["observations"]],
            next_achieved_goal=next_achieved_goal,
            source=before[:, columns["sources"].start],
        )

    def _rewarded(self, achieved_goal: FloatArray, *rows: FloatArray) -> list[FloatArray]:
        """Return reward and terminated as float32."""
        columns = zip(_REWARD, self.reward(achieved_goal, *rows), strict=True)
        return [
            one_number_a_row(column, len(achieved_goal), f"the reward function returned {name}")
            for name, column in columns
        ]


def one_number_a_row(column: ArrayLike, rows: int, answer: str) -> FloatArray:
    """Return how a batch was rewarded as float32, ``(rows,)``.

    Args:
        column: what a reward function answered.
        rows: how many rows it was asked about.
        answer: what returned it, for the error.

    Raises:
        InputError: if it is not one finite number a row.
    """
    numbers = np.asarray(column, np.float32)
    if numbers.shape != (rows,) or not np.isfinite(numbers).all():
        raise InputError(
            f"{answer} of shape {numbers.shape} for {rows} rows, or a number that is not finite; "
            f"it must be one finite number a row"
        )
    return numbers


@dataclass(frozen=True)
class Relabelling:
    """Which rows get a substitute goal, where from, and what they then earn."""

    reward: Reward
    fraction: float
    strategy: GoalStrategy
    scale: RewardScale | None = None

    def sampler(
        self,
        replay: EpisodeReplay,
        rng: np.random.Generator,
        other_goals: OtherGoals | None = None,
    ) -> HindsightSampler:
        """Return a sampler of ``replay`` that relabels so."""
        return HindsightSampler(
            replay,
            self.reward,
            relabel_fraction=self.fraction,
            rng=rng,
            strategy=self.strategy,
            scale=self.scale,
            other_goals=other_goals,
        )


@dataclass(frozen=True)
class Drawn:
    """Transitions on their way into a batch: copies of replay rows, rewards not yet known."""

    before: FloatArray  # (B, width), the rows of the states that the steps start from
    after: FloatArray  # (B, width), the rows of the states that they lead to
    same_end: NDArray[np.bool_]  # (B,), whether the stored ``terminated`` holds for the goal

    @classmethod
    def empty(cls, count: int, width: int) -> "Drawn":
        """Return room for ``count`` transitions."""
        before, after = np.empty((2, count, width), np.float32)
        return cls(before, after, np.empty(count, bool))

    def part(self, start: int, stop: int) -> "Drawn":
        """Return the rows ``[start, stop)``, in the same memory."""
        rows = slice(start, stop)
        return Drawn(self.before[rows], self.after[rows], self.same_end[rows])

    def __len__(self) -> int:
        return len(self.before)
