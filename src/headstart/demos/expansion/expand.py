"""Making new demonstrations from old ones, in new scenes, each verified in the simulator."""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym

from headstart.data.episode import Episode
from headstart.demos.expansion.cost import HEADER, ExpansionCost, digest_of
from headstart.demos.expansion.player import Player
from headstart.demos.expansion.skill import Skill, UnusableError, read_skill
from headstart.demos.expansion.workspace import Workspace
from headstart.demos.opening import Demos, list_demos
from headstart.demos.reading import read_demos
from headstart.demos.record import CollectingInterrupted, versions
from headstart.demos.storage import DemoSet, load_demos, task_header
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.looks.hand import misdeclared
from headstart.envs.make import env_source, make_env
from headstart.envs.names import is_at_hand
from headstart.envs.restoring import restoring_problem
from headstart.envs.snapshot import restorable
from headstart.envs.source import EnvLike
from headstart.envs.task import TaskConfig
from headstart.errors import EpisodeError, InputError
from headstart.rollout.executors import Executor, open_executor
from headstart.rollout.job import EpisodeJob
from headstart.settings import check_settings, setting
from headstart.text import counted, printable

_ROUND = 16
"""Attempts at once. The choice of sources depends on the rounds before alone, not on who is
quicker."""
_MAX_FAILURES_PER_SUCCESS = 20

_log = logging.getLogger("headstart")


@dataclass(frozen=True, kw_only=True)
class ExpansionPlan:
    """What is to be made, and how."""

    episodes: int = setting(100, at_least=1)
    speed: float = setting(1.0, at_least=0.2, at_most=3.0)
    seed: int = setting(0, at_least=0)
    snapshots: bool = True

    def __post_init__(self) -> None:
        check_settings(self)


def expand_demos(
    demos: Demos,
    env: EnvLike | None = None,
    *,
    episodes: int = 100,
    env_kwargs: Mapping[str, Any] | None = None,
    speed: float = 1.0,
    seed: int = 0,
    collectors: int = 0,
    executor: Executor | None = None,
    snapshots: bool = True,
    task: TaskConfig | None = None,
    on_episode: Callable[[Episode], None] | None = None,
) -> DemoSet:
    """Make new demonstrations from one or more, in new scenes, each verified in the simulator.

    The hand repeats its way relative to the object that it takes, and relative to the goal where it
    leaves it: closed loop, by distance and not by clock. Attempts that do not end in success are
    dropped. Where the environment restores states, a move that fails is tried again from its
    beginning. All env steps count; the header says how many there were.

    Args:
        demos: the sources: demonstrations, or files of any kind that ``read_demos`` reads.
        env: their environment, all that ``make_env`` takes; the one that they name by default.
        episodes: how many to make.
        env_kwargs: arguments of the environment, besides those that follow an id.
        speed: how fast the hand moves, in [0.2, 3]; 1 is nine tenths of its pace between objects.
        seed: root of the episodes' seeds. The result depends on it, and not on ``collectors``.
        collectors: processes that run the attempts; 0 runs them here.
        executor: runs the attempts in place of collectors, and stays open.
        snapshots: keep the simulator's state at every step, where the environment has one to keep.
        task: what is declared of the environment from outside, such as its hand.
        on_episode: called with each new demonstration.

    Returns:
        The new demonstrations; the sources are not among them.

    Raises:
        InputError: if nothing is declared about the hand, no source can be expanded, or nearly no
            attempt succeeds.
        CollectingInterrupted: if Ctrl-C comes after the first new demonstration; it holds them.
    """
    plan = ExpansionPlan(episodes=episodes, speed=speed, seed=seed, snapshots=snapshots)
    source = env_source(_env_of(demos) if env is None else env, env_kwargs)
    task = task or TaskConfig(unexplained_reward="ignore")
    with contextlib.closing(make_env(source)) as own:
        spec = GoalSpec.from_env(own, task, name=source.name, detect="frame")
        sources = read_demos(demos, spec, GoalReward(own, spec))
        expansion = Expansion(own, spec, sources, plan, on_episode)
    with open_executor(source, collectors, executor) as runner:
        return expansion.run(runner)


class Expansion:
    """An expansion that has not begun.

    Args:
        env: the environment, to try whether the hand moves as declared and states are restored.
        spec: what is known of it, its layout included.
        sources: demonstrations of it.
        plan: what is to be made.
        on_episode: called with each new demonstration.

    Raises:
        InputError: if nothing, or something wrong, is declared about the hand, or no source can be
            expanded.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        spec: GoalSpec,
        sources: DemoSet,
        plan: ExpansionPlan,
        on_episode: Callable[[Episode], None] | None = None,
    ) -> None:
        self._spec, self._plan, self._on_episode = spec, plan, on_episode
        workspace = Workspace.of(spec)
        for problem in misdeclared(env, spec.layout):
            raise InputError(f"{spec.env_id}: {problem}")
        self._numbers, skills = _skills(sources, workspace)
        env.reset(seed=0)
        restores = restorable(env) is not None and restoring_problem(env) is None
        self._players = [Player(skill, workspace, plan.speed, restores) for skill in skills]
        self._tallies = [Tally() for _ in skills]
        self._kept: dict[int, Episode] = {}
        self._cost = ExpansionCost()
        self._source = sources

    def run(self, executor: Executor) -> DemoSet:
        """Make the demonstrations.

        Raises:
            InputError: if nearly no attempt succeeds.
            CollectingInterrupted: if Ctrl-C comes after the first one.
        """
        try:
            while len(self._kept) < self._plan.episodes:
                self._round(executor)
        except KeyboardInterrupt:
            if not self._kept:
                raise
            raise CollectingInterrupted(self._demos()) from None
        return self._demos()

    def _round(self, executor: Executor) -> None:
        """Make some attempts; all of them count, so no more are made than may be kept."""
        first, left = self._cost.attempts, self._plan.episodes - len(self._kept)
        chosen = choose_sources(self._tallies, min(_ROUND, left))
        jobs = [self._job(first + place, number) for place, number in enumerate(chosen)]
        for index, number, pending in zip(
            range(first, first + len(chosen)), chosen, executor.submit(jobs), strict=True
        ):
            tally, episode, cost = self._tallies[number], None, ExpansionCost(attempts=1)
            try:
                episode = pending.result()
                taken = len(episode) + episode.discarded_steps
                cost = ExpansionCost(taken, episode.discarded_steps, 1, int(episode.success))
            except EpisodeError as error:
                _log.warning("%s; this attempt is dropped", error.reason)
                cost = ExpansionCost(error.env_steps, 0, 1)
            self._cost += cost
            tally.attempts += 1
            if episode is not None and episode.success:
                tally.successes += 1
                self._kept[index] = replace(episode, discarded_steps=0)
                if self._on_episode is not None:
                    self._on_episode(self._kept[index])
            self._check_yield()

    def _job(self, index: int, number: int) -> EpisodeJob:
        return EpisodeJob(
            self._players[number],
            self._plan.seed,
            "expansion",
            index,
            reward_info_keys=self._spec.reward_info_keys,
            snapshots=self._plan.snapshots,
        )

    def _check_yield(self) -> None:
        attempts, kept = self._cost.attempts, len(self._kept)
        if attempts < _MAX_FAILURES_PER_SUCCESS * (kept + 1):
            return
        share = f"only {kept} of {attempts} attempts" if kept else f"no attempt of {attempts}"
        raise InputError(
            f"{share} to expand {counted(len(self._players), 'demonstration')} on "
            f"{self._spec.env_id} succeeded; take other ones, or a slower speed"
        )

    def _demos(self) -> DemoSet:
        sources = [
            {"episode": number, "attempts": tally.attempts, "kept": tally.successes}
            for number, tally in zip(self._numbers, self._tallies, strict=True)
        ]
        origin = self._source.header.get("expert") or self._source.header.get("imported_from")
        header = {
            HEADER: {
                **self._cost.to_json(),
                "speed": self._plan.speed,
                "origin": printable(origin) if isinstance(origin, str) else None,
                "sources_sha256": digest_of(self._source.episodes),
                "sources": sources,
            },
            "seed": self._plan.seed,
            "noise": 0.0,
            "episode_indices": list(self._kept),
            "failed_attempts": self._cost.attempts - len(self._kept),
            **task_header(self._spec),
            "versions": versions(),
        }
        return DemoSet(self._spec.env_id, tuple(self._kept.values()), header)


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


def _env_of(demos: Demos) -> str:
    """Return the environment that demonstrations name, if it is here and imports nothing new."""
    for _, listed in list_demos(demos):
        found = listed
        if not isinstance(listed, DemoSet):
            with contextlib.suppress(InputError):
                found = load_demos(listed)
        if isinstance(found, DemoSet) and is_at_hand(found.env_id):
            return found.env_id
    raise InputError(
        "the demonstrations name no environment that is registered here; say in which they were "
        "recorded, e.g. expand_demos(demos, 'FetchPickAndPlace-v4')"
    )


def _skills(sources: DemoSet, workspace: Workspace) -> tuple[list[int], list[Skill]]:
    """Return the demonstrations that can be expanded, each with its number.

    Raises:
        InputError: if none can.
    """
    skills: dict[int, Skill] = {}
    refused: Counter[str] = Counter()
    for number, episode in enumerate(sources.episodes):
        try:
            skills[number] = read_skill(episode, workspace)
        except UnusableError as error:
            refused[str(error)] += 1
    total = counted(len(sources.episodes), "demonstration")
    reasons = ", ".join(f"{reason} ({count} of them)" for reason, count in refused.items())
    if not skills and len(sources.episodes) == 1:
        raise InputError(
            f"the demonstration of {sources.env_id} cannot be expanded: {next(iter(refused))}"
        )
    if not skills:
        raise InputError(f"none of {total} of {sources.env_id} can be expanded: {reasons}")
    if refused:
        _log.warning("%s of %s cannot be expanded: %s", sum(refused.values()), total, reasons)
    return list(skills), list(skills.values())
