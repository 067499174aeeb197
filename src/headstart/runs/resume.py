"""``resume``: continue a run as if it had never stopped."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from headstart.data.strategies import GoalStrategy
from headstart.envs.source import EnvLike
from headstart.files.paths import user_path
from headstart.rollout.executors import Collectors, Executor
from headstart.rollout.task_source import TaskSourceLike
from headstart.runs.audience import gather_observers
from headstart.runs.changes import check_changes, check_longer, describe_changes
from headstart.runs.checkpoint import restore_saved
from headstart.runs.checkpoint_files import newest_run
from headstart.runs.directory import reopen_run
from headstart.runs.execution import run_beside, run_in
from headstart.runs.identity import check_function
from headstart.runs.lock import locked
from headstart.runs.preparation import (
    ConfigLike,
    env_of_run,
    open_config,
    open_strategy,
    open_tasks,
    prepare_run,
)
from headstart.runs.record import RunRecord, changed_versions, read_demos, read_record
from headstart.runs.steered import remember_steered
from headstart.runs.together import at_first, check_together, count_processes
from headstart.text import printable
from headstart.training.adaptation import keep_adapted
from headstart.training.config import StrategyName, TrainConfig
from headstart.training.group import Group, joined
from headstart.training.observer import Observer, TrainResult
from headstart.training.trainer import Trainer

_log = logging.getLogger("headstart")


def resume(
    path: str | Path,
    config: ConfigLike | None = None,
    *,
    env: EnvLike | None = None,
    env_kwargs: Mapping[str, Any] | None = None,
    collectors: Collectors = 0,
    executor: Executor | None = None,
    goal_strategy: GoalStrategy | StrategyName | None = None,
    task_source: TaskSourceLike | None = None,
    allow_change: bool = False,
    observers: Iterable[Observer] | Observer | None = None,
    progress: bool = False,
) -> TrainResult:
    """Continue a run from its newest whole checkpoint, to the same bits as if it never stopped.

    Args:
        path: the run directory.
        config: settings of the continued run, the run's own by default; a dict changes those of
            the run by dotted name, e.g. ``{"env_steps": 30_000}``.
        env: the environment, as ``train`` takes it; by default the one that the directory names,
            which must then be one that you trust: building it may import a module.
        env_kwargs: arguments of the environment, where ``env`` is given.
        collectors: processes that run episodes, or a Ray cluster; no result depends on it.
        executor: runs the episodes in place of collectors, and stays open.
        goal_strategy: the function that the run was begun with, if it was.
        task_source: what the run was begun with, if it was, as it was then.
        allow_change: whether ``config`` may differ in what learning depends on.
        observers: follow the run, and see nothing of it that they have seen before; see
            ``Observer``. One that fails is left out.
        progress: show progress on standard error: a live table on a terminal, lines elsewhere.

    Raises:
        InputError: if the directory holds no run, another process is working on it, or the run
            cannot continue with these settings, such as an ``env_steps`` that it has passed.
        RunError: as ``train``.
        RunInterrupted: as ``train``.
    """
    audience = gather_observers(observers, progress)
    with joined() as group:
        return continue_in(
            group,
            path,
            config,
            env=env,
            env_kwargs=env_kwargs,
            collectors=collectors,
            executor=executor,
            goal_strategy=goal_strategy,
            task_source=task_source,
            allow_change=allow_change,
            observers=audience if group.is_first else [],
        )


def continue_in(
    group: Group,
    path: str | Path,
    config: ConfigLike | None = None,
    *,
    env: EnvLike | None,
    env_kwargs: Mapping[str, Any] | None = None,
    collectors: Collectors,
    executor: Executor | None,
    goal_strategy: GoalStrategy | StrategyName | None,
    task_source: TaskSourceLike | None,
    allow_change: bool = False,
    may_be_over: bool = False,
    observers: Sequence[Observer],
) -> TrainResult:
    """Do what ``resume`` does; with ``may_be_over``, env steps that are taken already are done."""
    path = user_path(path).absolute()
    record = group.from_first(lambda: read_record(path))
    with at_first(group, lambda: locked(path)) as lock:
        config, strategy = open_strategy(_open_config(config, record.config), goal_strategy)
        config = keep_adapted(config, record.config)
        check_together(group, record.env_id, config, path, strategy, task_source)
        config = count_processes(config, group)
        changed = check_changes(path, record.config, config, allow=allow_change)
        for name, given in (("goal_strategy", strategy), ("task_source", task_source)):
            own, content = getattr(record, name), getattr(record, f"{name}_sha256")
            check_function(name, given, own, content)
        # The others need not see the directory.
        demos, saved = group.from_first(lambda: (read_demos(path, record), newest_run(path)))
        _warn(path, record, changed, is_new=saved is None)
        source = env_of_run(path, record.env_id, env, env_kwargs)
        tasks = open_tasks(config, task_source)
        with prepare_run(
            source, config, demos, collectors, strategy, observers, executor, tasks=tasks,
            group=group,
        ) as (trainer, _):  # fmt: skip
            group.at_first(lambda: remember_steered(path, trainer, alone=group.size == 1))
            restored = None if saved is None else restore_saved(path, trainer, saved)
            if not may_be_over:
                check_longer(path, trainer.progress.env_steps, changed)
            _describe_finished(path, trainer)
            if lock is None:
                return run_beside(path, trainer, group)
            with reopen_run(lock, path, record, trainer, changed, saved) as directory:
                return run_in(directory, trainer, restored, group)


def _warn(path: Path, record: RunRecord, changed: Mapping[str, Any], *, is_new: bool) -> None:
    """Log what keeps a run from being continued to the same bits."""
    if is_new:
        _log.warning("%s: no checkpoint yet; the run begins again", path)
    if versions := changed_versions(record):
        listed = printable(describe_changes(versions))
        _log.warning("%s: the run continues, but not to the same bits", listed)
    if "device" in changed:
        _log.warning("%s: the run continues on another device, not to the same bits", path)


def _open_config(config: ConfigLike | None, own: TrainConfig) -> TrainConfig:
    if config is None:
        return own
    return own.with_(config) if isinstance(config, Mapping) else open_config(config)


def _describe_finished(path: Path, trainer: Trainer) -> None:
    """Log that nothing is left to do, and what continues the run, if that is so."""
    taken, config = trainer.progress.env_steps, trainer.config
    if not trainer.finished or trainer.state.evaluated_at != taken:
        return
    if taken >= config.env_steps:
        done, remedy = f"{taken} env steps are taken", f"--env-steps above {taken} makes it longer"
    else:
        done = f"target_success {config.target_success} was reached after {taken} env steps"
        remedy = "a higher --target-success continues it"
    _log.info("%s: the run is finished, %s; %s", path, done, remedy)
