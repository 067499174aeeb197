"""A trainer from what a caller names: an environment, files of demonstrations, settings."""

import contextlib
import copy
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

from gymnasium.envs.registration import EnvSpec

from headstart.agents.start import start_from
from headstart.data.strategies import GoalStrategy
from headstart.demos.expansion.cost import expansion_env_steps
from headstart.demos.reading import Demos, read_demos
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import env_source, make_env
from headstart.envs.names import is_buildable, is_env_class
from headstart.envs.source import EnvLike, EnvSource
from headstart.errors import InputError, require
from headstart.policy import Policy
from headstart.presets import PRESETS, find_preset
from headstart.rollout.behaviour import fit_policy
from headstart.rollout.executors import Collectors, Executor, open_executor
from headstart.rollout.task_source import TaskFunction, TaskSource, TaskSourceLike
from headstart.runs.execution import keep_freed_memory, torch_settings
from headstart.runs.expanding import expand, warn_unused
from headstart.runs.finding import after_finding, found_demos, open_finding
from headstart.runs.fitting import check_expansion, fit_demos, what_to_detect
from headstart.runs.record import python_line
from headstart.runs.together import check_demos_alike
from headstart.text import describe_error, printable
from headstart.training.adaptation import adapt
from headstart.training.assembly import build_trainer, check_fit
from headstart.training.config import StrategyName, TrainConfig
from headstart.training.group import ALONE, Group
from headstart.training.observer import Observer
from headstart.training.sampling import choose_mirror
from headstart.training.shared_episodes import SharedExecutor
from headstart.training.trainer import Trainer

_log = logging.getLogger("headstart")

ConfigLike = TrainConfig | str | Mapping[str, Any]
"""A configuration, the name of a preset, or values by dotted name that differ from ``fast``."""


class Prepared(NamedTuple):
    """A run that has not begun."""

    trainer: Trainer
    demos: DemoSet | None
    """The demonstrations as they were read."""


@contextlib.contextmanager
def prepare_run(
    env: EnvLike,
    config: TrainConfig,
    demos: Demos | None,
    collectors: Collectors,
    goal_strategy: GoalStrategy | None,
    observers: Sequence[Observer],
    executor: Executor | None = None,
    tasks: TaskSource | None = None,
    *,
    group: Group = ALONE,
    begins: bool = False,
) -> Iterator[Prepared]:
    """Yield a trainer that has not begun, and its demonstrations.

    A run that ``begins`` may make them first, of ``demos`` or from nothing. The processes
    of a ``group`` share the episodes.

    Raises:
        InputError: if environment, demonstrations and configuration do not go together.
    """
    source, timeout = env_source(env), config.episode_timeout
    check_expansion(config, with_demos=demos is not None)
    with contextlib.closing(make_env(source)) as reward_env:
        detect = what_to_detect(config, with_demos=demos is not None)
        spec = GoalSpec.from_env(reward_env, config.task, name=source.name, detect=detect)
        reward = GoalReward(reward_env, spec)
        config = adapt(config, spec)
        finding = open_finding(source, config, spec) if begins and demos is None else None
        check_fit(config, spec, with_demos=demos is not None or finding is not None)
        used = None
        if demos is not None:
            used = fit_demos(config, reward_env, read_demos(demos, spec, reward))
        mirror = choose_mirror(config, spec, reward_env)
        check_demos_alike(group, used)
        learners = group.learners(config.learner)
        with open_executor(source, collectors, executor, timeout=timeout) as runner:
            runner = runner if group.size == 1 else SharedExecutor(runner, group)
            spent = 0 if used is None else expansion_env_steps(used.header)
            if used is not None and begins:
                used, config, spent = expand(source, config, spec, used, runner)
            elif begins:
                warn_unused(config)
            if finding is not None:
                used, spent = found_demos(finding, config, runner)
                config = after_finding(config, used)
                check_fit(config, spec, with_demos=used is not None)
            episodes = None if used is None else used.episodes
            with _as_in_training(config):
                trainer = build_trainer(
                    config, spec, episodes, runner, reward, observers, goal_strategy, mirror,
                    tasks, learners, group.rank,
                )  # fmt: skip
            trainer.env = source
            trainer.progress.expansion_env_steps = spent
            yield Prepared(trainer, used)


@contextlib.contextmanager
def _as_in_training(config: TrainConfig) -> Iterator[None]:
    """Do as the run will do what is learned before it: clones that are compared, for instance."""
    keep_freed_memory()
    with torch_settings(threads=config.torch_threads, matmul_precision=config.matmul_precision):
        yield


def demos_for(env: EnvLike, config: TrainConfig, demos: Demos | None) -> DemoSet | None:
    """Return the demonstrations that a run with this configuration would learn from.

    Raises:
        InputError: if they cannot be read, or do not fit the environment.
    """
    if demos is None:
        return None
    source = env_source(env)
    with contextlib.closing(make_env(source)) as reward_env:
        spec = GoalSpec.from_env(reward_env, config.task, name=source.name)
        found = read_demos(demos, spec, GoalReward(reward_env, spec), log=False)
    return found.first(config.demos.num_episodes)


def env_of_run(
    path: Path, name: str, env: EnvLike | None, env_kwargs: Mapping[str, Any] | None
) -> EnvSource:
    """Return the environment that is given, or else the one that a run directory names.

    Args:
        path: the directory.
        name: what it names.
        env: an environment, as ``train`` takes it.
        env_kwargs: its arguments.

    Raises:
        InputError: if none is given, and the name alone does not say how to build it.
    """
    if env is not None:
        return env_source(env, env_kwargs)
    require(not env_kwargs, "env_kwargs must be given with env, which they belong to", env_kwargs)
    if is_buildable(name):
        source = env_source(name)
        # A function that a file names is not called.
        if isinstance(source.origin, str | EnvSpec) or is_env_class(source.origin):
            return source
    raise InputError(
        f"{path}: it is for {printable(name)!r}, which does not say how to build it: "
        f"{python_line('resume', path, name)}"
    )


def open_config(config: ConfigLike | None) -> TrainConfig:
    """Return a configuration; ``fast`` for ``None``.

    Raises:
        InputError: if there is no such preset or setting, or it is none of what ``config`` may be.
    """
    if config is None:
        return PRESETS["fast"]
    if isinstance(config, TrainConfig):
        return config
    if isinstance(config, Mapping):
        return PRESETS["fast"].with_(config)
    if not isinstance(config, str):
        raise InputError(
            f"config must be a TrainConfig, a preset ({', '.join(PRESETS)}) or a dict of settings, "
            f"got {type(config).__name__}"
        )
    return find_preset(config)


def open_strategy(
    config: TrainConfig, goal_strategy: GoalStrategy | StrategyName | None
) -> tuple[TrainConfig, GoalStrategy | None]:
    """Return the configuration, and the caller's own function for hindsight goals, if there is one.

    The name of a strategy becomes ``config.hindsight.strategy``.

    Raises:
        InputError: if there is no such strategy, or it cannot be called.
    """
    is_class = isinstance(goal_strategy, type)
    if goal_strategy is None or (callable(goal_strategy) and not is_class):
        return config, goal_strategy
    names = get_args(StrategyName)
    if goal_strategy not in names:
        raise InputError(
            f"goal_strategy must be one of {', '.join(names)}, or a function of (rows, rng), got "
            f"{goal_strategy!r}"
        )
    return config.with_({"hindsight.strategy": goal_strategy}), None


def open_tasks(config: TrainConfig, task_source: TaskSourceLike | None) -> TaskSource | None:
    """Return a copy of the caller's own choice of training episodes, if there is one.

    Raises:
        InputError: if it is none, cannot be copied, or resets to demonstrations are asked for too.
    """
    if task_source is None:
        return None
    share = config.resets.probability
    require(share == 0.0, "resets.probability must be 0 with a task_source", share)
    is_class = isinstance(task_source, type)
    if isinstance(task_source, TaskSource) and not is_class:
        try:
            return copy.deepcopy(task_source)
        except Exception as error:  # Depends on what cannot be copied.
            raise InputError(f"task_source cannot be copied: {describe_error(error)}") from error
    if callable(task_source) and not is_class:
        return TaskFunction(task_source)
    raise InputError(
        f"task_source must be a TaskSource, or a function of (index, env_steps, rng), got "
        f"{task_source!r}"
    )


def all_demos(config: TrainConfig) -> TrainConfig:
    """Return the settings of a run whose sources are ``demos.num_episodes``, and not its own."""
    return config.with_({"demos.num_episodes": None})


def begin_from(trainer: Trainer, policy: Policy) -> None:
    """Make the actor of a run that has not begun that of a policy.

    Of several agents that see different things of a state, the one that sees what the policy sees
    is kept.

    Raises:
        InputError: if none of the agents could be it.
    """
    assert trainer.env is not None
    with contextlib.closing(make_env(trainer.env)) as env:
        policy = fit_policy(policy, env)
    contest, reasons = trainer.contest, []
    for name, agent in contest.agents.items():
        try:
            start_from(agent, policy)
        except ValueError as error:
            reasons.append(str(error))
            continue
        contest.keep({name: contest.tallies[name]})
        return
    raise InputError(
        f"{trainer.config.init_policy}: this run cannot start from that policy: {reasons[-1]}"
    )
