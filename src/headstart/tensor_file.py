"""Named arrays as the bytes of a safetensors file, and back, whoever wrote them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from headstart.strict_json import parse_json

Arrays = Mapping[str, NDArray[Any]]
MAX_HEADER = 4 * 2**20

_MAGIC = {
    b"\x80": "a pickle",
    b"PK\x03\x04": "a zip archive, such as torch.save or numpy.savez make",
    b"PK\x05\x06": "an empty zip archive",
    b"\x89HDF": "an HDF5 file",
    b"\x1f\x8b": "a gzip archive",
    b"\x93NUMPY": "a numpy array",
}


def foreign(content: bytes) -> str | None:
    """Return what a file is by its first bytes, if it is of a kind that is known and not ours."""
    # A safetensors file starts with the length of its header and then "{".
    if content[8:9] == b"{" and content[6:8] == b"\0\0":
        return None
    return next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), None)


def pack(arrays: Arrays, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a file that holds these arrays."""
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return safetensors.numpy.save(contiguous, None if metadata is None else dict(metadata))


def unpack(content: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return arrays and metadata of a file.

    Raises:
        ValueError: if it is not a safetensors file, or not a whole one.
    """
    kind = foreign(content)
    if kind is not None:
        raise ValueError(f"it is {kind}, which could run code or is not ours; it was not opened")
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(MAX_HEADER, len(content) - 8):
        raise ValueError("it is not a safetensors file, or a part of one")
    header = parse_json(content[8 : 8 + length], max_bytes=MAX_HEADER)
    try:
        arrays = safetensors.numpy.load(content)
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    return arrays, header.get("__metadata__", {})


def require_finite(arrays: Arrays) -> None:
    """Refuse NaN and infinity.

    Raises:
        ValueError: that names the first array with one.
    """
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinity")
