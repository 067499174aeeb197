"""Untrusted JSON: small, shallow, without NaN, and of the expected form."""

import contextlib
import dataclasses
import json
import math
import types
from collections.abc import Callable
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from headstart.settings import convert

T = TypeVar("T")
MAX_BYTES = 16 * 2**20
MAX_DEPTH = 32
_MOST_DIGITS = 4300  # Python makes no integer of more.


def parse_json(text: bytes | str, *, max_bytes: int = MAX_BYTES) -> Any:
    """Read JSON.

    Raises:
        ValueError: if it is too large or too deep, is not UTF-8 or not JSON, or holds NaN, a number
            beyond the range of floats, or a key twice.
    """
    if len(text) > max_bytes:
        raise ValueError(f"{len(text)} bytes of JSON, more than {max_bytes}")
    try:
        content = json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            object_pairs_hook=_once_each,
            parse_constant=_no_nan,
            parse_int=_integer,
            parse_float=_in_range,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"JSON deeper than {MAX_DEPTH} levels") from None
    if _depth(content) > MAX_DEPTH:
        raise ValueError(f"JSON deeper than {MAX_DEPTH} levels")
    return content


def plain(value: Any) -> Any:
    """Return a value as JSON has it, from which ``build`` makes it again.

    An object with ``to_json`` says itself what it is; a dataclass is its fields.
    """
    if hasattr(value, "to_json"):
        return plain(value.to_json())
    if dataclasses.is_dataclass(value):
        return {it.name: plain(getattr(value, it.name)) for it in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def build(kind: type[T], content: Any, name: str = "", *, whole: bool = False) -> T:
    """Return ``content`` as a value of ``kind``: a dataclass, its fields likewise, or a plain type.

    A class with ``from_json`` is asked to make it.

    Args:
        kind: a dataclass, or what its fields may be: numbers, text, ``Literal``, tuples, dicts.
        content: what was read.
        name: where it stands, for the messages.
        whole: whether each key must be there, those with a default too.

    Raises:
        ValueError: if a key is unknown or missing, or a value is of another type.
    """
    value: T = _build(kind, content, name, whole)
    return value


def _build(kind: Any, content: Any, name: str, whole: bool) -> Any:
    if hasattr(kind, "from_json"):
        return kind.from_json(content)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind, content, name, whole)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), content, name, whole)
    if origin is tuple:
        return _tuple(get_args(kind), content, name, whole)
    if origin in (list, dict):
        return _many(origin, get_args(kind)[-1], content, name, whole)
    return convert(kind, content, name or "the content")


def _dataclass(kind: Any, content: Any, name: str, whole: bool) -> Any:
    _expect(isinstance(content, dict), name, "an object", content)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    place = f"{name}." if name else ""
    for key in content:
        if key not in fields:
            raise ValueError(f"unknown key {place}{key}")
    for key, field in fields.items():
        needed = field.default is field.default_factory  # Both are missing.
        if key not in content and (whole or needed):
            raise ValueError(f"{place}{key} is missing")
    hints = get_type_hints(kind)
    return kind(
        **{key: _build(hints[key], content[key], f"{place}{key}", whole) for key in content}
    )


def _one_of(kinds: tuple[Any, ...], content: Any, name: str, whole: bool) -> Any:
    if content is None and type(None) in kinds:
        return None
    _expect(content is not None, name, "a value", content)
    *others, last = (kind for kind in kinds if kind is not type(None))
    for kind in others:
        with contextlib.suppress(ValueError):
            return _build(kind, content, name, whole)
    return _build(last, content, name, whole)


def _tuple(kinds: tuple[Any, ...], content: Any, name: str, whole: bool) -> Any:
    _expect(isinstance(content, list), name, "a list", content)
    if kinds[-1] is ...:
        kinds = kinds[:1] * len(content)
    _expect(len(content) == len(kinds), name, f"a list of {len(kinds)}", content)
    pairs = zip(kinds, content, strict=True)
    return tuple(_build(kind, value, name, whole) for kind, value in pairs)


def _many(origin: Callable[..., Any], kind: Any, content: Any, name: str, whole: bool) -> Any:
    _expect(type(content) is origin, name, _words[origin], content)
    if origin is list:
        return [_build(kind, value, name, whole) for value in content]
    return {key: _build(kind, it, f"{name}.{key}", whole) for key, it in content.items()}


_words: dict[Any, str] = {list: "a list", dict: "an object"}


def _expect(holds: bool, name: str, what: str, found: Any) -> None:
    if not holds:
        shown = repr(found)
        shown = shown if len(shown) <= 40 else shown[:37] + "..."
        raise ValueError(f"{name or 'the content'} must be {what}, got {shown}")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("JSON with a key twice")
    return content


def _no_nan(name: str) -> float:
    # Infinity stays: some settings may be infinite, and those that may not say so themselves.
    if name == "NaN":
        raise ValueError("JSON with NaN")
    return float(name)


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"JSON with an integer of {len(digits)} digits, more than {_MOST_DIGITS}")
    return int(digits)


def _in_range(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"JSON with {digits[:40]}, which is beyond the range of floats")
    return number


def _depth(content: Any) -> int:
    """Return the levels of nesting, without recursion."""
    depth, level = 0, [content]
    while level:
        depth += 1
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return depth
