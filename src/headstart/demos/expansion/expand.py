"""Making new demonstrations from old ones, in new scenes, each verified in the simulator."""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym

from headstart.data.episode import Episode
from headstart.demos.expansion.cost import ExpansionCost, expansion_env_steps
from headstart.demos.expansion.player import Player
from headstart.demos.expansion.rounds import ExpansionPlan, Rounds, choose_sources, made_demos
from headstart.demos.expansion.skill import Skill, UnusableError, read_skill
from headstart.demos.expansion.workspace import Workspace
from headstart.demos.reading import Demos, list_demos, read_demos
from headstart.demos.record import CollectingInterrupted
from headstart.demos.storage import DemoSet, load_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.looks.hand import misdeclared
from headstart.envs.make import env_source, make_env
from headstart.envs.names import is_at_hand
from headstart.envs.restoring import restoring_problem
from headstart.envs.snapshot import restorable
from headstart.envs.source import EnvLike
from headstart.envs.task import TaskConfig
from headstart.errors import InputError
from headstart.rollout.executors import Collectors, Executor, open_executor
from headstart.text import counted, printable

_log = logging.getLogger("headstart")


def expand_demos(
    demos: Demos,
    env: EnvLike | None = None,
    *,
    episodes: int = 100,
    env_kwargs: Mapping[str, Any] | None = None,
    speed: float = 1.0,
    noise: float = 0.0,
    seed: int = 0,
    collectors: Collectors = 0,
    executor: Executor | None = None,
    snapshots: bool = True,
    task: TaskConfig | None = None,
    on_episode: Callable[[Episode], None] | None = None,
) -> DemoSet:
    """Make new demonstrations from one or more, in new scenes, each verified in the simulator.

    The hand repeats its way relative to the object that it takes, and relative to the goal where it
    leaves it: closed loop, by distance and not by clock. Attempts that do not end in success are
    dropped. A move that fails is tried again from where it failed, and then, where the
    environment restores states, from its beginning. All env steps count; the header says how many
    there were.

    Args:
        demos: the sources: demonstrations, or files of any kind that ``read_demos`` reads.
        env: their environment, all that ``make_env`` takes; the one that they name by default.
        episodes: how many to make.
        env_kwargs: arguments of the environment, besides those that follow an id.
        speed: how fast the hand moves, in [0.2, 3]; 1 is nine tenths of its pace between objects.
        noise: standard deviation of Gaussian noise, as a share of half the action range, on what is
            executed; the demonstrations keep what was wanted, as those of ``collect_demos``.
        seed: root of the episodes' seeds. The result depends on it, and not on ``collectors``.
        collectors: processes that run the attempts, 0 for here, or a Ray cluster.
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
    plan = ExpansionPlan(
        episodes=episodes, speed=speed, noise=noise, seed=seed, snapshots=snapshots
    )
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
        self._spec, self._plan = spec, plan
        workspace = Workspace.of(spec)
        for problem in misdeclared(env, spec.layout):
            raise InputError(f"{spec.env_id}: {problem}")
        self._numbers, skills = _skills(sources, workspace)
        restores = restores_states(env)
        players = [Player(skill, workspace, plan.speed, restores) for skill in skills]
        self._rounds = Rounds(spec, players, plan, choose_sources, on_episode)
        self._source = sources

    @property
    def cost(self) -> ExpansionCost:
        """What the attempts so far have taken."""
        return self._rounds.cost

    def run(self, executor: Executor) -> DemoSet:
        """Make the demonstrations.

        Raises:
            InputError: if nearly no attempt succeeds.
            CollectingInterrupted: if Ctrl-C comes after the first one.
        """
        try:
            self._rounds.run(executor)
        except KeyboardInterrupt:
            if not self._rounds.kept:
                raise
            raise CollectingInterrupted(self._demos()) from None
        return self._demos()

    def _demos(self) -> DemoSet:
        origin = self._source.header.get("expert") or self._source.header.get("imported_from")
        return made_demos(
            self._spec,
            self._rounds,
            self._plan,
            origin=printable(origin) if isinstance(origin, str) else None,
            sources=self._source.episodes,
            numbers=self._numbers,
            before=ExpansionCost(expansion_env_steps(self._source.header)),
        )


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
    if not sources.episodes:
        raise InputError(f"there are no demonstrations of {sources.env_id} to expand")
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


def restores_states(env: gym.Env[Any, Any]) -> bool:
    """Return whether states are restored."""
    env.reset(seed=0)
    return restorable(env) is not None and restoring_problem(env) is None
