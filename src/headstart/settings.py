"""Settings: what is known of each, and values of their types from Python, options and files."""

import math
import types
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cache
from numbers import Integral, Real
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from headstart.errors import InputError, require

T = TypeVar("T")
LARGEST_INTEGER = 2**63 - 1
"""What every reader of a file takes."""
_SINGULAR: dict[Any, str] = {
    int: "an integer",
    float: "a number",
    bool: "True or False",
    str: "text",
    dict: "a dict",
    type(None): "None",
}
_PLURAL: dict[Any, str] = {int: "integers", float: "numbers", str: "texts"}
OnResume = Literal["free", "allow-change", "fixed"]
"""What a resumed run may do with a setting: change it, only if allowed to, or not at all."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is known of a setting besides its name, type, default and docstring."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    resume: OnResume = "allow-change"

    @property
    def range(self) -> str:
        """What holds of its numbers, e.g. ``must lie in [0, 1]``; nothing if all are allowed."""
        low = self.above if self.at_least is None else self.at_least
        high = self.below if self.at_most is None else self.at_most
        if low is None:
            return ""
        if high is None and low == 0:
            return "must not be negative" if self.above is None else "must be positive"
        if high is None:
            return f"must be at least {low}"
        left, right = "(["[self.above is None], ")]"[self.below is None]
        return f"must lie in {left}{low}, {high}{right}"

    def check(self, value: Any, name: str) -> None:
        """Refuse a value, or a tuple of which one is, out of range.

        Raises:
            InputError: names the setting, the range and the value.
        """
        for number in value if isinstance(value, tuple) else (value,):
            if not isinstance(number, int | float):
                continue
            low = self.at_least is None or number >= self.at_least
            low = low and (self.above is None or number > self.above)
            high = self.at_most is None or number <= self.at_most
            high = high and (self.below is None or number < self.below)
            if isinstance(number, int) and self.at_most is not None:
                # The other bound of an integer is far away.
                require(low, f"{name} must be at least {self.at_least}", value)
                require(high, f"{name} must be at most {self.at_most}", value)
            require(low and high, f"{name} {self.range}", value)


ANY_VALUE = Rule()
"""The rule of a field that is given without ``setting``."""


def setting(
    default: T,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    resume: OnResume = "allow-change",
) -> T:
    """Return a field of a frozen dataclass, for ``check_settings``; its docstring is its help.

    Args:
        default: its value unless another is given.
        at_least: lower bound of its number, or of each number of a tuple.
        above: the same, if the bound itself is not allowed.
        at_most: upper bound.
        below: the same, if the bound itself is not allowed.
        resume: what a resumed run may do with it.
    """
    rule = Rule(at_least=at_least, above=above, at_most=at_most, below=below, resume=resume)
    made: T = field(default=default, metadata={"rule": rule})
    return made


def check_settings(settings: Any, section: str = "") -> None:
    """Convert every field of a frozen dataclass to its annotated type, and check its range.

    Values that mean the same are converted: whole numbers that are floats (``2e3``), numbers of
    numpy and torch, lists and arrays in place of tuples. To be called first in ``__post_init__``.

    Args:
        settings: the dataclass.
        section: put before the names of fields in messages, e.g. "agent.".

    Raises:
        InputError: if a value is not of its field's type or out of range; names field and value.
    """
    kind: Any = type(settings)
    hints = type_hints(kind)
    for each in fields(settings):
        name = section + each.name
        value = convert(hints[each.name], getattr(settings, each.name), name)
        each.metadata.get("rule", ANY_VALUE).check(value, name)
        object.__setattr__(settings, each.name, value)


def convert(kind: Any, value: Any, name: str) -> Any:
    """Return a value as one of the type ``kind``.

    Args:
        kind: a number, text, ``Literal``, tuple, list or dict of these, a union, or a class.
        value: what was given.
        name: of the value, for the message.

    Raises:
        InputError: if it is of another type.
    """
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()  # a number of numpy or torch
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _convert_to_one_of(inner, value, name)
    if origin is Literal:
        _expect(isinstance(value, str | int) and value in inner, kind, value, name)
        return inner[inner.index(value)]
    if origin in (tuple, list):
        return _convert_many(kind, value, name)
    if origin is dict:
        _expect(isinstance(value, dict), kind, value, name)
        return {key: convert(inner[1], each, f"{name}.{key}") for key, each in value.items()}
    if kind in (int, float):
        return _convert_number(kind, value, name)
    _expect(kind is Any or isinstance(value, kind), kind, value, name)
    return value


def _convert_to_one_of(kinds: tuple[Any, ...], value: Any, name: str) -> Any:
    # One whose values need no conversion goes first: True is not 1 where both are allowed.
    exact = [kind for kind in kinds if type(value) is kind]
    for kind in (*exact, *kinds):
        try:
            return convert(kind, value, name)
        except InputError:
            continue
    raise InputError(_message(Union[kinds], value, name))  # noqa: UP007 - kinds are known at run time


def _convert_many(kind: Any, value: Any, name: str) -> tuple[Any, ...] | list[Any]:
    _expect(
        isinstance(value, Iterable) and not isinstance(value, str | bytes | dict | set),
        kind,
        value,
        name,
    )
    values, inner = list(value), get_args(kind)
    if inner[-1] is ... or get_origin(kind) is list:
        inner = inner[:1] * len(values)
    _expect(len(values) == len(inner), kind, value, name)
    converted = [convert(kind, each, name) for kind, each in zip(inner, values, strict=True)]
    return converted if get_origin(kind) is list else tuple(converted)


def _convert_number(kind: Any, value: Any, name: str) -> int | float:
    _expect(isinstance(value, Real) and not isinstance(value, bool), kind, value, name)
    if kind is float:
        try:
            number = float(value)
        except OverflowError:
            raise InputError(_message(kind, value, name)) from None
        _expect(not math.isnan(number), kind, value, name)
        return number
    whole = isinstance(value, Integral) or (math.isfinite(value) and value == math.floor(value))
    _expect(whole, kind, value, name)
    require(abs(value) <= LARGEST_INTEGER, f"{name} must be an integer of 64 bits", _shown(value))
    return int(value)


@cache
def type_hints(kind: Any) -> dict[str, Any]:
    """Return the types of the fields of a dataclass."""
    return get_type_hints(kind)


def _expect(holds: bool, kind: Any, value: Any, name: str) -> None:
    if not holds:
        raise InputError(_message(kind, value, name))


def _message(kind: Any, value: Any, name: str) -> str:
    return f"{name} must be {kind_in_words(kind)}, got {_shown(value)}"


def without_none(kind: Any) -> tuple[Any, bool]:
    """Return ``kind`` for ``kind | None`` too, and whether it was that."""
    if get_origin(kind) not in (Union, types.UnionType):
        return kind, False
    kinds = [each for each in get_args(kind) if each is not type(None)]
    return Union[tuple(kinds)], len(kinds) < len(get_args(kind))  # noqa: UP007 - known at run time


def kind_in_words(kind: Any) -> str:
    """Return a type as a message names it, e.g. ``an integer or None``."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(kind_in_words(each) for each in inner)
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}"
    if origin in (tuple, list):
        count = "" if inner[-1] is ... or origin is list else f"{len(inner)} "
        return f"a list of {count}{_PLURAL.get(inner[0], 'values')}"
    return _SINGULAR.get(origin or kind) or f"a {getattr(kind, '__name__', kind)}"


def _shown(value: Any) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:  # Integers of 5000 digits have none; those of other classes may fail too.
        text = type(value).__name__
    return text if len(text) <= 60 else text[:57] + "..."
