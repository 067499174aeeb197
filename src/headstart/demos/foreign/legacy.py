"""Demonstrations of OpenAI Baselines: the files called ``data_fetch_random_100.npz`` and the like.

Their arrays ``acs``, ``obs`` and ``info`` hold for each episode the actions, the observation dicts
and the info dicts. All but the actions are pickled, so ``numpy.load`` would run whatever the
file asks for; here only plain values and arrays of numbers come out of it.
"""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from headstart.demos.foreign.importer import EpisodeImporter, naming
from headstart.demos.foreign.plain_values import MAX_STATES, items, stack_vectors, to_float
from headstart.demos.recorded import Recorded
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec, success_key
from headstart.errors import InputError
from headstart.files.npz import DAMAGED, open_archive, read_member, reason_of
from headstart.files.paths import user_path
from headstart.files.restricted_pickle import read_pickle

MAX_BYTES = 128 * 2**20
"""What all members together may unpack to: 100 episodes of pick-and-place take 3 MiB.

With ``restricted_pickle.MAX_OPERATIONS`` it bounds the memory that any file can take, to about
2.5 GiB.
"""

_ACTIONS = ("acs", "epacs", "actions", "acts")
_STATES = ("obs", "epobs", "observations")
_INFOS = ("info", "epinfo", "infos")
"""The keys of Baselines, of scripts that write a file for each episode, and of others."""


def load_legacy_demos(
    path: str | Path, spec: GoalSpec, reward: GoalReward | None = None
) -> DemoSet:
    """Read the demonstrations of a Baselines file. Nothing that is in it is run.

    Actions beyond the bounds are clipped, episodes are cut to the time limit of ``spec``, and what
    was changed is in the ``remarks`` of the header.

    Args:
        path: the file, of Python 2 or 3.
        spec: the environment that the demonstrations are of; the file does not name it.
        reward: says which steps succeed where info does not; without it they count as failures.

    Raises:
        InputError: if the file is missing, damaged, too large, not of this kind or environment, or
            holds anything else than plain values and arrays of numbers.
    """
    path = user_path(path)
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file of demonstrations")
    actions, states, infos = _contents(path)
    reader, importer = LegacyEpisodes(spec), EpisodeImporter(spec, reward)
    try:
        for number, parts in enumerate(zip(actions, states, infos, strict=True)):
            with naming(f"episode {number}"):
                importer.add(reader.read(*parts))
        return importer.demos(path.name, "baselines")
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def is_legacy(names: Collection[str]) -> bool:
    """Return whether arrays of these names can be those of a Baselines file."""
    return not {*_ACTIONS}.isdisjoint(names) and not {*_STATES}.isdisjoint(names)


def _contents(path: Path) -> list[Sequence[Any]]:
    """Return what the file has of each episode: actions, states, and infos or ``None``."""
    try:
        with path.open("rb") as file, open_archive(file, MAX_BYTES) as archive:
            names = {name[:-4] for name in archive.namelist() if name.endswith(".npy")}
            if "header" in names:
                raise ValueError("it is a headstart demo file already and needs no import")
            if not is_legacy(names):
                raise ValueError("it is not a Baselines file, which has acs, obs and mostly info")
            keys = [next(key for key in group if key in names) for group in (_ACTIONS, _STATES)]
            keys += [key for key in _INFOS if key in names][:1]
            parts = [_values(archive, key) for key in keys]
    except DAMAGED as error:
        raise InputError(f"{path}: cannot be imported: {reason_of(error)}") from error
    if len(parts[1]) > 0 and isinstance(parts[1][0], dict):  # the file of a single episode
        parts = [[part] for part in parts]
    if len({len(part) for part in parts}) > 1:
        counts = ", ".join(f"{len(part)} of {key}" for key, part in zip(keys, parts, strict=True))
        raise InputError(f"{path}: the numbers of episodes differ: {counts}")
    if isinstance(parts[1], np.ndarray) and len(parts[1]):
        raise InputError(
            f"{path}: its {keys[1]} are numbers, and it has no achieved_goals and desired_goals, "
            f"which demonstrations of a goal environment need"
        )
    if len(parts) < 3:
        parts.append([None] * len(parts[0]))
    return parts


def _values(archive: ZipFile, name: str) -> Sequence[Any]:
    """Return what a member holds, of each episode."""
    values = read_member(archive, name, objects=read_pickle)
    # An array of many rows without numbers would take forever to go through.
    return [] if isinstance(values, np.ndarray) and not values.size else items(values, name)


class LegacyEpisodes:
    """Reads the episodes of a file one after the other, up to ``MAX_STATES`` of all of them."""

    def __init__(self, spec: GoalSpec) -> None:
        self._spec = spec
        self._num_states = 0

    def read(self, actions: Any, states: Any, infos: Any) -> Recorded:
        """Return what the file has of one episode.

        Args:
            actions: ``T`` vectors.
            states: ``T + 1`` observation dicts, or ``T``.
            infos: ``T`` info dicts, or ``None``.

        Raises:
            ValueError: if it is not of this form, or too long.
        """
        actions, states = items(actions, "its actions"), items(states, "its obs")
        infos = [{}] * len(actions) if infos is None else items(infos, "its info")
        if len(states) not in (len(actions), len(actions) + 1) or len(infos) != len(actions):
            raise ValueError(
                f"it has {len(actions)} actions, {len(states)} obs and {len(infos)} info; "
                f"{len(actions)} actions need {len(actions) + 1} obs and {len(actions)} info"
            )
        # What lies beyond the time limit is not kept, and not looked at either.
        limit = self._spec.max_episode_steps + 1
        actions, states, infos = actions[:limit], states[: limit + 1], infos[:limit]
        self._num_states += len(states)
        if self._num_states > MAX_STATES:
            raise ValueError(f"with it the file has more than {MAX_STATES} states")
        spec = self._spec
        return Recorded(
            achieved_goals=self._states(states, "achieved_goal", spec.goal_dim),
            observations=self._states(states, "observation", spec.observation_dim),
            desired_goals=self._states(states, "desired_goal", spec.goal_dim),
            actions=stack_vectors(actions, "action {}", spec.action_dim, spec.env_id),
            success=_success(infos),
            reward_infos=self._reward_infos(infos),
        )

    def _states(self, states: Sequence[Any], key: str, width: int) -> NDArray[Any]:
        """Return one part of the states, ``(T + 1, width)``."""
        for step, state in enumerate(states):
            if not isinstance(state, dict) or key not in state:
                raise ValueError(f"obs {step} has no {key}, which a goal environment needs")
        values = [state[key] for state in states]
        return stack_vectors(values, f"the {key} of obs {{}}", width, self._spec.env_id)

    def _reward_infos(self, infos: Sequence[Any]) -> NDArray[Any]:
        """Return what the reward reads of the infos, ``(T, info_dim)``."""
        keys = self._spec.reward_info_keys
        for step, info in enumerate(infos):
            missing = [key for key in keys if key not in info]
            if missing:
                raise ValueError(
                    f"info {step} has no {missing[0]}, which the reward of {self._spec.env_id} "
                    f"reads"
                )
        rows = [[_number(info[key]) for key in keys] for info in infos]
        return np.array(rows).reshape(len(infos), len(keys))


def _success(infos: Sequence[Any]) -> NDArray[np.float64]:
    """Return the success of each step, ``(T,)``, NaN where its info does not say."""
    for step, info in enumerate(infos):
        if not isinstance(info, dict):
            raise ValueError(f"info {step} is not a dict")
    keys = [success_key(info) for info in infos]
    pairs = zip(infos, keys, strict=True)
    return np.array([np.nan if key is None else _number(info[key]) for info, key in pairs])


def _number(value: Any) -> float:
    """Return a number of an info dict."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if not isinstance(value, float | int):
        raise ValueError("its info has something else than a number where one belongs")
    return to_float(value)
