"""``resume``: go on with a run as if it had never stopped."""

import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gymnasium.envs.registration import EnvSpec

from headstart.data.strategies import GoalStrategy
from headstart.envs.make import env_source
from headstart.envs.names import is_buildable, is_env_class
from headstart.envs.source import EnvLike, EnvSource
from headstart.errors import InputError, require
from headstart.paths import user_path
from headstart.rollout.executors import Executor
from headstart.text import printable
from headstart.training.adaptation import keep_adapted
from headstart.training.arguments import ConfigLike, open_config, open_strategy
from headstart.training.assembly import prepared
from headstart.training.audience import gather_observers
from headstart.training.changes import check_changes, differences, told
from headstart.training.checkpointer import SavedRun, newest_run, restore_saved
from headstart.training.config import StrategyName, TrainConfig
from headstart.training.execution import run_in
from headstart.training.follow_up import python_line
from headstart.training.identity import content_of, name_of
from headstart.training.lock import Lock, locked
from headstart.training.observer import Observer
from headstart.training.record import (
    RunRecord,
    current_versions,
    read_demos,
    read_record,
)
from headstart.training.result import TrainResult
from headstart.training.run_directory import RunDirectory
from headstart.training.seen import Seen
from headstart.training.trainer import Trainer

_log = logging.getLogger("headstart")


def resume(
    path: str | Path,
    config: ConfigLike | None = None,
    *,
    env: EnvLike | None = None,
    env_kwargs: Mapping[str, Any] | None = None,
    collectors: int = 0,
    executor: Executor | None = None,
    goal_strategy: GoalStrategy | StrategyName | None = None,
    allow_change: bool = False,
    observers: Iterable[Observer] | Observer | None = None,
    progress: bool = False,
) -> TrainResult:
    """Go on with a run from its newest whole checkpoint, to the same bits as if it never stopped.

    Args:
        path: the run directory.
        config: settings of the continued run, the run's own by default; a dict changes those of
            the run by dotted name, e.g. ``{"env_steps": 30_000}``.
        env: the environment, as ``train`` takes it; by default the one that the directory names,
            which must then be one that you trust: building it may import a module.
        env_kwargs: arguments of the environment, where ``env`` is given.
        collectors: processes that run episodes; no result depends on it.
        executor: runs the episodes in place of collectors, and stays open.
        goal_strategy: the function that the run was begun with, if it was.
        allow_change: whether ``config`` may differ in what learning depends on.
        observers: follow the run, and see nothing of it that they have seen before; see
            ``Observer``. One that fails is left out.
        progress: show progress on standard error: a live table on a terminal, lines elsewhere.

    Raises:
        InputError: if the directory holds no run, another process is working on it, or the run
            cannot go on with these settings, such as an ``env_steps`` that it has passed.
        RunError: as ``train``.
        RunInterrupted: as ``train``.
    """
    audience = gather_observers(observers, progress)
    path = user_path(path).absolute()
    record = read_record(path)
    with locked(path) as lock:
        config, strategy = open_strategy(_open_config(config, record.config), goal_strategy)
        config = keep_adapted(config, record.config)
        check_changes(record.config, config, allow=allow_change)
        _check_strategy(record, strategy)
        demos = read_demos(path, record)
        saved = newest_run(path)
        if saved is None:
            _log.warning("%s: no checkpoint yet; the run begins anew", path)
        _tell_versions(record)
        source = _source(path, record, env, env_kwargs)
        assembled = prepared(source, config, demos, collectors, strategy, audience, executor)
        with assembled as trainer:
            return _go_on(lock, path, record, config, trainer, saved)


def _open_config(config: ConfigLike | None, own: TrainConfig) -> TrainConfig:
    if config is None:
        return own
    return own.with_(config) if isinstance(config, Mapping) else open_config(config)


def _go_on(
    lock: Lock,
    path: Path,
    record: RunRecord,
    config: TrainConfig,
    trainer: Trainer,
    saved: SavedRun | None,
) -> TrainResult:
    restored = None if saved is None else restore_saved(path, trainer, saved)
    changed = differences(record.config, config)
    _check_env_steps(path, trainer.progress.env_steps, changed)
    _describe_finished(path, trainer)
    if changed:
        change = {"env_steps": trainer.progress.env_steps, "changed": changed}
        record = replace(record, config=config, changes=[*record.changes, change])
    rows, policies = (b"", {}) if saved is None else (saved.rows, saved.policies)
    with contextlib.ExitStack() as stack:
        try:
            if changed:
                record.write(path)
                # What observers have seen belongs to another course of the run.
                Seen().write(path)
            run = stack.enter_context(
                contextlib.closing(RunDirectory(lock, path, record, rows, policies))
            )
            run.put_back(max(trainer.evaluated_at, 0))
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror})") from error
        return run_in(run, trainer, restored)


def _check_env_steps(path: Path, taken: int, changed: Mapping[str, tuple[Any, Any]]) -> None:
    """Refuse a new length that the run has reached already."""
    _, asked = changed.get("env_steps", (None, None))
    if asked is not None and 0 < taken >= asked:
        raise InputError(
            f"{path}: env_steps {asked} is not more than the {taken} that the run has taken; "
            f"--env-steps above {taken} makes it longer"
        )


def _describe_finished(path: Path, trainer: Trainer) -> None:
    """Log that nothing is left to do, and what continues the run, if that is so."""
    taken, config = trainer.progress.env_steps, trainer.config
    if not trainer.finished or trainer.evaluated_at != taken:
        return
    if taken >= config.env_steps:
        done, remedy = f"{taken} env steps are taken", f"--env-steps above {taken} makes it longer"
    else:
        done = f"target_success {config.target_success} was reached after {taken} env steps"
        remedy = "a higher --target-success continues it"
    _log.info("%s: the run is finished, %s; %s", path, done, remedy)


def _source(
    path: Path, record: RunRecord, env: EnvLike | None, env_kwargs: Mapping[str, Any] | None
) -> EnvSource:
    """Return the environment that is given, or else the one that the directory names."""
    if env is not None:
        return env_source(env, env_kwargs)
    require(not env_kwargs, "env_kwargs belong to env, which is not given", env_kwargs)
    name = record.env_id
    if is_buildable(name):
        source = env_source(name)
        # A function that a file names is not called.
        if isinstance(source.origin, str | EnvSpec) or is_env_class(source.origin):
            return source
    raise InputError(
        f"{path}: it is for {printable(name)!r}, which does not say how to build it: "
        f"{python_line('resume', path, name)}"
    )


def _check_strategy(record: RunRecord, goal_strategy: GoalStrategy | None) -> None:
    given = name_of(goal_strategy)
    if given != record.goal_strategy:
        raise InputError(
            f"the run takes its hindsight goals from {record.goal_strategy or 'no function'}, "
            f"not from {given or 'none'}: resume(DIR, goal_strategy=...) from Python"
        )
    content = record.goal_strategy_sha256
    if content is not None and content != content_of(goal_strategy):
        raise InputError(
            f"goal_strategy {given} is not what it was when the run began: its source, its fields "
            f"or what it has captured differs; give it as it was, or train a new run"
        )


def _tell_versions(record: RunRecord) -> None:
    now = current_versions()
    changed = {
        name: (before, now[name])
        for name, before in record.versions.items()
        if name in now and now[name] != before
    }
    if changed:
        _log.warning("%s: the run goes on, but not to the same bits", printable(told(changed)))
