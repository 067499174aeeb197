"""Training episodes: asked for, waited for, and dropped where they fail."""

import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NoReturn

from headstart.data.episode import Episode
from headstart.envs.goal_env import GoalSpec
from headstart.errors import EpisodeError, InputError, RunError, require
from headstart.policy import Policy
from headstart.rollout.executors import Executor, Pending, SerialExecutor
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import ROLLOUT, EpisodeJob
from headstart.rollout.task_source import EpisodeTask, TaskSource, state_of
from headstart.seeding import generator
from headstart.text import counted
from headstart.training.config import FailuresConfig
from headstart.training.corrections import Corrections
from headstart.training.progress import Progress

_log = logging.getLogger("headstart")


@dataclass(frozen=True)
class Asked:
    """Numbered episodes."""

    policies: Sequence[Policy]
    """Who runs them, in turn."""
    indices: range
    exploration: Exploration
    env_steps: int
    """Taken in training when they were asked for."""
    pending: Sequence[Pending] | None = None
    """``None`` if they have not begun."""
    tasks: Sequence[EpisodeTask] = ()
    """What each of them is, once they have begun."""
    tasks_before: Any = None
    """The state of the task source before it chose them."""


@dataclass(frozen=True)
class Rollouts:
    """Runs the training episodes of one run."""

    executor: Executor
    seed: int
    spec: GoalSpec
    tasks: TaskSource
    corrections: Corrections

    @property
    def part(self) -> Literal["acting", "waiting"]:
        """What the learner does while episodes are run."""
        return "acting" if isinstance(self.executor, SerialExecutor) else "waiting"

    def cpu_seconds(self) -> float:
        """Return the processor time of collectors so far; 0 where the executor counts none."""
        return getattr(self.executor, "cpu_seconds", 0.0)

    def begin(self, asked: Asked) -> Asked:
        """Begin training episodes.

        Of several policies, each runs the same ones: their outcomes can be compared.
        """
        policies, state = asked.policies, state_of(self.tasks)
        tasks: dict[int, EpisodeTask] = {}
        jobs, chosen = [], []
        for number in asked.indices:
            index = number // len(policies)
            if index not in tasks:
                rng = generator(self.seed, "resets", index)
                tasks[index] = self._check(self.tasks.task(index, asked.env_steps, rng))
            chosen.append(tasks[index])
            jobs.append(
                EpisodeJob(
                    policies[number % len(policies)],
                    self.seed,
                    ROLLOUT,
                    index,
                    asked.exploration.for_episode(generator(self.seed, "greedy", index)),
                    reward_info_keys=self.spec.reward_info_keys,
                    # The label may be anything, and stays here.
                    task=replace(tasks[index], label=None),
                )
            )
        pending = self.executor.submit(jobs)
        return replace(asked, pending=pending, tasks=chosen, tasks_before=state)

    def observe(self, asked: Asked, episodes: Mapping[int, Episode]) -> None:
        """Show the task source what came of its tasks, and keep what was corrected.

        Args:
            asked: the episodes that were asked for.
            episodes: those that did not fail, by their places.
        """
        for place, episode in episodes.items():
            self.tasks.observe(asked.tasks[place], episode)
            self.corrections.add(episode)

    def tasks_state(self, ahead: Asked | None) -> Any:
        """Return the state of the task source before it chose what is asked for ``ahead``."""
        if ahead is not None and ahead.pending is not None:
            return ahead.tasks_before
        return state_of(self.tasks)

    def _check(self, task: EpisodeTask) -> EpisodeTask:
        """Refuse what is not a task, or one whose goal has another width.

        Raises:
            InputError: names the source.
        """
        source = getattr(self.tasks, "function", self.tasks)
        name = getattr(source, "__name__", type(source).__name__)
        require(isinstance(task, EpisodeTask), f"{name}: a task must be an EpisodeTask", repr(task))
        goal = task.goal if task.start is None else task.start.desired_goal
        wide = goal is None or goal.shape == (self.spec.goal_dim,)
        rule = f"{name}: the goal of a task must have {self.spec.goal_dim} numbers"
        require(wide, rule, goal)
        return task


def collect(
    pending: Sequence[Pending], progress: Progress, allowed: FailuresConfig
) -> dict[int, Episode]:
    """Wait for episodes, and count those that fail as dropped.

    Returns:
        Those that did not fail, by their places in ``pending``.

    Raises:
        InputError: if too many failed and none has ever worked.
        RunError: if too many failed; nothing has been counted then.
    """
    episodes: dict[int, Episode] = {}
    failed: list[EpisodeError] = []
    total = progress.episodes + progress.dropped_episodes + len(pending)
    limit = max(allowed.at_least, int(allowed.share * total))
    for place, each in enumerate(pending):
        try:
            episodes[place] = each.result()
        except EpisodeError as error:
            failed.append(error)
            dropped = progress.dropped_episodes + len(failed)
            if dropped > limit:
                _give_up(error, dropped, limit, worked=progress.episodes + len(episodes))
            _log.warning("%s; dropped, %d of at most %d", error.reason, dropped, limit)
    progress.dropped_episodes += len(failed)
    progress.env_steps += sum(error.env_steps for error in failed)
    return episodes


def wait_for(asked: Asked | None) -> None:
    """Wait for the episodes that are asked for, if there are some, whether they fail or not."""
    for each in (asked and asked.pending) or ():
        with contextlib.suppress(EpisodeError):
            each.result()


def _give_up(error: EpisodeError, dropped: int, limit: int, *, worked: int) -> NoReturn:
    if not worked:
        raise InputError(f"{error.reason}; no episode has worked yet") from error
    raise RunError(
        f"{error.reason}; {counted(dropped, 'episode')} failed, at most {limit} may: "
        f"--failures.at-least and --failures.share allow more\n{error.details}".rstrip()
    ) from error
