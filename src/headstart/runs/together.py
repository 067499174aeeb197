"""Several processes on one run: all are given the same, and the first one alone writes."""

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from headstart.agents.state import agent_state
from headstart.demos.expansion.cost import digest_of
from headstart.demos.storage import DemoSet
from headstart.dotted import walk
from headstart.errors import RunError, SharedInputError
from headstart.policy import Policy
from headstart.runs.identity import content_of
from headstart.runs.record import current_versions
from headstart.training.config import TrainConfig
from headstart.training.evaluation import EvalResult
from headstart.training.group import Group
from headstart.training.observer import Observer, RunHandle
from headstart.training.trainer import Trainer

T = TypeVar("T")


def check_together(
    group: Group,
    env_id: str,
    config: TrainConfig,
    out: str | Path | None,
    *functions: object | None,
) -> None:
    """Refuse processes that are not asked for the same run, or have other versions.

    Args:
        group: the processes.
        env_id: the environment.
        config: all settings.
        out: the run directory, which they need.
        functions: the user's own, for hindsight goals for instance.

    Raises:
        InputError: names the first process that differs, and in what.
    """
    if group.size == 1:
        return
    if out is None:
        raise SharedInputError("a run under torchrun needs a run directory: --out DIR, out=DIR")
    settings = {setting.name: str(setting.value) for setting in walk(config)}
    versions = {f"version of {name}": it for name, it in current_versions().items()}
    python = ".".join(map(str, sys.version_info[:3]))
    contents = {f"function {number}": content_of(it) for number, it in enumerate(functions)}
    what = {"environment": env_id, "out": str(out), **settings, **versions, **contents}
    _compare(group, {**what, "version of Python": python})


def count_processes(config: TrainConfig, group: Group) -> TrainConfig:
    """Return settings that say how many processes have replays of their own, if they have.

    Raises:
        InputError: if there are others than the settings say, or fewer episodes than processes.
    """
    learner, size = config.learner, group.size
    if learner.mode == "sharded":
        return config
    if learner.processes not in (None, size):
        raise SharedInputError(
            f"learner.mode per-process: the run is that of {learner.processes} processes, each "
            f"with its own replay, and this is {size}: torchrun --nproc-per-node "
            f"{learner.processes} -m headstart ..."
        )
    if 0 < (config.warm_start.episodes or size) < size:
        raise SharedInputError(
            f"warm_start.episodes {config.warm_start.episodes} is less than one for each of the "
            f"{size} processes; pass 0, or {size} or more"
        )
    return replace(config, learner=replace(learner, processes=size))


def check_networks_alike(group: Group, trainer: Trainer) -> None:
    """Refuse to continue with processes whose networks differ.

    Raises:
        RunError: names one that differs.
    """
    digest = hashlib.sha256()
    for agent in trainer.contest.agents.values():
        for name, tensor in agent_state(agent).items():
            digest.update(name.encode() + tensor.numpy().tobytes())
    first, *others = group.gathered(digest.hexdigest())
    for rank, other in enumerate(others, 1):
        if other != first:
            raise RunError(
                f"process {rank} holds other networks than process 0: another init_policy, or a "
                f"processor that rounds differently; use machines of one kind"
            )


class AllAlike(Observer):
    """Compares the networks of all processes at every evaluation."""

    def __init__(self, group: Group, trainer: Trainer) -> None:
        self._group, self._trainer = group, trainer

    def started(self, config: TrainConfig, run: RunHandle) -> None:
        """Compare them before the first step."""
        check_networks_alike(self._group, self._trainer)

    def evaluated(self, policy: Policy, result: EvalResult, metrics: dict[str, float]) -> None:
        """Compare them."""
        check_networks_alike(self._group, self._trainer)


def check_demos_alike(group: Group, demos: DemoSet | None) -> None:
    """Refuse processes that have read other demonstrations than the first one.

    Raises:
        InputError: names one, and how many it has.
    """
    if group.size > 1:
        count = 0 if demos is None else len(demos.episodes)
        digest = digest_of(() if demos is None else demos.episodes)[:12]
        _compare(group, {"number of demonstrations": str(count), "hash of them": digest})


def _compare(group: Group, own: Mapping[str, str | None]) -> None:
    first, *others = group.gathered(own)
    for rank, other in enumerate(others, 1):
        for name, value in first.items():
            if other.get(name) != value:
                raise SharedInputError(
                    f"process {rank} differs from process 0: {name} is {other.get(name)} there and "
                    f"{value} here; start all with the same command, files and versions"
                )


@contextlib.contextmanager
def at_first(group: Group, manager: Callable[[], AbstractContextManager[T]]) -> Iterator[T | None]:
    """Enter what a function returns in the first process alone; the others get ``None``.

    Raises:
        InputError: in all, if entering it does so there.
    """
    with contextlib.ExitStack() as stack:
        yield group.at_first(lambda: stack.enter_context(manager()))
