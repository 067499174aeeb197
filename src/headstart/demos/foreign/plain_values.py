"""What comes out of a pickle, taken for numbers: lists, vectors, and arrays of one or the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_STATES = 200_000
"""Of all episodes together: a file of a few bytes can name one episode a million times."""


def items(value: Any, name: str) -> Sequence[Any]:
    """Return a value that has a length and can be sliced.

    Raises:
        ValueError: for any other value.
    """
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0):
        return value  # type: ignore[return-value]
    raise ValueError(f"{name} is not a list")


def vector(value: Any, name: str, width: int, env_id: str) -> NDArray[Any]:
    """Return a list or an array of ``width`` numbers as an array, ``(width,)``.

    Raises:
        ValueError: if it is something else; ``env_id`` is the environment that has this width.
    """
    found = len(items(value, name))
    if found != width:
        raise ValueError(f"{name} has width {found}, {env_id} has {width}")
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return value
    if not all(isinstance(entry, float | int) for entry in value):
        raise ValueError(f"{name} is not a vector of numbers")
    return np.array([to_float(entry) for entry in value])


def stack_vectors(values: Any, names: str, width: int, env_id: str) -> NDArray[Any]:
    """Return vectors of numbers as the rows of an array, ``(rows, width)``.

    Args:
        values: a list of vectors, or of numbers where ``width`` is 1.
        names: what to call one of them, with ``{}`` for its number.
        width: of each.
        env_id: the environment that has this width.

    Raises:
        ValueError: if one is something else.
    """
    rows = []
    for number, value in enumerate(values):
        entry = [value] if width == 1 and isinstance(value, float | int) else value
        rows.append(vector(entry, names.format(number), width, env_id))
    return np.stack(rows) if rows else np.zeros((0, width))


def to_float(value: float) -> float:
    """Return the number; an integer of any size, which numpy would refuse, too."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")
