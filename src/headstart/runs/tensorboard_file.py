"""TensorBoard's event file.

Its bytes are made here: the writer that comes with TensorBoard hands them to a thread that ends
with a traceback, and for good, at the first full disk; and TensorBoard is large. A file is a series
of records (``tensorflow/core/lib/io/record_writer.h``) of ``Event`` messages
(``tensorflow/core/util/event.proto``), of which these few fields are written.
"""

import contextlib
import itertools
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

_WALL_TIME, _STEP, _FILE_VERSION, _SUMMARY, _SESSION_LOG = 1, 2, 3, 5, 7
_VALUE, _TAG, _SIMPLE_VALUE, _STATUS, _START = 1, 1, 2, 1, 1
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
"""Wire types of protocol buffers."""


def new_event_file(directory: Path) -> Path:
    """Return a name that TensorBoard knows for an event file, and that no file has yet.

    What a process left that was killed while it wrote another is deleted.
    """
    for staged in directory.glob(".tmp.events.out.tfevents.*"):
        with contextlib.suppress(OSError):
            staged.unlink()
    begun = directory / f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}"
    names = (begun.with_name(f"{begun.name}.{number}") for number in itertools.count())
    return next(path for path in names if not path.exists())


def beginning(purge_step: int | None) -> bytes:
    """Return what an event file begins with.

    Args:
        purge_step: the env steps from which on earlier files do not count any more.
    """
    begun = _event(_bytes(_FILE_VERSION, b"brain.Event:2"))
    if purge_step is None:
        return begun
    return begun + _event(_bytes(_SESSION_LOG, _integer(_STATUS, _START)), purge_step)


def scalars(metrics: Mapping[str, float], env_steps: int) -> bytes:
    """Return one row of metrics as events."""
    return b"".join(_scalar(name, value, env_steps) for name, value in metrics.items())


def _scalar(name: str, value: float, env_steps: int) -> bytes:
    # A number beyond float32 is infinite there.
    with np.errstate(over="ignore"):
        rounded = np.float32(value)
    number = _key(_SIMPLE_VALUE, _FLOAT) + struct.pack("<f", rounded)
    content = _bytes(_VALUE, _bytes(_TAG, name.encode()) + number)
    return _event(_bytes(_SUMMARY, content), env_steps)


def _event(content: bytes, step: int = 0) -> bytes:
    """Return a record of one event."""
    now = _key(_WALL_TIME, _DOUBLE) + struct.pack("<d", time.time())
    message = now + _integer(_STEP, step) + content
    length = struct.pack("<Q", len(message))
    return length + _checksum(length) + message + _checksum(message)


def _integer(field: int, number: int) -> bytes:
    return _key(field, _VARINT) + _varint(number)


def _bytes(field: int, content: bytes) -> bytes:
    return _key(field, _BYTES) + _varint(len(content)) + content


def _key(field: int, wire_type: int) -> bytes:
    return bytes([field << 3 | wire_type])


def _varint(number: int) -> bytes:
    """Return an integer that is not negative, seven bits a byte, the low ones first."""
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def _checksum(content: bytes) -> bytes:
    """Return the masked CRC-32C (Castagnoli) that guards each part of a record."""
    remainder = 0xFFFFFFFF
    for byte in content:
        remainder = _CASTAGNOLI[(remainder ^ byte) & 255] ^ remainder >> 8
    remainder ^= 0xFFFFFFFF
    rotated = (remainder >> 15 | remainder << 17) + 0xA282EAD8
    return struct.pack("<I", rotated & 0xFFFFFFFF)


def _remainder_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CASTAGNOLI = [_remainder_of(byte) for byte in range(256)]
