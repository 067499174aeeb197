"""``train``: begin one run, or continue the one that its directory holds."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from headstart import torchrun
from headstart.data.strategies import GoalStrategy
from headstart.demos.expansion.cost import is_expansion_of, is_found
from headstart.demos.reading import Demos
from headstart.demos.storage import DemoSet
from headstart.envs.make import env_source
from headstart.envs.source import EnvLike, EnvSource
from headstart.errors import InputError, require
from headstart.files.paths import user_path
from headstart.files.run_files import CONFIG, DEMOS, POLICIES
from headstart.policy import load_policy
from headstart.rollout.executors import Collectors, Executor
from headstart.rollout.task_source import TaskSourceLike
from headstart.runs.audience import gather_observers
from headstart.runs.directory import new_run
from headstart.runs.execution import run, run_beside, run_in
from headstart.runs.identity import content_of, name_of
from headstart.runs.preparation import (
    ConfigLike,
    all_demos,
    begin_from,
    demos_for,
    open_config,
    open_strategy,
    open_tasks,
    prepare_run,
)
from headstart.runs.record import RunRecord, current_versions, read_demos, read_record
from headstart.runs.resume import continue_in
from headstart.runs.together import at_first, check_together, count_processes
from headstart.settings import convert
from headstart.training.adaptation import decided, warn_of_no_updates
from headstart.training.config import StrategyName, TrainConfig
from headstart.training.group import Group, joined
from headstart.training.observer import Observer, TrainResult


def train(
    env: EnvLike,
    config: ConfigLike | None = None,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    demos: Demos | None = None,
    expand: int | None = None,
    out: str | Path | None = None,
    resume: Literal["auto"] | bool = False,
    collectors: Collectors = 0,
    executor: Executor | None = None,
    goal_strategy: GoalStrategy | StrategyName | None = None,
    task_source: TaskSourceLike | None = None,
    observers: Iterable[Observer] | Observer | None = None,
    progress: bool = False,
) -> TrainResult:
    """Train a policy for a goal environment.

    Under torchrun all processes call it alike and share the run, as ``config.learner`` says; the
    first one writes it and has the observers.

    Args:
        env: an environment, its Gymnasium id, its class, or a function that returns one; see
            ``make_env``.
        config: all settings, the name of a preset, or a dict of settings by dotted name that differ
            from those of ``fast``, which is the default.
        env_kwargs: arguments of the environment, besides those that follow an id;
            ``max_episode_steps`` sets the time limit of any.
        demos: demonstrations, or files of them: one or several of what ``headstart demos import``
            reads, see ``read_demos``. Without them they are made from nothing where that can be
            done, see ``find_demos`` and ``config.demos.find``; elsewhere this is DDPG + HER.
        expand: how many demonstrations to make from these first, as ``expand_demos`` does; the run
            learns from them instead. ``config.demos.num_episodes`` then says how many sources. 0
            makes none; by default it depends, see ``config.demos.expand``.
        out: run directory for configuration, metrics, policies and checkpoints, from which
            ``resume`` continues; nothing is written without it. SIGINT and SIGTERM then save the
            run before they end it.
        resume: ``"auto"`` continues the run that ``out`` holds, if it holds one, as ``resume``
            does, and begins one otherwise: for jobs that a cluster stops and starts again.
        collectors: processes that run episodes, 0 for this one, or a Ray cluster: ``"ray"`` or
            ``"ray://HOST:PORT"``. Metrics and policy do not depend on it, bit for bit.
        executor: runs the episodes in place of collectors, and stays open.
        goal_strategy: where hindsight goals come from, instead of ``config.hindsight.strategy``: a
            name that it may have, or a function; see ``headstart.data.strategies``.
        task_source: chooses what each training episode is: a ``TaskSource``, of which the run uses
            a copy, or a function of ``(index, env_steps, rng)`` that returns an ``EpisodeTask``.
        observers: follow the run and may stop it; see ``Observer``. One that fails is left out.
        progress: show progress on standard error: a live table on a terminal, lines elsewhere.

    Raises:
        InputError: if environment, demonstrations, configuration and directory do not go together.
        RunInterrupted: on Ctrl-C, a ``KeyboardInterrupt`` that holds the policies so far.
        RunError: if the run cannot continue: learning diverged, the environment fails again and
            again, or the disk refuses the policies to the end.
    """
    config, strategy = open_strategy(open_config(config), goal_strategy)
    source = env_source(env, env_kwargs)
    if expand is not None:
        config = config.with_({"demos.expand": convert(int, expand, "expand")})
    sources = _Sources(lambda: demos_for(source, config, demos), config.demos.expand)
    with joined() as group:
        check_together(group, source.name, config, out, strategy, task_source)
        counted = count_processes(config, group)
        audience = gather_observers(observers, progress) if group.is_first else []
        again = "auto" if torchrun.restarts() else resume
        if group.from_first(lambda: _is_continued(again, out, source.name, sources)):
            assert out is not None
            path = user_path(out)
            made = group.from_first(lambda: read_record(path).config.demos.expand)
            return continue_in(
                group,
                path,
                all_demos(config) if made else config,
                env=source,
                collectors=collectors,
                executor=executor,
                goal_strategy=strategy,
                task_source=task_source,
                may_be_over=True,
                observers=audience,
            )
        return _begin(
            group, source, counted, demos, collectors, executor, strategy, task_source, out,
            audience,
        )  # fmt: skip


def _begin(
    group: Group,
    source: EnvSource,
    config: TrainConfig,
    demos: Demos | None,
    collectors: int | str,
    executor: Executor | None,
    strategy: GoalStrategy | None,
    task_source: TaskSourceLike | None,
    out: str | Path | None,
    audience: Sequence[Observer],
) -> TrainResult:
    """Begin a run, and run it to its end."""
    tasks = open_tasks(config, task_source)
    # Before anything is made that would be lost.
    first = None if config.init_policy is None else load_policy(config.init_policy)
    with prepare_run(
        source, config, demos, collectors, strategy, audience, executor, tasks, group=group,
        begins=True,
    ) as (trainer, used):  # fmt: skip
        warn_of_no_updates(trainer.config, trainer.spec)
        if first is not None:
            begin_from(trainer, first)
        if out is None:
            return run(trainer)
        record = RunRecord(
            env_id=source.name,
            config=trainer.config,
            demos=None,
            versions=current_versions(),
            goal_strategy=name_of(strategy),
            goal_strategy_sha256=content_of(strategy),
            task_source=name_of(task_source),
            task_source_sha256=content_of(task_source),
            decided=decided(config, trainer.config),
        )
        path = user_path(out)
        with at_first(group, lambda: new_run(path, record, used)) as directory:
            if directory is None:
                return run_beside(path, trainer, group)
            return run_in(directory, trainer, group=group)


class _Sources(NamedTuple):
    """Demonstrations that a run is asked to learn from, or to make others from."""

    read: Callable[[], DemoSet | None]
    expand: int | None

    def check(self, directory: Path, kept: DemoSet, demos: DemoSet) -> None:
        """Refuse a run that keeps ``kept`` and did not begin with ``demos``, which have been read.

        Raises:
            InputError: names the directory of the run.
        """
        if not self.expand and kept.episodes == demos.episodes:
            return
        if self.expand == 0 or not is_expansion_of(kept.header, demos.episodes):
            raise InputError(
                f"{directory}: holds a run with other demonstrations than these; choose another out"
            )
        made = len(kept.episodes)
        rule = f"{directory}: its run has made {made} demonstrations of these; choose another out"
        require(self.expand in (None, made), f"{rule}, or --expand {made}", self.expand)


def _is_continued(
    resume: Literal["auto"] | bool, out: str | Path | None, env_id: str, sources: _Sources
) -> bool:
    """Return whether a run is to be continued instead of begun.

    What a process left that was stopped while it filled an empty directory is deleted.

    Args:
        resume: whether it is to be if the directory holds a run.
        out: the directory.
        env_id: the environment of the run that is asked for.
        sources: its demonstrations.

    Raises:
        InputError: if the directory holds another run, or none is given.
    """
    require(resume in (False, True, "auto"), "resume must be 'auto' or False", repr(resume))
    if not resume:
        return False
    if out is None:
        raise InputError("resume='auto' needs the directory of the run, out=DIR")
    directory = user_path(out)
    if os.path.isfile(directory / CONFIG):
        _check_same_run(directory, env_id, sources)
        return True
    if os.path.isdir(directory):
        _clear_beginning(directory)
    return False


def _check_same_run(directory: Path, env_id: str, sources: _Sources) -> None:
    record = read_record(directory)
    if record.env_id != env_id:
        raise InputError(
            f"{directory}: holds a run of {record.env_id}, not of {env_id}; choose another out"
        )
    kept, demos = read_demos(directory, record), sources.read()
    if demos is None and kept is not None and is_found(kept.header):
        return
    if (kept is None) != (demos is None):
        raise InputError(
            f"{directory}: holds a run {_with(kept)} demonstrations, not {_with(demos)}; choose "
            f"another out"
        )
    if kept is not None and demos is not None:
        sources.check(directory, kept, demos)


def _with(demos: DemoSet | None) -> str:
    return "without" if demos is None else "with"


def _clear_beginning(directory: Path) -> None:
    """Empty a directory in which a run was about to begin; any other is left as it is."""
    names = {path.name for path in directory.iterdir()}
    staged = {name for name in names if name in (f".tmp.{CONFIG}", f".tmp.{DEMOS}")}
    if not names or not names <= {DEMOS, POLICIES, *staged}:
        return
    if os.path.isdir(directory / POLICIES):
        if any((directory / POLICIES).iterdir()):
            return
        shutil.rmtree(directory / POLICIES)
    for name in names - {POLICIES}:
        (directory / name).unlink()
