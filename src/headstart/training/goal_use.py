"""Whether goals mislead clones before anything has moved, asked of held-out demonstrations.

Two clones of the same steps are compared: one sees the goal of each, and for the other the goal is
where things are. Where the second foresees the steps of other demonstrations clearly better, what
the first has learned of goals there is chance. Where demonstrators do look at the goal first, as to
push from the right side, it is the other way round.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.agents.ddpg import DDPG
from headstart.agents.device import send_batch
from headstart.data.approach import approach
from headstart.data.batch import Batch, NumpyBatch
from headstart.data.episode import DEMONSTRATED, Episode

_ROUNDS, _UPDATES = 3, 100
"""Rounds of updates of each clone."""
_CLEARLY = 0.9
"""Of the error with goals, what the error without them must stay below."""
_FEW = 20
"""Demonstrations of which most are needed to learn from."""
_CLEAR = 2.0
"""How many times the other an error must be to decide early, of more demonstrations."""


@dataclass(frozen=True)
class GoalUse:
    """How well clones that see the goal, and that do not, foresee first steps of demonstrations."""

    seeing: float
    """Mean squared error of held-out actions, in half ranges, summed over action dimensions."""
    blind: float

    @property
    def misleads(self) -> bool:
        """Whether clones are clearly better without."""
        return self.blind < _CLEARLY * self.seeing


def compare_goal_use(
    make_agent: Callable[[], DDPG], demos: Sequence[Episode], *, batch_size: int, seed: int
) -> GoalUse | None:
    """Clone the steps before anything has moved with and without their goals, and compare.

    Args:
        make_agent: makes an untrained agent, always the same one.
        demos: the demonstrations.
        batch_size: rows of an update, at most.
        seed: of what is drawn.

    Returns:
        The errors; ``None`` where fewer than three demonstrations have such steps.
    """
    starts = [start for demo in demos if (start := approach(demo)) is not None]
    if len(starts) < 3:
        return None
    folds = min(4, len(starts)) if len(starts) <= _FEW else 2
    clear = _CLEAR if len(starts) > _FEW else np.inf
    errors, num_steps = np.zeros(2), 0
    for fold in range(folds):
        kept = [start for place, start in enumerate(starts) if place % folds != fold]
        clones = _Clones(make_agent, _steps(kept), batch_size, np.random.default_rng([seed, fold]))
        held_out = _steps(starts[fold::folds])
        for _ in range(_ROUNDS):
            clones.learn()
            found = clones.errors(held_out)
            if found.max() > clear * found.min():
                return GoalUse(*(found / len(held_out.seeing)).tolist())
        errors += found
        num_steps += len(held_out.seeing)
    return GoalUse(*(errors / num_steps).tolist())


class _Steps(NamedTuple):
    """The same steps twice: with their goals, and with goals that say nothing."""

    seeing: NumpyBatch
    blind: NumpyBatch


class _Clones:
    """A clone that sees goals and one that does not, of the same steps in the same order."""

    def __init__(
        self,
        make_agent: Callable[[], DDPG],
        steps: _Steps,
        batch_size: int,
        rng: np.random.Generator,
    ) -> None:
        self._agents = make_agent(), make_agent()
        self._steps, self._batch_size, self._rng = steps, batch_size, rng
        for agent, shown in zip(self._agents, steps, strict=True):
            agent.observe(shown)

    def learn(self) -> None:
        """Make a round of updates, with all steps where they are no more than a batch."""
        count = len(self._steps.seeing)
        for _ in range(_UPDATES):
            rows: slice | NDArray[np.int64] = slice(count)
            if count > self._batch_size:
                rows = self._rng.integers(count, size=self._batch_size)
            for agent, shown in zip(self._agents, self._steps, strict=True):
                agent.clone(send_batch(shown.map(itemgetter(rows)), agent.device))

    def errors(self, steps: _Steps) -> NDArray[np.float64]:
        """Return the summed error of each on steps that neither has seen, ``(2,)``."""
        return np.array([_error(*pair) for pair in zip(self._agents, steps, strict=True)])


def _steps(starts: Sequence[Episode]) -> _Steps:
    """Return steps as rows, without rewards, which no clone sees."""
    columns = {
        "observation": [start.observations[:-1] for start in starts],
        "achieved_goal": [start.achieved_goals[:-1] for start in starts],
        "desired_goal": [start.desired_goals for start in starts],
        "action": [start.actions for start in starts],
        "next_observation": [start.observations[1:] for start in starts],
        "next_achieved_goal": [start.achieved_goals[1:] for start in starts],
    }
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    nothing = np.zeros(len(joined["action"]), np.float32)
    seeing = Batch(**joined, reward=nothing, terminated=nothing, source=nothing + DEMONSTRATED)
    # Where things are, at first: that they begin to move says something.
    where = [np.repeat(start.achieved_goals[:1], len(start), axis=0) for start in starts]
    return _Steps(seeing, replace(seeing, desired_goal=np.concatenate(where)))


def _error(agent: DDPG, rows: NumpyBatch) -> float:
    """Return the summed squared error of the actions of some rows, in half ranges."""
    actions = agent.policy(deployed=False)(
        {
            "observation": rows.observation,
            "achieved_goal": rows.achieved_goal,
            "desired_goal": rows.desired_goal,
        }
    )
    half_range = (agent.action_high - agent.action_low).cpu().numpy() / 2
    return float(np.square((actions - rows.action) / half_range).sum())
