"""Episodes whose parts are named by the user, out of a file of any kind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.demos.foreign.array_file import read_arrays
from headstart.demos.foreign.array_layout import find_layout
from headstart.demos.foreign.array_names import find_names
from headstart.demos.foreign.importer import EpisodeImporter, naming
from headstart.demos.foreign.mapping import Columns, StateMap, take, with_final_goals
from headstart.demos.recorded import Recorded
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.errors import InputError
from headstart.files.npz import DAMAGED, reason_of
from headstart.text import printable


@dataclass(frozen=True)
class Named:
    """One episode of a file: arrays by name, each with a row for every state or step."""

    name: str
    arrays: Mapping[str, NDArray[Any]]  # of states, (T + 1 or T, ...)
    actions: NDArray[Any]  # (T, action_dim)
    success: NDArray[Any] | None = None  # (T,)


def import_named(
    episodes: Iterable[Named], states: StateMap, spec: GoalSpec, importer: EpisodeImporter
) -> list[str]:
    """Take all episodes, and return remarks on them.

    Args:
        episodes: of the file.
        states: what observation and goals are made of; it leaves nothing open.
        spec: the environment.
        importer: makes demonstrations of them.

    Raises:
        ValueError: if an episode does not fit.
    """
    assert states.observation is not None
    assert states.achieved_goal is not None
    for episode in episodes:
        with naming(episode.name):
            steps = len(episode.actions)
            achieved = take(states.achieved_goal, episode.arrays)
            # Where goals are final, none is read.
            goals = achieved if states.is_final else take(states.desired_goal or (), episode.arrays)
            success = np.full(steps, np.nan) if episode.success is None else episode.success
            recorded = Recorded(
                observations=take(states.observation, episode.arrays),
                achieved_goals=achieved,
                desired_goals=goals,
                actions=episode.actions,
                success=success,
                reward_infos=np.zeros((steps, len(spec.reward_info_keys))),
            )
            if not states.is_final:
                importer.add(recorded)
                continue
            importer.check(recorded)
            for part in with_final_goals(recorded, spec.max_episode_steps):
                importer.add(part)
    return ["Goals are what the episodes have achieved at their ends."] * states.is_final


def require_no_infos(spec: GoalSpec) -> None:
    """Refuse an environment whose reward reads what such files do not have.

    Raises:
        ValueError: that names it.
    """
    if spec.reward_info_keys:
        raise ValueError(
            f"the reward of {spec.env_id} reads {', '.join(spec.reward_info_keys)} of info, which "
            f"it does not have"
        )


_STATES = ("observations", "achieved_goals", "desired_goals", "next_observations",
           "next_achieved_goals")  # fmt: skip


def load_named_arrays(
    path: Path, spec: GoalSpec, reward: GoalReward | None, states: StateMap
) -> DemoSet:
    """Read demonstrations from a ``.npz``, each array with a row for each state, (rows, width).

    Where an episode has as many actions as states, the last of them leads to no state that is
    there, and is left out: data sets of OGBench are so. Goals are what episodes have achieved at
    their ends unless ``states`` says otherwise.

    Args:
        path: the file.
        spec: the environment that the demonstrations are for.
        reward: says which steps succeed where the file does not.
        states: which arrays are achieved goal, and observation if that is not called so.

    Raises:
        InputError: if it is damaged, the map leaves something open, or it does not fit.
    """
    try:
        require_no_infos(spec)
        parts: dict[str, str] = {}
        read, _ = read_arrays(path, partial(_choose, states=states, parts=parts))
        arrays = {name: _check(name, value) for name, value in read.items()}
        observation = states.observation or (Columns(parts["observations"], None, None),)
        whole = states.or_else(StateMap(observation=observation, is_final=True))
        importer = EpisodeImporter(spec, reward)
        remarks = import_named(_episodes(arrays, parts, whole, spec), whole, spec, importer)
        return importer.demos(path.name, "arrays", remarks)
    except DAMAGED as error:
        raise InputError(f"{path}: cannot be imported: {reason_of(error)}") from error


def _choose(names: Sequence[str], states: StateMap, parts: dict[str, str]) -> Mapping[str, str]:
    """Return the arrays to read, each by its own name; ``parts`` holds which part is which."""
    found = find_names(names)
    for part in _STATES[1:]:
        found.pop(part, None)
    parts.update(found)
    if states.achieved_goal is None:
        raise ValueError("say what is achieved: --achieved-goal 'NAME[0:2]'")
    wanted = states.names()
    wanted += [found[part] for part in found if part != "observations" or not states.observation]
    missing = [name for name in wanted if name not in names]
    missing += [part for part in ("actions", "observations") if part not in found and not
                (part == "observations" and states.observation)]  # fmt: skip
    if missing:
        raise ValueError(f"it has no {missing[0]}; it has {printable(', '.join(names), 300)}")
    return {name: name for name in dict.fromkeys(wanted)}


def _check(name: str, value: Any) -> NDArray[Any]:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf" or not value.ndim:
        raise ValueError(f"{name} is not an array of numbers")
    return value


def _episodes(
    arrays: Mapping[str, NDArray[Any]], parts: Mapping[str, str], states: StateMap, spec: GoalSpec
) -> Iterator[Named]:
    assert states.observation is not None
    by_part = {part: arrays[name] for part, name in parts.items() if name in arrays}
    by_part["observations"] = arrays[states.observation[0].name]
    layout = find_layout(by_part, spec)
    for number in range(len(layout)):
        actions = layout.rows("actions", by_part["actions"], number, spec.action_dim)
        rows = {
            name: layout.rows(name, array, number, array.shape[-1] if array.ndim > 1 else 1)
            for name, array in arrays.items()
            if name in states.names()
        }
        success = None
        if "success" in by_part:
            column = layout.rows("success", by_part["success"], number, 1)
            success = column.reshape(-1).astype(np.float64) if len(column) == len(actions) else None
        yield Named(f"episode {number}", rows, actions, success)
