"""Where each episode lies in the arrays of a file, whichever way they are laid out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.demos.foreign.importer import MOST_EPISODES
from headstart.envs.goal_env import GoalSpec

Rows = NDArray[Any] | Sequence[NDArray[Any]]
"""An array, or one for each episode."""
Arrays = Mapping[str, Rows]

_FLAGS = ("terminated", "truncated", "done")
_HOW_TO_SAY = (
    "it does not say where its episodes end: add an array episode_lengths, the steps of each "
    "episode, or give the arrays one row an episode, (N, T, width)"
)


@dataclass(frozen=True)
class Layout:
    """The episodes of a file."""

    lengths: NDArray[np.int64]  # (N,), steps of each
    longest: int | None
    """How many steps a row has, where each episode has a row; None where all lie in one row or each
    episode has an array."""
    in_one_row: bool

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, part: str, array: Rows, number: int, width: int) -> NDArray[Any]:
        """Return what an array has of an episode of ``T`` steps.

        Args:
            part: what the array is, for the messages.
            array: the array.
            number: of the episode.
            width: of a row.

        Returns:
            ``(T + 1, width)`` for states, ``(T, width)`` for steps, or ``(1, width)`` if it has one
            row for the whole episode.

        Raises:
            ValueError: if it does not go with the actions.
        """
        if isinstance(array, np.ndarray) and self.in_one_row:
            return _matrix(self._slice(part, array, number), width)
        if len(array) != len(self):
            raise ValueError(f"{part} has {len(array)} episodes, actions has {len(self)}")
        row = array[number]
        if isinstance(array, np.ndarray) and self.longest is not None and row.ndim:
            # What fills a row up to the length of the longest episode is left out.
            extra = len(row) - self.longest
            row = row[: self.lengths[number] + extra] if extra in (0, 1) else row
        return _matrix(row, width)

    @cached_property
    def _stops(self) -> NDArray[np.int64]:
        return np.cumsum(self.lengths)

    def _slice(self, part: str, array: NDArray[Any], number: int) -> NDArray[Any]:
        """Return the rows of an episode, out of those of all episodes."""
        stop, steps, episodes = int(self._stops[number]), int(self._stops[-1]), len(self)
        start = stop - int(self.lengths[number])
        if len(array) == steps:
            return array[start:stop]
        if len(array) == steps + episodes:
            return array[start + number : stop + number + 1]
        if len(array) == episodes:
            return array[number : number + 1]
        raise ValueError(
            f"{part} has {len(array)} rows; {steps} steps in {episodes} episodes need {steps}, "
            f"or {steps + episodes} with the last state of each episode"
        )


def find_layout(arrays: Arrays, spec: GoalSpec) -> Layout:
    """Return where the episodes lie.

    Args:
        arrays: by part, see ``headstart.demos.foreign.array_names``.
        spec: the environment.

    Raises:
        ValueError: if it cannot be known.
    """
    actions, observations = arrays["actions"], arrays["observations"]
    if not isinstance(actions, np.ndarray):
        return Layout(np.array([len(episode) for episode in actions]), None, in_one_row=False)
    widths = {"actions": spec.action_dim, "observations": spec.observation_dim}
    if all(_is_flat(arrays[part], width) for part, width in widths.items()):
        return Layout(_flat_lengths(arrays, len(actions), len(observations), spec), None, True)
    if actions.ndim < 2:
        raise ValueError(f"actions has shape {actions.shape}, observations one row an episode")
    return Layout(_row_lengths(arrays, actions), actions.shape[1], in_one_row=False)


def _is_flat(array: Rows, width: int) -> bool:
    """Return whether an array has a row for each step, and not for each episode."""
    if not isinstance(array, np.ndarray) or array.ndim > 2:
        return False
    return array.ndim < 2 or width > 1 or array.shape[1] == 1


def _row_lengths(arrays: Arrays, actions: NDArray[Any]) -> NDArray[np.int64]:
    """Return the steps of each episode, where each has a row of the same length."""
    episodes, longest = actions.shape[:2]
    if "lengths" in arrays:
        lengths = _whole_numbers("episode_lengths", arrays["lengths"], longest)
        if len(lengths) != episodes:
            raise ValueError(f"episode_lengths has {len(lengths)} entries, actions {episodes}")
        return lengths
    ended = np.zeros((episodes, longest), bool)
    for part in _FLAGS:
        flags = arrays.get(part)
        if isinstance(flags, np.ndarray) and flags.size == ended.size:
            ended |= flags.reshape(ended.shape) != 0
    # What follows the first end only fills the row.
    lengths = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, longest)
    return np.asarray(lengths, np.int64)


def _flat_lengths(arrays: Arrays, steps: int, states: int, spec: GoalSpec) -> NDArray[np.int64]:
    """Return the steps of each episode, where all steps lie in one row."""
    stops = _stops(arrays, steps)
    if stops is None:
        if steps > spec.max_episode_steps or states not in (steps, steps + 1):
            raise ValueError(_HOW_TO_SAY)
        stops = np.array([steps])
    lengths = np.diff(stops, prepend=0)
    if (lengths < 0).any() or int(lengths.sum()) != steps:
        raise ValueError(
            f"its episodes must follow one another and add up to the {steps} steps of actions; "
            f"{len(lengths)} episodes are of {int(lengths.sum())}"
        )
    return lengths.astype(np.int64)


def _stops(arrays: Arrays, steps: int) -> NDArray[np.int64] | None:
    """Return the step after the last of each episode, as the file says it, if it does."""
    if "lengths" in arrays:
        return np.cumsum(_whole_numbers("episode_lengths", arrays["lengths"], steps))
    if "ends" in arrays and not _are_flags(arrays["ends"], steps):
        ends = _whole_numbers("episode_ends", arrays["ends"], steps)
        # Some write the last step of an episode, others the first of the next one.
        return ends + np.int64(ends.max(initial=0) == steps - 1)
    if "starts" in arrays:
        starts = arrays["starts"]
        if isinstance(starts, np.ndarray) and _are_flags(starts, steps):
            starts = np.flatnonzero(starts)
        starts = _whole_numbers("episode_starts", starts, steps)
        if len(starts) and starts[0] != 0:
            raise ValueError(f"episode_starts must begin with 0, got {starts[0]}")
        return np.concatenate([starts[1:], [steps]])
    flags = [arrays[part] for part in (*_FLAGS, "ends") if part in arrays]
    if not flags:
        return None
    ended = np.zeros(steps, bool)
    for array in flags:
        if not isinstance(array, np.ndarray) or array.size != steps:
            raise ValueError(f"an array of ends must have {steps} entries, one for each action")
        ended |= array.reshape(steps) != 0
    ended[-1:] = True  # An episode that the file breaks off.
    return np.flatnonzero(ended) + 1


def _are_flags(array: Rows, steps: int) -> bool:
    if not isinstance(array, np.ndarray) or array.size != steps:
        return False
    return array.dtype == bool or (steps > 1 and bool(np.isin(array, (0, 1)).all()))


def _whole_numbers(name: str, array: Rows, most: int) -> NDArray[np.int64]:
    """Return an array of integers in ``[0, most]``, ``(N,)``."""
    numbers = np.asarray(array) if isinstance(array, np.ndarray) else np.full(1, np.nan)
    if numbers.size > MOST_EPISODES:
        raise ValueError(f"it has more than {MOST_EPISODES} episodes")
    inside = (numbers >= 0) & (numbers <= most)  # NaN is not
    if not inside.all() or (numbers != np.round(numbers)).any():
        raise ValueError(f"{name} must be whole numbers from 0 to {most}, one for each episode")
    return numbers.reshape(-1).astype(np.int64)


def _matrix(rows: NDArray[Any], width: int) -> NDArray[Any]:
    """Return what a file has of one episode as ``(rows, width)``, if it is that."""
    if rows.ndim < 2:
        return rows.reshape(-1, 1) if width == 1 else rows.reshape(1, -1)
    return rows
