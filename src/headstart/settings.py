"""Settings hold values of their types, whether they come from Python, an option or a file."""

import math
import types
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from numbers import Integral, Real
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from headstart.errors import InputError, require

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


def check_types(settings: Any, section: str = "") -> None:
    """Convert every field of a frozen dataclass to the type that it is annotated with.

    Values that mean the same are converted: whole numbers that are floats (``2e3``), numbers of
    numpy and torch, lists and arrays in place of tuples. To be called first in ``__post_init__``.

    Args:
        settings: the dataclass.
        section: put before the names of fields in messages, e.g. "agent.".

    Raises:
        InputError: if a value is not of its field's type; names the field and the value.
    """
    kind: Any = type(settings)
    hints = _hints(kind)
    for field in fields(settings):
        value = convert(hints[field.name], getattr(settings, field.name), section + field.name)
        object.__setattr__(settings, field.name, value)


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
    # One whose values need no conversion goes first: True is no 1 where both are allowed.
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
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _expect(holds: bool, kind: Any, value: Any, name: str) -> None:
    if not holds:
        raise InputError(_message(kind, value, name))


def _message(kind: Any, value: Any, name: str) -> str:
    return f"{name} must be {_words(kind)}, got {_shown(value)}"


def _words(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(each) for each in inner)
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
