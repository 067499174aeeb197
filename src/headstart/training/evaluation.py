"""Greedy success rates with their uncertainty."""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.data.goals import GoalRegions
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import env_source, make_env
from headstart.envs.source import EnvLike
from headstart.envs.task import TaskConfig
from headstart.envs.task_facts import find_components, find_regions
from headstart.errors import EpisodeError, require
from headstart.rollout.behaviour import (
    PolicyLike,
    declared_task,
    env_of,
    fit_behaviour,
    open_behaviour,
)
from headstart.rollout.executors import Collectors, Executor, open_executor
from headstart.rollout.job import EVALUATION, Behaviour, EpisodeJob
from headstart.settings import convert

_log = logging.getLogger("headstart")


@dataclass(frozen=True)
class Part:
    """Success within one region of the goal space."""

    success_rate: float
    episodes: int


@dataclass(frozen=True)
class EvalResult:
    """The outcome of a number of greedy episodes."""

    env_id: str
    seed: int
    episodes: int
    success_rate: float
    """Share of episodes whose goal is fulfilled at the last step."""
    interval: tuple[float, float]
    """95% Wilson interval of the success rate."""
    success_ever_rate: float
    """Share of episodes whose goal was fulfilled at any step."""
    steps_to_success: float | None
    """Median env steps until the goal was first fulfilled, over the episodes where it was."""
    parts: dict[str, Part]
    """Success by region of the goal space, where the task has some."""
    failed: int = 0
    """How many of the episodes failed however often they were run; they count as not successful,
    and in none of the parts."""
    components: dict[str, float] = field(default_factory=dict)
    """Share of finished episodes with each component of the goal where it belongs at the last step,
    where goals have components."""
    strict_success_rate: float | None = None
    """Share of episodes whose last step says ``info["strict_success"]``, where steps say it."""
    endings: dict[str, int] = field(default_factory=dict)
    """How many unsuccessful episodes ended so, by ``info["failure"]``, where steps say it."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def evaluate(
    policy: PolicyLike,
    env: EnvLike | None = None,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    episodes: int = 100,
    seed: int = 0,
    collectors: Collectors = 0,
    executor: Executor | None = None,
    task: TaskConfig | None = None,
    on_episode: Callable[[Episode], None] | None = None,
) -> EvalResult:
    """Run greedy episodes, on env seeds that no run learns from or chooses by, and count successes.

    Args:
        policy: a ``Policy``, an expert or any function of an observation dict, the path of a policy
            file or run directory, or what ``train`` returned. Of a run the best policy is meant.
        env: an environment, its Gymnasium id, its class, or a function that returns one; see
            ``make_env``; the policy's own by default, if it is registered here.
        env_kwargs: arguments of the environment, besides those that follow an id;
            ``max_episode_steps`` sets the time limit of any.
        episodes: how many episodes.
        seed: root of their seeds.
        collectors: processes that run them, 0 for here, or a Ray cluster; no result depends on it.
        executor: runs the episodes in place of collectors, and stays open.
        task: what is declared of the environment from outside, such as the regions of its goals; by
            default what was when the policy was trained.
        on_episode: called with each finished episode, in order.

    Raises:
        InputError: if an argument is invalid, or every episode fails.
    """
    episodes, seed = convert(int, episodes, "episodes"), convert(int, seed, "seed")
    require(episodes >= 1, "episodes must be at least 1", episodes)
    require(seed >= 0, "seed must not be negative", seed)
    behaviour = open_behaviour(policy)
    source = env_source(env_of(policy, behaviour) if env is None else env, env_kwargs)
    task = declared_task(behaviour, source.name) if task is None else task
    with contextlib.closing(make_env(source)) as own:
        behaviour = fit_behaviour(behaviour, own)
        (regions, _), reward = find_regions(own, task), component_reward(own, task)
    with open_executor(source, collectors, executor) as runner:
        trials = run_evaluation(runner, behaviour, episodes=episodes, seed=seed, call=on_episode)
    return summarize(source.name, seed, *trials, regions, reward)


def component_reward(env: gym.Env[Any, Any], task: TaskConfig | None) -> GoalReward | None:
    """Return what says which components are where they belong, if goals have some."""
    # Whether rewards can be learned from does not matter here.
    known = replace(task or TaskConfig(), unexplained_reward="ignore")
    if not find_components(env, known)[0]:
        return None
    return GoalReward(env, GoalSpec.from_env(env, known, success_needed=False))


class Trials(NamedTuple):
    """The episodes of an evaluation."""

    episodes: list[Episode]
    failed: int
    """How many failed however often they were run."""

    @classmethod
    def of(cls, outcomes: Sequence[Episode | None]) -> "Trials":
        """Return the trials of an evaluation with these outcomes; see ``each_trial``."""
        episodes = [episode for episode in outcomes if episode is not None]
        return cls(episodes, len(outcomes) - len(episodes))

    @property
    def successes(self) -> int:
        """How many were successful at their last step."""
        return sum(episode.success for episode in self.episodes)


def run_evaluation(
    executor: Executor,
    policy: Behaviour,
    *,
    episodes: int,
    seed: int,
    stream: str = EVALUATION,
    call: Callable[[Episode], None] | None = None,
) -> Trials:
    """Return the greedy episodes of an evaluation, in order; see ``each_trial``."""
    outcomes = []
    for outcome in each_trial(executor, policy, episodes=episodes, seed=seed, stream=stream):
        outcomes.append(outcome)
        if call is not None and outcome is not None:
            call(outcome)
    return Trials.of(outcomes)


def each_trial(
    executor: Executor, policy: Behaviour, *, episodes: int, seed: int, stream: str = EVALUATION
) -> Iterator[Episode | None]:
    """Yield the greedy episodes of an evaluation, in order, and ``None`` for each that failed.

    Raises:
        InputError: if every episode fails.
    """
    jobs = [EpisodeJob(policy, seed, stream, index) for index in range(episodes)]
    failures: list[EpisodeError] = []
    for pending in executor.submit(jobs):
        outcome = None
        try:
            outcome = pending.result()
        except EpisodeError as error:
            failures.append(error)
            if len(failures) == episodes:
                raise
        yield outcome
    if failures:
        message = "%d of %d evaluation episodes failed and count as not successful: %s"
        _log.warning(message, len(failures), episodes, failures[0].reason)


def summarize(
    env_id: str,
    seed: int,
    episodes: Sequence[Episode],
    failed: int = 0,
    regions: GoalRegions | None = None,
    reward: GoalReward | None = None,
) -> EvalResult:
    """Count the successes of finished episodes, and of others that failed.

    Args:
        env_id: what the environment is called.
        seed: root of the episodes' seeds.
        episodes: those that were finished.
        failed: how many were not.
        regions: of the goal space, in which successes are counted apart; those that ``reward``
            knows of by default.
        reward: of the environment; without it no component is counted.
    """
    count = len(episodes) + failed
    if regions is None and reward is not None:
        regions = reward.spec.regions
    strict = [episode.strict_success for episode in episodes if episode.strict_success is not None]
    endings = Counter(ep.failure for ep in episodes if ep.failure and not ep.success)
    success = np.array([episode.success for episode in episodes])
    first = [int(np.argmax(ep.is_success)) + 1 for ep in episodes if ep.is_success.any()]
    return EvalResult(
        env_id=env_id,
        seed=seed,
        episodes=count,
        success_rate=int(success.sum()) / count,
        interval=wilson_interval(int(success.sum()), count),
        success_ever_rate=len(first) / count,
        steps_to_success=float(np.median(first)) if first else None,
        parts=_by_region(regions, episodes, success),
        failed=failed,
        components={} if reward is None else component_rates(reward, episodes),
        strict_success_rate=sum(strict) / count if strict else None,
        endings=dict(endings.most_common()),
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95% score interval of a success rate (Wilson 1927).

    Unlike the normal interval it stays in [0, 1] and has width at 0 and 100%, where it ends at
    exactly 0 and 1.
    """
    z = 1.959964
    rate = successes / trials
    center = (rate + z**2 / (2 * trials)) / (1 + z**2 / trials)
    spread = np.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2)) * z / (1 + z**2 / trials)
    low, high = max(0.0, float(center - spread)), min(1.0, float(center + spread))
    return 0.0 if successes == 0 else low, 1.0 if successes == trials else high


def _by_region(
    regions: GoalRegions | None, episodes: Sequence[Episode], success: NDArray[np.bool_]
) -> dict[str, Part]:
    if regions is None:
        return {}
    names = np.array(regions.names(np.stack([episode.desired_goals[-1] for episode in episodes])))
    return {
        str(name): Part(float(success[names == name].mean()), int((names == name).sum()))
        for name in np.unique(names)
    }


def component_rates(reward: GoalReward, episodes: Sequence[Episode]) -> dict[str, float]:
    """Return the share of episodes with each component at its goal at the last step, by name.

    A component is where it belongs if the reward of a goal that asks for it alone is that of the
    goal. There are none if goals have no components, or the reward does not say so: it is dense,
    or reads more than the goals.

    Args:
        reward: of the environment.
        episodes: finished ones, at least one.
    """
    spec = reward.spec
    if not spec.components or spec.reward_info_keys:
        return {}
    achieved = np.stack([episode.achieved_goals[-1] for episode in episodes])
    desired = np.stack([episode.desired_goals[-1] for episode in episodes])
    placed = []
    for component in spec.components:
        asked = achieved.copy()
        asked[:, component.entries] = desired[:, component.entries]
        placed.append(reward.is_best(reward(achieved, asked)[0]))
    success = np.array([episode.success for episode in episodes])
    if (success & ~np.all(placed, axis=0)).any():
        return {}
    names = [component.name for component in spec.components]
    return {name: float(at.mean()) for name, at in zip(names, placed, strict=True)}
