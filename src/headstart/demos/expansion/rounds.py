"""Attempts at demonstrations, some at a time, until enough have succeeded."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from headstart.data.episode import Episode
from headstart.demos.expansion.cost import HEADER, ExpansionCost, digest_of
from headstart.demos.expansion.player import Player
from headstart.demos.record import versions
from headstart.demos.storage import DemoSet, task_header
from headstart.envs.goal_env import GoalSpec
from headstart.errors import EpisodeError, InputError
from headstart.rollout.executors import Executor
from headstart.rollout.exploration import MOST_NOISE, Exploration
from headstart.rollout.job import EpisodeJob
from headstart.settings import check_settings, setting
from headstart.text import counted

_GOOD = 0.85
"""Least share of successes of a good source, two successes added."""


@dataclass
class Tally:
    """How often a source was tried, and how often that succeeded."""

    attempts: int = 0
    successes: int = 0


def choose_sources(tallies: Sequence[Tally], count: int) -> list[int]:
    """Return the number of a source for each of ``count`` attempts that are made at once.

    The one with the highest share of successes comes next, a success and a failure added to each;
    what is not known yet counts as failed, so that sources that are equally good take turns.
    """
    asked = [0] * len(tallies)
    chosen = []
    for _ in range(count):
        shares = [
            (tally.successes + 1) / (tally.attempts + more + 2)
            for tally, more in zip(tallies, asked, strict=True)
        ]
        number = shares.index(max(shares))
        asked[number] += 1
        chosen.append(number)
    return chosen


def stick_to_good(tallies: Sequence[Tally], count: int) -> list[int]:
    """Return the number of the first source that is good, or may be, ``count`` times.

    Demonstrations made from one source resemble one another, and are easier to clone.
    """
    chances = [(tally.successes + 2) / (tally.attempts + 2) for tally in tallies]
    good = (number for number, chance in enumerate(chances) if chance >= _GOOD)
    return [next(good, chances.index(max(chances)))] * count


_MOST_EPISODES = 100_000
_ROUND = 16
"""Attempts at once. The choice of sources depends on the rounds before alone, not on who is
quicker."""
_MAX_FAILURES_PER_SUCCESS = 20

_log = logging.getLogger("headstart")


@dataclass(frozen=True, kw_only=True)
class ExpansionPlan:
    """What is to be made, and how."""

    episodes: int = setting(100, at_least=1, at_most=_MOST_EPISODES)
    speed: float = setting(1.0, at_least=0.2, at_most=3.0)
    noise: float = setting(0.0, at_least=0, at_most=MOST_NOISE)
    seed: int = setting(0, at_least=0)
    snapshots: bool = True

    def __post_init__(self) -> None:
        check_settings(self)


class Rounds:
    """Attempts that have not begun.

    Args:
        spec: the environment.
        players: what is played, one of each source.
        plan: what is to be made.
        choose: returns the number of a player for each of as many attempts as asked for.
        on_episode: called with each new demonstration.
    """

    def __init__(
        self,
        spec: GoalSpec,
        players: Sequence[Player],
        plan: ExpansionPlan,
        choose: Callable[[Sequence[Tally], int], list[int]],
        on_episode: Callable[[Episode], None] | None = None,
    ) -> None:
        self._spec, self._players, self._plan = spec, players, plan
        self._choose, self._on_episode = choose, on_episode
        self.tallies = [Tally() for _ in players]
        self.kept: dict[int, Episode] = {}
        """The demonstrations, by the index of their attempt."""
        self.cost = ExpansionCost()

    def run(self, executor: Executor) -> None:
        """Make the demonstrations.

        Raises:
            InputError: if nearly no attempt succeeds.
        """
        while len(self.kept) < self._plan.episodes:
            self._round(executor)

    def _round(self, executor: Executor) -> None:
        """Make some attempts; all of them count, so no more are made than may be kept."""
        first, left = self.cost.attempts, self._plan.episodes - len(self.kept)
        chosen = self._choose(self.tallies, min(_ROUND, left))
        jobs = [self._job(first + place, number) for place, number in enumerate(chosen)]
        for index, number, pending in zip(
            range(first, first + len(chosen)), chosen, executor.submit(jobs), strict=True
        ):
            tally, episode, cost = self.tallies[number], None, ExpansionCost(attempts=1)
            try:
                episode = pending.result()
                cost = cost_of_attempt(episode, kept=episode.success)
            except EpisodeError as error:
                _log.warning("%s; this attempt is dropped", error.reason)
                cost = ExpansionCost(error.env_steps, 0, 1)
            self.cost += cost
            tally.attempts += 1
            if episode is not None and episode.success:
                tally.successes += 1
                self.kept[index] = replace(episode, discarded_steps=0)
                if self._on_episode is not None:
                    self._on_episode(self.kept[index])
            self._check_yield()

    def _job(self, index: int, number: int) -> EpisodeJob:
        return EpisodeJob(
            self._players[number],
            self._plan.seed,
            "expansion",
            index,
            exploration=Exploration(noise=self._plan.noise),
            reward_info_keys=self._spec.reward_info_keys,
            snapshots=self._plan.snapshots,
            record_intended=self._plan.noise > 0.0,
        )

    def _check_yield(self) -> None:
        attempts, kept = self.cost.attempts, len(self.kept)
        if attempts < _MAX_FAILURES_PER_SUCCESS * (kept + 1):
            return
        share = f"only {kept} of {attempts} attempts" if kept else f"no attempt of {attempts}"
        raise InputError(
            f"{share} to expand {counted(len(self._players), 'demonstration')} on "
            f"{self._spec.env_id} succeeded; take other ones, or a slower speed"
        )


def cost_of_attempt(episode: Episode, *, kept: bool) -> ExpansionCost:
    """Return what one attempt has cost, branches included."""
    discarded = episode.discarded_steps
    return ExpansionCost(len(episode) + discarded, discarded, 1, int(kept))


def made_demos(
    spec: GoalSpec,
    rounds: Rounds,
    plan: ExpansionPlan,
    *,
    origin: str | None,
    sources: Sequence[Episode],
    numbers: Sequence[int],
    before: ExpansionCost | None = None,
) -> DemoSet:
    """Return what rounds have made, with a header that says how.

    Args:
        spec: the environment.
        rounds: are over, or were interrupted.
        plan: theirs.
        origin: where the sources come from.
        sources: what the demonstrations were made from.
        numbers: which of the sources each player plays.
        before: what getting the sources has cost.
    """
    cost = rounds.cost + (before or ExpansionCost())
    header = {
        HEADER: {
            **cost.to_json(),
            "speed": plan.speed,
            "origin": origin,
            "sources_sha256": digest_of(sources),
            "sources": [
                {"episode": number, "attempts": tally.attempts, "kept": tally.successes}
                for number, tally in zip(numbers, rounds.tallies, strict=True)
            ],
        },
        "seed": plan.seed,
        "noise": plan.noise,
        "episode_indices": list(rounds.kept),
        "failed_attempts": cost.attempts - cost.kept,
        **task_header(spec),
        "versions": versions(),
    }
    return DemoSet(spec.env_id, tuple(rounds.kept.values()), header)
