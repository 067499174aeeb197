"""Whether goals mislead clones before anything has moved, asked of held-out demonstrations.

Two clones of the same steps are compared: one sees the goal of each, and for the other the goal is
where things are. Where the second foresees the steps of other demonstrations clearly better, what
the first has learned of goals there is chance. Where demonstrators do look at the goal first, as to
push from the right side, it is the other way round.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.agents.ddpg import DDPG
from headstart.agents.device import send_batch
from headstart.data.approach import approach
from headstart.data.episode import Episode
from headstart.data.hindsight import Relabelling
from headstart.data.replay import EpisodeReplay

_UPDATES = 300
_CLEARLY = 0.9
"""Of the error with goals, what the error without them must stay below."""
_FEW = 20
"""Demonstrations of which most are needed to learn from."""


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
    make_agent: Callable[[], DDPG],
    demos: Sequence[Episode],
    relabelling: Relabelling,
    *,
    batch_size: int,
    seed: int,
) -> GoalUse | None:
    """Clone the steps before anything has moved with and without their goals, and compare.

    Args:
        make_agent: makes an untrained agent, always the same one.
        demos: the demonstrations.
        relabelling: what rewards are; goals stay those that the demonstrations were for.
        batch_size: rows of an update.
        seed: of what is drawn.

    Returns:
        The errors; ``None`` where fewer than three demonstrations have such steps.
    """
    starts = [start for demo in demos if (start := approach(demo)) is not None]
    if len(starts) < 3:
        return None
    folds = min(4, len(starts)) if len(starts) <= _FEW else 2
    unchanged = replace(relabelling, fraction=0.0)
    errors = np.zeros(2)
    for fold in range(folds):
        for column, shown in enumerate((starts, [_without_goal(start) for start in starts])):
            agent = make_agent()
            kept = [start for place, start in enumerate(shown) if place % folds != fold]
            replay, rng = EpisodeReplay.from_episodes(kept), np.random.default_rng([seed, fold])
            sampler = unchanged.sampler(replay, rng)
            agent.observe(sampler.sample(replay.num_transitions))
            for _ in range(_UPDATES):
                agent.clone(send_batch(sampler.sample(batch_size), agent.device))
            errors[column] += sum(_error(agent, start) for start in shown[fold::folds])
    seeing, blind = errors / sum(map(len, starts))
    return GoalUse(float(seeing), float(blind))


def _without_goal(start: Episode) -> Episode:
    """Return steps before anything has moved with a goal that says nothing: where things are."""
    return replace(start, desired_goals=np.repeat(start.achieved_goals[:1], len(start), axis=0))


def _error(agent: DDPG, episode: Episode) -> float:
    """Return the summed squared error of the actions of an episode, in half ranges."""
    actions = agent.policy(deployed=False)(
        {
            "observation": episode.observations[:-1],
            "achieved_goal": episode.achieved_goals[:-1],
            "desired_goal": episode.desired_goals,
        }
    )
    half_range = (agent.action_high - agent.action_low).cpu().numpy() / 2
    return float(np.square((actions - episode.actions) / half_range).sum())
