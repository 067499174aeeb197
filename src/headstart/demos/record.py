"""Recording demonstrations with a scripted expert, or with a policy."""

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import islice
from typing import Any

from headstart.data.episode import Episode
from headstart.demos.storage import DemoSet, task_header
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import env_source, make_env
from headstart.envs.source import EnvLike
from headstart.envs.task import TaskConfig
from headstart.errors import EpisodeError, InputError, require
from headstart.rollout.behaviour import PolicyLike, fit_behaviour, open_behaviour
from headstart.rollout.executors import Collectors, Executor, Pending, open_executor
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import EpisodeJob, policy_name
from headstart.settings import convert
from headstart.text import counted

_MAX_FAILURES_PER_SUCCESS = 20
_MAX_FAILURES_AT_FIRST = 3
_PACKAGES = ("headstart", "gymnasium", "gymnasium-robotics", "mujoco")

_log = logging.getLogger("headstart")


class CollectingInterrupted(KeyboardInterrupt):
    """Ctrl-C after the first demonstration."""

    def __init__(self, demos: DemoSet) -> None:
        kept = counted(len(demos.episodes), "demonstration")
        super().__init__(f"interrupted after {kept}; .demos of this exception holds what was kept")
        self.demos = demos
        """What was kept until then: the first demonstrations of an undisturbed run."""


def collect_demos(
    env: EnvLike,
    expert: PolicyLike,
    *,
    episodes: int,
    env_kwargs: Mapping[str, Any] | None = None,
    seed: int = 0,
    collectors: Collectors = 0,
    executor: Executor | None = None,
    keep_failures: bool = False,
    noise: float = 0.0,
    snapshots: bool = True,
    on_episode: Callable[[Episode], None] | None = None,
) -> DemoSet:
    """Run an expert until ``episodes`` demonstrations are kept.

    Args:
        env: an environment, its Gymnasium id, its class, or a function that returns one; see
            ``make_env``.
        expert: a scripted expert, a ``Policy`` or any function of an observation dict, the path of
            a policy file or run directory, or what ``train`` returned. A copy runs each episode;
            its method ``reset()``, if it has one, is called at the start.
        episodes: how many to keep.
        env_kwargs: arguments of the environment, besides those that follow an id;
            ``max_episode_steps`` sets the time limit of any.
        seed: root of the episodes' seeds. The result depends on it, and not on ``collectors``.
        collectors: processes that run the episodes, 0 for here, or a Ray cluster.
        executor: runs the episodes in place of collectors, and stays open.
        keep_failures: keep episodes that do not end in success too.
        noise: standard deviation of Gaussian noise, as a share of half the action range, on what is
            executed. The demonstrations keep what the expert wanted, so that they show how to
            recover (noise injection, Laskey et al. 2017).
        snapshots: keep the simulator's state at every step, where the environment has one to keep.
        on_episode: called with each kept episode.

    Raises:
        InputError: if no episode is asked for, the seed is negative, or the expert fails nearly
            always.
        CollectingInterrupted: if Ctrl-C comes after the first demonstration; it holds them.
    """
    episodes, seed, exploration = check_numbers(episodes, seed, noise)
    source = env_source(env, env_kwargs)
    with contextlib.closing(make_env(source)) as env:
        # What is recorded is what was done; whether its rewards can be learned from, training says.
        recorded = TaskConfig(unexplained_reward="ignore")
        spec = GoalSpec.from_env(env, recorded, name=source.name)
        behaviour = fit_behaviour(open_behaviour(expert), env)
    job = EpisodeJob(
        behaviour,
        seed,
        "demos",
        index=0,
        exploration=exploration,
        reward_info_keys=spec.reward_info_keys,
        snapshots=snapshots,
        record_intended=noise > 0.0,
    )
    kept: dict[int, Episode] = {}
    failed = 0
    try:
        with open_executor(source, collectors, executor) as runner:
            attempts = _Attempts(runner, job, max(2 * getattr(runner, "at_once", 0), 1))
            wanted = attempts if keep_failures else _successes(attempts, source.name)
            for index, episode in islice(wanted, episodes):
                kept[index], failed = episode, attempts.failed
                if on_episode is not None:
                    on_episode(episode)
    except KeyboardInterrupt:
        if not kept:
            raise
        raise CollectingInterrupted(_demo_set(spec, job, kept, failed)) from None
    return _demo_set(spec, job, kept, failed)


def check_numbers(episodes: int, seed: int, noise: float) -> tuple[int, int, Exploration]:
    """Return the numbers that ``collect_demos`` takes, as it uses them.

    Raises:
        InputError: if one is refused.
    """
    episodes, seed = convert(int, episodes, "episodes"), convert(int, seed, "seed")
    require(episodes >= 1, "episodes must be at least 1", episodes)
    require(seed >= 0, "seed must not be negative", seed)
    return episodes, seed, Exploration(noise=noise)


def _demo_set(spec: GoalSpec, job: EpisodeJob, kept: dict[int, Episode], failed: int) -> DemoSet:
    header = {**_header(spec, job, list(kept)), "failed_attempts": failed}
    return DemoSet(spec.env_id, tuple(kept.values()), header)


def _header(spec: GoalSpec, job: EpisodeJob, indices: list[int]) -> dict[str, Any]:
    """Return where the demonstrations come from, enough to collect them again."""
    return {
        "expert": policy_name(job.policy),
        "seed": job.seed,
        "noise": job.exploration.noise,
        "episode_indices": indices,
        **task_header(spec),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of the packages that an episode depends on."""
    return {name: version(name) for name in _PACKAGES}


class _Attempts:
    """Numbered episodes in order, without those that fail however often they are run.

    Args:
        executor: runs them.
        job: the episode, whose index is replaced.
        ahead: how many more are asked for than are needed at once.
    """

    def __init__(self, executor: Executor, job: EpisodeJob, ahead: int) -> None:
        self._executor, self._job, self._ahead = executor, job, ahead
        self.failed = 0
        """How many failed so far."""

    def __iter__(self) -> Iterator[tuple[int, Episode]]:
        waiting = list(self._ask(range(self._ahead)))
        worked = 0
        for index in itertools.count():
            waiting += self._ask(range(index + self._ahead, index + self._ahead + 1))
            try:
                episode = waiting.pop(0).result()
            except EpisodeError as error:
                self._count(error, worked)
            else:
                worked += 1
                yield index, episode

    def _ask(self, indices: range) -> Sequence[Pending]:
        return self._executor.submit([replace(self._job, index=index) for index in indices])

    def _count(self, error: EpisodeError, worked: int) -> None:
        self.failed += 1
        if not worked and self.failed > _MAX_FAILURES_AT_FIRST:
            raise InputError(f"{error.reason}; no attempt has worked yet") from error
        if self.failed >= _MAX_FAILURES_PER_SUCCESS * (worked + 1):
            raise InputError(f"{error.reason}; {self.failed} attempts failed, {worked} worked")
        _log.warning("%s; this attempt is dropped", error.reason)


def _successes(
    attempts: Iterable[tuple[int, Episode]], env_id: str
) -> Iterator[tuple[int, Episode]]:
    """Yield the attempts that end in success, for as long as there are some now and then."""
    successes = 0
    for index, episode in attempts:
        if episode.success:
            successes += 1
            yield index, episode
        if index + 1 >= _MAX_FAILURES_PER_SUCCESS * (successes + 1):
            raise InputError(
                f"only {successes} of {index + 1} episodes on {env_id} ended in success; "
                f"--keep-failures keeps the others too"
            )
