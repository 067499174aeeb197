"""Demonstrations from nothing: an object is moved by chance, and that is done again on purpose.

The hand goes to the object and tries random actions. What has moved the object is a demonstration
for the goal that it happened to achieve (hindsight, Andrychowicz et al. 2017), and is expanded to
the goals and starts of the task. A hand whose own place is the goal goes straight there. Relay HER
(Luo et al. 2023) goes to the object first as well, and Go-Explore (Ecoffet et al. 2021) tries from
states that it returns to.
"""

import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.data.episode import Episode
from headstart.demos.expansion.cost import FOUND, ExpansionCost
from headstart.demos.expansion.expand import restores_states
from headstart.demos.expansion.player import Player
from headstart.demos.expansion.rounds import (
    ExpansionPlan,
    Rounds,
    Tally,
    choose_sources,
    cost_of_attempt,
    made_demos,
    stick_to_good,
)
from headstart.demos.expansion.workspace import Workspace
from headstart.demos.finding.seeker import Find, Seeker, has_found, skills_of, straight_reach
from headstart.demos.record import CollectingInterrupted
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalSpec
from headstart.envs.interface import reset_env
from headstart.envs.looks.hand import misdeclared
from headstart.envs.make import env_source, make_env
from headstart.envs.source import EnvLike
from headstart.envs.task import TaskConfig
from headstart.errors import EpisodeError, InputError
from headstart.rollout.executors import Collectors, Executor, open_executor
from headstart.rollout.job import EpisodeJob

_ENOUGH = {"lift": 4, "push": 8}
"""How many finds are expanded, of which the plainest is often good enough."""
_ROUND = 8
"""Attempts at once."""
_MOST_ATTEMPTS = 64
_RESETS = 20
"""Resets that show which goals the task has."""
_NEAR = 10
"""Steps within which random actions find goals soon."""
_INSTEAD = "train without (--demos.find 0), or get some with `headstart demos collect` or `teleop`"

_log = logging.getLogger("headstart")


class NothingFoundError(InputError):
    """Nothing was found, or could be done again; ``env_steps`` says what trying has cost."""

    def __init__(self, message: str, env_steps: int) -> None:
        super().__init__(message)
        self.env_steps = env_steps


def find_demos(
    env: EnvLike,
    *,
    episodes: int = 100,
    env_kwargs: Mapping[str, Any] | None = None,
    speed: float = 1.0,
    seed: int = 0,
    collectors: Collectors = 0,
    executor: Executor | None = None,
    snapshots: bool = True,
    task: TaskConfig | None = None,
    on_episode: Callable[[Episode], None] | None = None,
) -> DemoSet:
    """Make demonstrations from nothing, each verified in the simulator.

    The hand goes to the object and tries random actions there until it has lifted or pushed it a
    few times; these finds are then played in new scenes, as ``expand_demos`` does. A hand that is
    itself to be at the goal goes there. It works where the task says how the hand is moved, and a
    goal is one place of one object, or of the hand. All env steps count; the header says how many
    there were.

    Args:
        env: an environment, its id, its class, or a function that returns one; see ``make_env``.
        episodes: how many to make.
        env_kwargs: arguments of the environment, besides those that follow an id.
        speed: how fast the hand moves in the demonstrations, in [0.2, 3].
        seed: root of the episodes' seeds. The result depends on it, and not on ``collectors``.
        collectors: processes that run the attempts, 0 for here, or a Ray cluster.
        executor: runs the attempts in place of collectors, and stays open.
        snapshots: keep the simulator's state at every step, where the environment has one to keep.
        task: what is declared of the environment from outside, such as its hand.
        on_episode: called with each new demonstration.

    Raises:
        NothingFoundError: an ``InputError``, if the object does not move, or nothing that moved it
            can be done again.
        InputError: if nothing is declared about the hand, or a goal is something else than a place.
        CollectingInterrupted: if Ctrl-C comes after the first demonstration; it holds them.
    """
    plan = ExpansionPlan(episodes=episodes, speed=speed, seed=seed, snapshots=snapshots)
    source = env_source(env, env_kwargs)
    task = task or TaskConfig(unexplained_reward="ignore")
    with contextlib.closing(make_env(source)) as own:
        spec = GoalSpec.from_env(own, task, name=source.name, detect="frame")
        finding = Finding(own, spec, plan, on_episode)
    with open_executor(source, collectors, executor) as runner:
        return finding.run(runner)


class Finding:
    """A search for demonstrations that has not begun.

    Args:
        env: the environment, to look at its goals, and whether the hand moves as declared.
        spec: what is known of it.
        plan: how many demonstrations to make, and how.
        on_episode: called with each of them.

    Attributes:
        pays: whether it does better than learning without demonstrations, which a hand that gets
            to its goals in a few steps does sooner.

    Raises:
        InputError: if it is no task in which one object can be found.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        spec: GoalSpec,
        plan: ExpansionPlan,
        on_episode: Callable[[Episode], None] | None = None,
    ) -> None:
        self._spec, self._plan, self._on_episode = spec, plan, on_episode
        self._workspace = Workspace.of(spec)
        self._kinds = wanted(env, spec, self._workspace)
        self.pays = self._kinds != ["reach"] or _steps_away(env, self._workspace) > _NEAR
        for problem in misdeclared(env, spec.layout):
            raise InputError(f"{spec.env_id}: {problem}")
        self._restores = restores_states(env)
        self._cost = ExpansionCost()

    def run(self, executor: Executor) -> DemoSet:
        """Make the demonstrations.

        Raises:
            NothingFoundError: if that fails.
            CollectingInterrupted: if Ctrl-C comes after the first one.
        """
        reasons = []
        for find in self._kinds:
            try:
                return self._repeat(find, self._seek(find, executor), executor)
            except _FailedError as error:
                reasons.append(str(error))
        raise NothingFoundError(f"{self._spec.env_id}: {'; '.join(reasons)}", self._cost.env_steps)

    def _repeat(self, find: Find, found: list[Episode], executor: Executor) -> DemoSet:
        """Make demonstrations from what was found."""
        if find == "reach":
            numbers, skills = [0], [straight_reach(self._workspace)]
        else:
            numbers, skills = skills_of(found, find, self._workspace)
        if not skills:
            raise _FailedError(f"it cannot be seen how the object was {_PAST[find]}")
        speed, restores = self._plan.speed, self._restores
        players = [Player(skill, self._workspace, speed, restores) for skill in skills]
        rounds = Rounds(self._spec, players, self._plan, stick_to_good, self._on_episode)
        try:
            rounds.run(executor)
        except InputError as error:
            self._cost += rounds.cost
            raise _FailedError(_NOT_AGAIN[find]) from error
        except KeyboardInterrupt:
            if not rounds.kept:
                raise
            raise CollectingInterrupted(self._made(rounds, found, numbers)) from None
        return self._made(rounds, found, numbers)

    def _made(self, rounds: Rounds, found: list[Episode], numbers: list[int]) -> DemoSet:
        return made_demos(
            self._spec,
            rounds,
            self._plan,
            origin=FOUND,
            sources=found,
            numbers=numbers,
            before=self._cost,
        )

    def _seek(self, find: Find, executor: Executor) -> list[Episode]:
        """Try until enough is found, with the gripper open and shut in turn."""
        if find == "reach":
            return []
        workspace, entry = self._workspace, self._workspace.layout.gripper_action
        grippers = [0.0] if entry is None else [workspace.high[entry], workspace.low[entry]]
        seekers = [Seeker(workspace, find, gripper, self._restores) for gripper in grippers]
        tallies, found, cost = [Tally() for _ in seekers], list[Episode](), ExpansionCost()
        while len(found) < _ENOUGH[find] and cost.attempts < _MOST_ATTEMPTS:
            chosen, first = choose_sources(tallies, _ROUND), cost.attempts
            jobs = [self._job(seekers[it], find, first + place) for place, it in enumerate(chosen)]
            for number, pending in zip(chosen, executor.submit(jobs), strict=True):
                tallies[number].attempts += 1
                try:
                    episode = pending.result()
                except EpisodeError as error:
                    _log.warning("%s; this attempt is dropped", error.reason)
                    cost += ExpansionCost(error.env_steps, 0, 1)
                    continue
                cost += cost_of_attempt(episode, kept=False)
                if has_found(episode, find, workspace):
                    tallies[number].successes += 1
                    found.append(episode)
        self._cost += cost
        if not found:
            raise _FailedError(f"no random action of {cost.attempts} attempts {_PAST[find]} it")
        _log.info(
            "%s: %s the object %d times by chance, in %d env steps",
            self._spec.env_id, _PAST[find], len(found), cost.env_steps,
        )  # fmt: skip
        return found

    def _job(self, seeker: Seeker, find: Find, index: int) -> EpisodeJob:
        keys, stream = self._spec.reward_info_keys, f"finding/{find}"
        return EpisodeJob(seeker, self._plan.seed, stream, index, reward_info_keys=keys)


def wanted(env: gym.Env[Any, Any], spec: GoalSpec, workspace: Workspace) -> list[Find]:
    """Return what may have to happen to the object of a task, by the goals of some resets.

    A hand whose own place is the goal is to reach it.

    Raises:
        InputError: if there is no object, or there are several.
    """
    count = len(workspace.layout.goal_positions)
    if count != 1:
        raise InputError(
            f"{spec.env_id}: a goal is {count} places, and demonstrations are found for one alone; "
            f"{_INSTEAD}"
        )
    stride, rises = workspace.stride, False
    for seed in range(_RESETS):
        observation, _ = reset_env(env, seed)
        thing, goal = (
            workspace.objects(np.asarray(observation[key]))[0]
            for key in ("achieved_goal", "desired_goal")
        )
        if np.allclose(workspace.hand(observation["observation"]), thing, atol=0.01 * stride):
            return ["reach"]
        rises |= bool(np.abs((goal - thing)[workspace.upward]).max(initial=0.0) > stride)
    kinds: list[Find] = ["push"] * (bool(workspace.plane) and not rises)
    if workspace.upward and (rises or workspace.layout.gripper_action is not None):
        kinds.append("lift")
    if not kinds:
        raise InputError(
            f"{spec.env_id}: its object is moved neither upwards nor in a plane; {_INSTEAD}"
        )
    return kinds


def _steps_away(env: gym.Env[Any, Any], workspace: Workspace) -> float:
    """Return in how many steps the hand gets to its goals, the median of some resets."""
    ways = []
    for seed in range(_RESETS):
        observation, _ = reset_env(env, seed)
        goal = workspace.objects(np.asarray(observation["desired_goal"]))[0]
        ways.append(np.abs(goal - workspace.hand(observation["observation"])).max())
    return float(np.median(ways)) / workspace.pace


class _FailedError(Exception):
    """One way to move the object has failed; says why."""


_PAST = {"lift": "lifted", "push": "pushed"}
_NOT_AGAIN = {
    "lift": "what has lifted the object by chance could not be done again",
    "push": "what has pushed the object by chance could not be done again",
    "reach": "the hand does not get to its goals straight",
}
