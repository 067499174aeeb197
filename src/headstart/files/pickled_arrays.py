"""What a pickle says of arrays, dtypes and numbers, done without calling what it names.

numpy pickles an array as a call that makes an empty one, ``_reconstruct(ndarray, (0,), b"b")``,
and a state, ``(1, shape, dtype, is_fortran, content)``; a dtype likewise. Every form that numpy has
written since Python 2 is spelled out here, and there is no other.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBERS = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
_OBJECTS = ("O4", "O8")
_MAX_DIMENSIONS = 8
_MAX_NAME = 100


class Name(Enum):
    """The globals that a pickle of arrays needs: symbols, which nothing is imported for."""

    RECONSTRUCT = auto()
    FROMBUFFER = auto()
    SCALAR = auto()
    NDARRAY = auto()
    DTYPE = auto()
    ENCODE = auto()
    BYTES = auto()
    ORDERED_DICT = auto()


_NAMES = {
    ("numpy", "ndarray"): Name.NDARRAY,
    ("numpy", "dtype"): Name.DTYPE,
    # How Python 3 writes bytes for Python 2.
    ("_codecs", "encode"): Name.ENCODE,
    ("__builtin__", "bytes"): Name.BYTES,
    ("collections", "OrderedDict"): Name.ORDERED_DICT,
}
for _core in ("numpy.core", "numpy._core"):  # before and since numpy 2
    _NAMES[f"{_core}.multiarray", "_reconstruct"] = Name.RECONSTRUCT
    _NAMES[f"{_core}.multiarray", "scalar"] = Name.SCALAR
    _NAMES[f"{_core}.numeric", "_frombuffer"] = Name.FROMBUFFER


@dataclass(slots=True)
class Unbuilt:
    """A dtype, or without a code an array, whose state is still to come."""

    code: str | None = None
    built: Any = None


def name_of(module: str, name: str) -> Name:
    """Return the symbol of a global.

    Raises:
        ValueError: for any global that pickles of arrays do without.
    """
    if (module, name) not in _NAMES:
        asked = ascii(f"{module}.{name}"[:_MAX_NAME])
        raise ValueError(
            f"its pickle asks for {asked}, which no demonstration needs; it was not run"
        )
    return _NAMES[module, name]


def call(name: Any, arguments: Any) -> Any:
    """Return what the call of a global gives, for the one form of arguments that numpy writes.

    Raises:
        ValueError: for any other call.
    """
    match name, arguments:
        case Name.RECONSTRUCT, (Name.NDARRAY, (0,), b"b"):
            return Unbuilt()
        case Name.DTYPE, (str() | bytes() as code, 0 | False, 1 | True):
            return Unbuilt(text(code))
        case Name.SCALAR, (np.dtype() as dtype, bytes() as raw):
            return _numbers((), dtype, raw, "C").item()
        case Name.FROMBUFFER, (bytes() as raw, np.dtype() as dtype, shape, "C" | "F" as order):
            return _numbers(shape, dtype, raw, order)
        case Name.ENCODE, (str() as content, "latin1"):
            return content.encode("latin-1")
        case Name.BYTES, ():
            return b""
        case Name.ORDERED_DICT, ():
            return {}
        case Name.ORDERED_DICT, (list() as pairs,):
            return {text(key): value for key, value in pairs}
    raise ValueError("its pickle makes a call that no demonstration needs; it was not run")


def build(target: Any, state: Any) -> Any:
    """Return the array or the dtype that a state makes of an ``Unbuilt`` one.

    Raises:
        ValueError: for a state of anything else, or another one than numpy writes.
    """
    if not isinstance(target, Unbuilt) or target.built is not None:
        raise ValueError("its pickle sets the state of what is not an array; it was not run")
    match target.code, state:
        case str() as code, (3, str() | bytes() as order, None, None, None, -1, -1, int()):
            target.built = _dtype(code, text(order))
        case None, (1, shape, np.dtype() as dtype, int() as fortran, bytes() as raw):
            target.built = _numbers(shape, dtype, raw, "F" if fortran else "C")
        case None, (1, shape, np.dtype() as dtype, int(), list() as items) if dtype.hasobject:
            target.built = _nested(items, _check(shape))
        case _:
            raise ValueError("its pickle holds an array of something else than numbers")
    return target.built


def text(value: Any) -> str:
    """Return a short name as str; Python 2 wrote bytes.

    Raises:
        ValueError: if it is neither, or long.
    """
    # Short, because this may be a copy, and a file can name one long value a million times.
    if type(value) not in (str, bytes) or len(value) > _MAX_NAME:
        raise ValueError("its pickle has something else than a name where one belongs")
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _dtype(code: str, order: str) -> np.dtype[Any]:
    if code in _OBJECTS:
        return np.dtype(object)
    if code not in _NUMBERS or order not in ("<", ">", "|"):
        raise ValueError("its pickle holds an array of something else than numbers")
    return np.dtype(order + code)


def _check(shape: Any) -> tuple[int, ...]:
    known = type(shape) is tuple and len(shape) <= _MAX_DIMENSIONS
    if not known or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("its pickle holds an array of an impossible shape")
    return tuple(shape)


def _numbers(shape: Any, dtype: np.dtype[Any], raw: bytes, order: Any) -> NDArray[Any]:
    """Return a view of the bytes, which have to be there already: nothing is reserved."""
    if dtype.hasobject or math.prod(_check(shape)) * dtype.itemsize != len(raw):
        raise ValueError(f"its pickle holds an array of {len(raw)} bytes that do not fit its shape")
    return np.frombuffer(raw, dtype).reshape(shape, order=order) if raw else np.zeros(0, dtype)


def _nested(items: list[Any], shape: tuple[int, ...]) -> Any:
    """Return lists in lists, row by row: that is how numpy pickles objects, in any order."""
    if math.prod(shape) != len(items):
        raise ValueError(f"its pickle holds an array of {len(items)} objects, not of its shape")
    if not items:
        return []
    for size in reversed(shape[1:]):
        items = [items[start : start + size] for start in range(0, len(items), size)]
    return items if shape else items[0]
