"""Training episodes: asked for, waited for, and dropped where they fail."""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

from headstart.data.episode import Episode
from headstart.demos.resets import DemoResets
from headstart.envs.goal_env import GoalSpec
from headstart.errors import EpisodeError, InputError, RunError
from headstart.policy import Policy
from headstart.rollout.executors import Executor, Pending, SerialExecutor
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob
from headstart.text import counted
from headstart.training.config import FailuresConfig
from headstart.training.progress import Progress

_log = logging.getLogger("headstart")


@dataclass(frozen=True)
class Asked:
    """Numbered episodes."""

    policies: Sequence[Policy]
    """Who runs them, in turn."""
    first: int
    """Index of the first of them."""
    count: int
    pending: Sequence[Pending] | None
    """``None`` if nobody has begun with them."""


@dataclass(frozen=True)
class Rollouts:
    """Runs the training episodes of one run."""

    executor: Executor
    seed: int
    spec: GoalSpec
    resets: DemoResets | None

    @property
    def part(self) -> Literal["acting", "waiting"]:
        """What the learner does while episodes are run."""
        return "acting" if isinstance(self.executor, SerialExecutor) else "waiting"

    def cpu_seconds(self) -> float:
        """Return the processor time of collectors so far; 0 where the executor counts none."""
        return getattr(self.executor, "cpu_seconds", 0.0)

    def begin(self, asked: Asked, exploration: Exploration) -> Asked:
        """Begin with training episodes that nobody has begun with.

        Of several policies, each runs the same ones: what they come to can be compared.
        """
        policies = asked.policies
        indices = range(asked.first, asked.first + asked.count)
        jobs = [
            EpisodeJob(
                policies[index % len(policies)],
                self.seed,
                "rollout",
                index // len(policies),
                exploration,
                reward_info_keys=self.spec.reward_info_keys,
                start=None if self.resets is None else self.resets.start(index // len(policies)),
            )
            for index in indices
        ]
        pending = self.executor.submit(jobs)
        return replace(asked, pending=pending)


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
