"""Named arrays as the bytes of a safetensors file, and back, from trusted and untrusted files."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from headstart.files.strict_json import parse_json

Arrays = Mapping[str, NDArray[Any]]
MAX_HEADER = 4 * 2**20

EMPTY, TEXT, JSON, HDF5 = "an empty file", "text", "JSON", "an HDF5 file"
NUMPY_ARCHIVE, NUMPY_ARRAY = "a numpy archive (.npz)", "a numpy array (.npy)"
PICKLE = "a pickle, which can run code"
_MAGIC = {
    b"\x80": PICKLE,
    b"PK\x05\x06": "an empty zip archive",
    b"\x89HDF": HDF5,
    b"\x1f\x8b": "a gzip archive",
    b"\x93NUMPY": NUMPY_ARRAY,
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"%PDF": "a PDF document",
}
HEAD = 512
"""How many bytes at the start of a file show what it is."""
_ZIP_MEMBER = b"PK\x03\x04"
# The pickles of protocol 0 are text; these ones call something, or begin with a list or a dict.
_TEXT_PICKLE = re.compile(rb"\(?c[\w.]+\n[\w.]+\n[(p]|\([dl]p\d+\n")
_SIGNS = bytes(range(32, 127)) + b"\t\n\r"


def foreign(content: bytes) -> str | None:
    """Return what a file is by its first bytes, if that is known and not a safetensors file."""
    head = content[:HEAD]
    # A safetensors file starts with the length of its header and then "{".
    if head[8:9] == b"{" and head[6:8] == b"\0\0":
        return None
    if head.startswith(_ZIP_MEMBER):
        return _kind_of_zip(head)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if _TEXT_PICKLE.match(head):
        return PICKLE
    if head.translate(None, _SIGNS):
        return None
    if not head:
        return EMPTY
    return JSON if head.lstrip().startswith((b"{", b"[")) else TEXT


def refuse_foreign(content: bytes, *ours: str) -> None:
    """Refuse a file that begins like one of a kind that is known, and not the reader's.

    Args:
        content: the file, or its first bytes.
        ours: the kinds, as ``foreign`` calls them, that the reader reads.

    Raises:
        ValueError: that says what it is.
    """
    kind = foreign(content)
    if kind is not None and kind not in ours:
        raise ValueError(f"it is {kind}; it was not opened")


def _kind_of_zip(head: bytes) -> str:
    """Return what a zip archive is by the name of its first member."""
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if name.endswith(b".npy"):
        return NUMPY_ARCHIVE
    if name.endswith(b"data.pkl"):
        return "a file of torch.save (.pt), which holds a pickle"
    if name == b"data":
        return "a zip archive, such as Stable-Baselines3 saves its models in"
    return "a zip archive"


def pack(arrays: Arrays, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a file that holds these arrays."""
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return safetensors.numpy.save(contiguous, None if metadata is None else dict(metadata))


def unpack(content: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return arrays and metadata of a file.

    Raises:
        ValueError: if it is not a safetensors file, or not a whole one.
    """
    refuse_foreign(content)
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(MAX_HEADER, len(content) - 8):
        raise ValueError("it is not a safetensors file, or a part of one")
    header = parse_json(content[8 : 8 + length], max_bytes=MAX_HEADER)
    try:
        arrays = safetensors.numpy.load(content)
    except SafetensorError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except (KeyError, TypeError) as error:
        raise ValueError(f"it holds numbers of a type that numpy lacks ({error})") from error
    return arrays, header.get("__metadata__") or {}


def require_finite(arrays: Arrays) -> None:
    """Refuse NaN and infinity.

    Raises:
        ValueError: that names the first array with one.
    """
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinity")
