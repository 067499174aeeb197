"""Which columns of a file are observation and goals, where the file does not call them so."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.demos.recorded import Recorded
from headstart.errors import InputError

FINAL = "final"
"""In place of columns: the goal of an episode is what it has achieved at its end."""
_PART = re.compile(r"([^\s,\[\]]+)(?:\[(\d{0,9}):(\d{0,9})\])?")


class Columns(NamedTuple):
    """Some columns of an array of a file."""

    name: str
    start: int | None
    stop: int | None


@dataclass(frozen=True)
class StateMap:
    """What observation and goals are made of, each of columns side by side.

    ``None`` leaves it to the file's own names.
    """

    observation: tuple[Columns, ...] | None = None
    achieved_goal: tuple[Columns, ...] | None = None
    desired_goal: tuple[Columns, ...] | None = None
    is_final: bool = False
    """Whether goals are what episodes achieve at their end, in place of ``desired_goal``."""

    @classmethod
    def read(
        cls,
        observation: str | None = None,
        achieved_goal: str | None = None,
        desired_goal: str | None = None,
    ) -> "StateMap":
        """Return the map that text says, such as ``"qpos[0:2],obs/object"``.

        Raises:
            InputError: if a text is not a list of names, each with a range or none.
        """
        given = {"observation": observation, "achieved_goal": achieved_goal}
        parts = {name: _columns(name, text) for name, text in given.items()}
        is_final = desired_goal == FINAL
        goal = None if is_final else _columns("desired_goal", desired_goal)
        return cls(**parts, desired_goal=goal, is_final=is_final)

    def __bool__(self) -> bool:
        return self != StateMap()

    def or_else(self, other: "StateMap") -> "StateMap":
        """Return this map, with what it leaves open taken from another one."""
        taken = replace(
            self,
            observation=self.observation or other.observation,
            achieved_goal=self.achieved_goal or other.achieved_goal,
        )
        if self.desired_goal or self.is_final:
            return taken
        return replace(taken, desired_goal=other.desired_goal, is_final=other.is_final)

    def names(self) -> list[str]:
        """Return the names of all arrays that are read."""
        parts = (self.observation, self.achieved_goal, self.desired_goal)
        return list(dict.fromkeys(each.name for part in parts for each in part or ()))


def take(columns: Sequence[Columns], arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return columns of arrays with a row for each state, side by side.

    Raises:
        ValueError: if an array has fewer columns, or they have different numbers of rows.
    """
    parts = []
    for name, start, stop in columns:
        array = arrays[name]
        if array.ndim > 2:
            raise ValueError(f"{name} has shape {array.shape}, not one vector a row")
        rows = array.reshape(len(array), -1)
        if stop is not None and stop > rows.shape[1]:
            raise ValueError(f"{name} has {rows.shape[1]} columns, of which {stop} are named")
        parts.append(rows[:, start:stop])
    if len({len(part) for part in parts}) != 1:
        lengths = ", ".join(
            f"{each.name} {len(part)}" for each, part in zip(columns, parts, strict=True)
        )
        raise ValueError(f"arrays have different numbers of rows: {lengths}")
    return np.concatenate(parts, axis=1)


def with_final_goals(recorded: Recorded, longest: int) -> Iterator[Recorded]:
    """Yield the parts of an episode that are as long as the time limit, each with its own goal.

    Args:
        recorded: an episode, whose desired goals do not matter.
        longest: steps of a part at most.
    """
    steps = min(len(recorded.actions), len(recorded.observations) - 1)
    for start in range(0, steps, longest):
        stop = min(start + longest, steps)
        goal = recorded.achieved_goals[stop : stop + 1]
        yield Recorded(
            observations=recorded.observations[start : stop + 1],
            achieved_goals=recorded.achieved_goals[start : stop + 1],
            desired_goals=np.repeat(goal, stop - start, axis=0),
            actions=recorded.actions[start:stop],
            success=np.full(stop - start, np.nan),
            reward_infos=recorded.reward_infos[start:stop],
            terminated=None,
        )


def _columns(name: str, text: str | None) -> tuple[Columns, ...] | None:
    if text is None:
        return None
    matches = [_PART.fullmatch(part.strip()) for part in text.split(",")]
    found = []
    for match in matches:
        start, stop = (match[2], match[3]) if match else (None, None)
        limits = [int(end) if end else None for end in (start, stop)]
        if match is None or (limits[1] is not None and limits[1] <= (limits[0] or 0)):
            option = name.replace("_", "-")
            raise InputError(
                f"--{option} must be names of arrays, each with a range of columns or none, such "
                f"as qpos[0:2],obs/object, got {text!r}"
            )
        found.append(Columns(match[1], *limits))
    return tuple(found)
