"""Which clone is trained on, of clones that see different things of a state.

Less is usually more: a clone that sees velocities continues what the demonstrator did a moment
ago instead of reacting to where things are. But some tasks need them, and which ones no data can
tell: what a clone sees decides where it gets to, so it must be run (de Haan et al. 2019, "Causal
Confusion in Imitation Learning", section 5, intervention by policy execution).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from headstart.agents.ddpg import DDPG, Metrics, Timed
from headstart.agents.start import observe_and_keep
from headstart.data.batch import Batch, NumpyBatch
from headstart.data.episode import Episode
from headstart.policy import Policy
from headstart.rollout.exploration import Exploration

_log = logging.getLogger("headstart")


@dataclass
class Tally:
    """Episodes that one clone has run, and the sum of their scores, each in [0, 1]."""

    episodes: int = 0
    score: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= self.episodes:
            raise ValueError(f"a score of {self.score} in {self.episodes} episodes")

    @property
    def mean(self) -> float:
        """Mean score of an episode; 0 without episodes."""
        return self.score / max(1, self.episodes)


def score(episode: Episode) -> float:
    """Return the share of the last quarter's steps at the goal, 1 for an episode that ended there.

    A few episodes say more by it than by success at the last step, under noise above all.
    """
    if episode.terminated[-1] and episode.success:
        return 1.0
    return float(episode.is_success[-max(1, len(episode) // 4) :].mean())


class Contest:
    """Agents that see different things of a state, until one of them is chosen.

    Args:
        agents: by what their actors see, least first; see ``decide``.
        keeps_actors: whether what is observed leaves what actors do as it is: they start from a
            policy, and not as random networks.
        keeps_clones: the same for what is observed after the first time: actors are cloned by then.
    """

    def __init__(
        self,
        agents: Mapping[str, DDPG],
        *,
        keeps_actors: bool = False,
        keeps_clones: bool = False,
    ) -> None:
        self._names, self._keeps_actors = [*agents], keeps_actors
        self._keeps_clones = keeps_clones
        self.agents = dict(agents)
        """Those that are left, the leader first."""
        self.tallies = {name: Tally() for name in agents}

    @property
    def leading(self) -> str:
        """What the leader sees."""
        return next(iter(self.agents))

    @property
    def leader(self) -> DDPG:
        """The agent that is chosen, or that is the best so far."""
        return self.agents[self.leading]

    @property
    def is_open(self) -> bool:
        """Whether several are left."""
        return len(self.agents) > 1

    def exploration(self, usual: Exploration) -> Exploration:
        """Return how episodes explore: one random action may drop what a good clone holds."""
        return replace(usual, random_action=0.0) if self.is_open else usual

    def lead(self, name: str) -> None:
        """Make one of the agents the leader, which decides nothing yet."""
        self.agents = {name: self.agents[name], **self.agents}

    def clone(self, batches: Sequence[Batch[Tensor]]) -> list[Metrics]:
        """Let every agent learn from each batch by cloning; return what the leader reports.

        Agent by agent: what one of them works with stays in the cache meanwhile.
        """
        metrics = [[agent.clone(batch) for batch in batches] for agent in self.agents.values()]
        return metrics[0]

    def end_cloning(self) -> None:
        """Make each averaged actor the clone."""
        for agent in self.agents.values():
            agent.end_cloning()

    def time_parts(self, timed: Timed) -> None:
        """Time the parts of every agent's updates."""
        for agent in self.agents.values():
            agent.time_parts(timed)

    def observe(self, batch: NumpyBatch) -> None:
        """Count the inputs of a batch into every normaliser."""
        for agent in self.agents.values():
            if self._keeps_actors or (self._keeps_clones and agent.moments.count):
                observe_and_keep(agent, batch)
            else:
                agent.observe(batch)

    def hold_values(self, reward_range: tuple[float, float]) -> None:
        """Clip targets to what rewards in ``reward_range`` allow."""
        for agent in self.agents.values():
            agent.hold_values(reward_range)

    @property
    def standing(self) -> dict[str, Tally]:
        """What is known of the agents that are left, the leader first; see ``keep``."""
        return {name: self.tallies[name] for name in self.agents}

    @property
    def policies(self) -> list[Policy]:
        """Online policies; they run the episodes in turn."""
        return [self.agents[name].policy(deployed=False) for name in self._open]

    @property
    def _open(self) -> list[str]:
        """The names of those that are left, in the order in which they were given."""
        return [name for name in self._names if name in self.agents]

    def count(self, index: int, episode: Episode) -> None:
        """Count the training episode of this index."""
        tally = self.tallies[self._open[index % len(self.agents)]]
        tally.episodes += 1
        tally.score += score(episode)

    def decide(self, *, final: bool) -> bool:
        """Choose one of the agents, the others are dropped; or none yet, where that is doubtful.

        Args:
            final: whether the clones are as good as they will be. Then it is the best, or where
                that is weak the one that sees most of those that do about as well. Otherwise it is
                the first that is good already; or of all that may be as good new tallies are kept.

        Returns:
            Whether one is chosen.
        """
        best = max(self.tallies[name].mean for name in self._open)
        weak = final and best < _GOOD
        share = _ABOUT_AS_GOOD if weak else 1.0 if final else _MAYBE_BEST
        good = [name for name in self._open if self.tallies[name].mean >= share * best]
        sure = len(good) == 1 or self.tallies[good[0]].mean >= _GOOD
        if self.is_open and (final or sure):
            # What weak clones lack is learned from own episodes: more to see does no harm there.
            self._choose(good[-1] if weak else good[0])
        elif self.is_open:
            _log.info(
                "half-made clones ended at their goals in %s of their episodes, which does not "
                "show what the actor is to see: whole ones run more",
                self._means(),
            )
            self.keep({name: Tally() for name in good})
        return not self.is_open

    def _choose(self, chosen: str) -> None:
        _log.info(
            "the actor sees %s (--actor-inputs %s): clones ended at their goals in %s of their "
            "episodes",
            _WORDS[chosen], chosen, self._means(),
        )  # fmt: skip
        self.keep({chosen: self.tallies[chosen]})

    def _means(self) -> str:
        return ", ".join(f"{self.tallies[name].mean:.0%} with {name}" for name in self._open)

    def keep(self, tallies: Mapping[str, Tally]) -> None:
        """Keep the agents of these names alone, with what is known of them."""
        self.agents = {name: self.agents[name] for name in tallies}
        self.tallies = {name: replace(tally) for name, tally in tallies.items()}


_WORDS = {
    "neither": "neither velocities nor absolute positions",
    "no-absolute": "no absolute positions",
    "all": "everything",
}
_GOOD = 0.75
"""Score from which on a clone is good, half-made or whole."""
_ABOUT_AS_GOOD = 0.8
"""Share of the best score that a whole clone as good as the best may reach by chance."""
_MAYBE_BEST = 1 / 3
"""Share of the best score, from seven episodes of half-made clones each: less is usually more."""
