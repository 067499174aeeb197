"""One reader for demonstrations of every kind, used wherever demonstrations are named."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.demos.foreign.joining import join_demos, remarks_of, with_remark
from headstart.demos.foreign.mapping import StateMap
from headstart.demos.foreign.sources import load_source
from headstart.demos.storage import DemoSet, load_demos
from headstart.demos.task_ids import check_same_task, is_same_id
from headstart.envs.episode_check import EpisodeCheck
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.errors import InputError
from headstart.text import printable

Source = DemoSet | str | Path
"""A set, a demo file, a file of another kind, or a Minari dataset by its id or its directory."""
Demos = Source | Iterable[Source]
"""Demonstrations, the path of a demo file, or several of these."""


def open_demos(demos: Demos) -> DemoSet:
    """Return demonstrations as one set, in the order in which they are given.

    Files of others are read by ``read_demos``, which needs to know their environment.

    Raises:
        InputError: if a file cannot be read, sets are of different environments, or something is
            neither demonstrations nor a path.
    """
    return join_demos(
        [
            (name, each if isinstance(each, DemoSet) else load_demos(each))
            for name, each in list_demos(demos)
        ]
    )


def list_demos(demos: Demos) -> list[tuple[str, Source]]:
    """Return what demonstrations are given, each with what to call it in messages.

    Raises:
        InputError: if there are none, or something is neither demonstrations nor a path.
    """
    if isinstance(demos, DemoSet | str | Path):
        demos = [demos]
    elif isinstance(demos, Mapping):
        raise InputError(
            "demos must be a DemoSet or a path, got a dict; write its arrays to a file, "
            "numpy.savez('demos.npz', **arrays), and pass its path"
        )
    elif not isinstance(demos, Iterable):
        raise InputError(f"demos must be a DemoSet or a path, got {type(demos).__name__}")
    listed = list(demos)
    if not listed:
        raise InputError("demos is empty; give a DemoSet, a path, or several of these")
    return [(_name(each, number, len(listed)), each) for number, each in enumerate(listed)]


def _name(each: Any, number: int, count: int) -> str:
    if isinstance(each, DemoSet):
        return f"demos[{number}]" if count > 1 else "demos"
    if isinstance(each, str | Path):
        return str(each)
    hint = "; several episodes are DemoSet(env_id, episodes)" if hasattr(each, "actions") else ""
    raise InputError(
        f"demos must be DemoSets or paths, got a list with {type(each).__name__}{hint}"
    )


_log = logging.getLogger("headstart")


def read_demos(
    sources: Demos,
    spec: GoalSpec,
    reward: GoalReward | None = None,
    *,
    of_any_env: bool = False,
    log: bool = True,
    states: StateMap | None = None,
) -> DemoSet:
    """Read demonstrations of any kind that is known, and join them where they are several.

    A file is untrusted: nothing in it is run, and no environment that it names is built.

    Args:
        sources: one or several of: a ``DemoSet``; a demo file; a ``.npz`` of OpenAI Baselines, of a
            HER buffer, or of plain arrays; the id of a Minari dataset, or its directory; that of a
            LeRobot dataset; an HDF5 file of robomimic; a run directory, for the demonstrations of
            that run.
        spec: the environment that they are for.
        reward: says which steps succeed where a file does not; without it they count as failures.
        of_any_env: whether they may be of another task than ``spec`` is.
        log: whether to log what was changed.
        states: which columns are observation and goals, in files that do not call them so.

    Returns:
        The demonstrations, as those of ``spec``; what was changed in them is in the ``remarks`` of
        the header.

    Raises:
        InputError: if one is missing, damaged, of no known kind, or does not fit the environment.
    """
    reader = _Reader(spec, reward, of_any_env, log, states or StateMap())
    return join_demos([(name, reader.read(source, name)) for name, source in list_demos(sources)])


@dataclass(frozen=True)
class _Reader:
    """Reads sources for one environment."""

    spec: GoalSpec
    reward: GoalReward | None
    of_any_env: bool
    log: bool
    states: StateMap

    def read(self, source: Source, name: str) -> DemoSet:
        """Return what a source holds, fitted to the environment."""
        if isinstance(source, DemoSet):
            found, known = source, remarks_of(source)
        else:
            found = load_source(source, self.spec, self.reward, self.states)
            known = remarks_of(found) if "schema" in found.header else []
            if not self.of_any_env:
                check_same_task(found.env_id, self.spec.env_id, source)
        try:
            demos = self._fit(found)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
        news = [remark for remark in remarks_of(demos) if remark not in known]
        if news and self.log:
            _log.warning("%s: %s", name, printable(" ".join(news), longest=None))
        return demos

    def _fit(self, demos: DemoSet) -> DemoSet:
        """Return demonstrations as those of the environment, which may pay other rewards."""
        if not demos.episodes:
            return demos
        if not self.of_any_env:
            demos.check_fits(self.spec)
        if not is_same_id(demos.env_id, self.spec.env_id):
            remark = f"Recorded with {printable(demos.env_id)}, used for {self.spec.env_id}."
            demos = with_remark(_without_rewards(demos), remark)
        demos = replace(demos, env_id=self.spec.env_id)
        demos.check_fits(self.spec)
        return self._without_other_rewards(demos)

    def _without_other_rewards(self, demos: DemoSet) -> DemoSet:
        """Return demonstrations without rewards that the environment does not pay.

        Its arguments may be others than when they were recorded; what is learned from is computed.
        """
        if self.reward is None or self.spec.adds_unexplained:
            return demos
        check = EpisodeCheck(self.reward)
        others = sum(int(check.unexplained(ep).astype(bool).sum()) for ep in demos.episodes)
        if not others:
            return demos
        remark = (
            f"{others} of {demos.num_transitions} rewards are not those that {self.spec.env_id} "
            f"computes, and are left out."
        )
        return with_remark(_without_rewards(demos), remark)


def _without_rewards(demos: DemoSet) -> DemoSet:
    """Return demonstrations that do not say what each step paid."""
    nothing = np.zeros(0, np.float32)
    episodes = tuple(replace(episode, rewards=nothing) for episode in demos.episodes)
    return replace(demos, episodes=episodes)
