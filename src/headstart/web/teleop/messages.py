"""What the page of teleoperation may say; all else is refused."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

Deed = Literal[
    "start",
    "pause",
    "half",
    "undo",
    "success",
    "failure",
    "rerecord",
    "skip",
    "grip",
    "hold",
    "take",
    "end",
]
_MOST_NUMBERS = 64
_MOST_COUNT = 2**31


@dataclass(frozen=True)
class Stick:
    """Where the controls stand; all of it holds until the next one, or until it is too old."""

    number: int = 0
    """Which one it is, so that a page can tell in which picture it shows."""
    move: tuple[float, ...] = ()
    """Speed of the hand in [-1, 1] to the right, away and up, as the first picture shows it."""
    reach: tuple[float, ...] = ()
    """How much farther the hand is to move in the same directions, in the units of positions."""
    grip: bool | None = None
    """Whether the fingers are to be closed; ``None`` leaves them."""
    sliders: tuple[float, ...] = ()
    """The other entries of the action, in [-1, 1] each."""

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is asked for."""
        return not self.grip and not any(self.move + self.reach + self.sliders)


@dataclass(frozen=True)
class Do:
    """A key or button that was pressed."""

    deed: Deed


@dataclass(frozen=True)
class Keep:
    """Whether one of the episodes so far is to be in the file."""

    number: int
    is_kept: bool


@dataclass(frozen=True)
class Assist:
    """How much of each action the ghost decides, in [0, 1]."""

    share: float


Message = Stick | Do | Keep | Assist


def read_message(content: dict[str, Any]) -> Message:
    """Return what a page says.

    Raises:
        ValueError: if it is nothing of what a page may say.
    """
    kinds: dict[frozenset[str], Callable[..., Message]] = {
        frozenset(("number", "move", "reach", "grip", "sliders")): _stick,
        frozenset(("do",)): _do,
        frozenset(("keep", "is_kept")): _keep,
        frozenset(("assist",)): _assist,
    }
    kind = kinds.get(frozenset(content))
    if kind is None:
        raise ValueError(f"unknown message with {', '.join(sorted(content))[:60] or 'nothing'}")
    return kind(**content)


def _stick(number: Any, move: Any, reach: Any, grip: Any, sliders: Any) -> Stick:
    if grip is not None and not isinstance(grip, bool):
        raise ValueError("grip must be true, false or null")
    return Stick(
        _count("number", number),
        _numbers("move", move, 1.0),
        _numbers("reach", reach, 10.0),
        grip,
        _numbers("sliders", sliders, 1.0),
    )


def _do(do: Any) -> Do:
    if do not in get_args(Deed):
        raise ValueError(f"do must be one of {', '.join(get_args(Deed))}")
    return Do(do)


def _keep(keep: Any, is_kept: Any) -> Keep:
    if not isinstance(is_kept, bool):
        raise ValueError("is_kept must be true or false")
    return Keep(_count("keep", keep), is_kept)


def _assist(assist: Any) -> Assist:
    (share,) = _numbers("assist", [assist], 1.0)
    return Assist(max(share, 0.0))


def _count(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value < _MOST_COUNT:
        raise ValueError(f"{name} must be a whole number")
    return value


def _numbers(name: str, values: Any, most: float) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) > _MOST_NUMBERS:
        raise ValueError(f"{name} must be a list of at most {_MOST_NUMBERS} numbers")
    for value in values:
        if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > most:
            raise ValueError(f"{name} must hold numbers in [-{most:g}, {most:g}]")
    return tuple(map(float, values))
