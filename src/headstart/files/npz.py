"""``.npz`` files, untrusted ones too: a zip archive of ``.npy`` members."""

import io
import math
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

DAMAGED = (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)
"""What the functions here raise for a file that is not as it should be."""

_ALWAYS_READ = 256 * 2**20  # bytes, of a file of any size
_MAX_DIRECTORY = 2**16  # bytes; a member takes about 60
_END = struct.Struct("<4s4H2LH")  # the record that ends an archive
# What lies before it in an archive of 2 GiB or more: a larger one, and where that lies.
_ZIP64_END = struct.Struct("<4sQ2H2L4Q")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_CHUNK = 2**16
_ENCRYPTED = 1  # bit of the flags


def write_archive(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as ``numpy.savez_compressed`` does, in two thirds of its time."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, array, allow_pickle=False)


def reason_of(error: Exception) -> str:
    """Return what an error says in one short line; it may quote the file at length."""
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def unpacked_limit(file: BinaryIO) -> int:
    """Return to how many bytes an archive of plain numbers may unpack.

    In proportion to what lies on the disk, on which the holes of a file take nothing: states of a
    simulator shrink to a third, nothing to a 64th.
    """
    found = os.fstat(file.fileno())
    held = min(found.st_size, 512 * getattr(found, "st_blocks", found.st_size))
    return max(_ALWAYS_READ, 64 * held)


def open_archive(file: BinaryIO, most: int) -> zipfile.ZipFile:
    """Return the archive, whose members have been looked at but not unpacked.

    Args:
        file: the file.
        most: bytes that all members together may unpack to.

    Raises:
        ValueError: if a member is compressed in another way than numpy does it, encrypted or
            there twice, or if all together are too large.
        zipfile.BadZipFile: if it is not an archive.
    """
    _check_directory(file)
    archive = zipfile.ZipFile(file)
    members = archive.infolist()
    for member in members:
        name = ascii(member.filename[:60])
        if member.flag_bits & _ENCRYPTED:
            raise ValueError(f"its member {name} is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"its member {name} is compressed in a way that numpy does not use")
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two of its members have the same name")
    size = sum(member.file_size for member in members)
    if size > most:
        raise ValueError(f"it unpacks to {size} bytes, of which {most} are read at most")
    return archive


def read_member(
    archive: zipfile.ZipFile, name: str, objects: Callable[[bytes, int], Any] | None = None
) -> Any:
    """Return the array of a member.

    Args:
        archive: the archive.
        name: name of the array.
        objects: reads an array of objects from the bytes of the member and the place where its
            pickle begins; without it there must be none.

    Raises:
        KeyError: if there is no such member.
        ValueError: if it is not a ``.npy`` file, or holds something else than numbers.
        OSError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error: if the archive is damaged.
    """
    return read_npy(_unpack(archive, archive.getinfo(f"{name}.npy")), name, objects)


def read_npy(data: bytes, name: str, objects: Callable[[bytes, int], Any] | None = None) -> Any:
    """Return the array of a ``.npy`` file with this content; see ``read_member``.

    Raises:
        ValueError: if it is not a ``.npy`` file, or holds something else than numbers.
    """
    stream = io.BytesIO(data)
    shape, fortran, dtype = _header(stream, name)
    if dtype.kind == "O" and objects is not None:
        return objects(data, stream.tell())  # It says the shape again.
    if dtype.kind not in "biuf" or any(size < 0 for size in shape):
        raise ValueError(f"{name} holds something else than numbers")
    expected = math.prod(shape) * dtype.itemsize
    if expected != len(data) - stream.tell():
        raise ValueError(f"{name} has {len(data) - stream.tell()} bytes instead of {expected}")
    if not expected:
        return np.empty(shape, dtype)
    numbers = np.frombuffer(data, dtype, offset=stream.tell())
    return numbers.reshape(shape, order="F" if fortran else "C")


def _check_directory(file: BinaryIO) -> None:
    """Refuse a list of members that would fill the memory when ``zipfile`` reads it.

    Only the ends that numpy writes are taken: no comment behind them, nothing between them.
    """
    place = file.seek(0, io.SEEK_END) - _END.size
    signature, *_, directory_size, _, comment_size = _record(file, place, _END)
    if signature != b"PK\5\6" or comment_size:
        raise zipfile.BadZipFile("it is not a .npz archive")
    place -= _ZIP64_LOCATOR.size
    if place >= 0 and (locator := _record(file, place, _ZIP64_LOCATOR))[0] == b"PK\6\7":
        place -= _ZIP64_END.size
        signature, *_, directory_size, _ = _record(file, place, _ZIP64_END)
        # Versions of zipfile differ in where they look for it; there they all do.
        if signature != b"PK\6\6" or locator[2] != place:
            raise zipfile.BadZipFile("it is not a .npz archive")
    if directory_size > _MAX_DIRECTORY:
        raise ValueError("it has more members than a file of demonstrations")


def _record(file: BinaryIO, place: int, form: struct.Struct) -> tuple[Any, ...]:
    if place < 0:
        raise zipfile.BadZipFile("it is not a .npz archive")
    file.seek(place)
    return form.unpack(file.read(form.size))


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a member: as many as its header says, however many there are."""
    # In small pieces: zipfile cuts off the excess of a piece only after unpacking all of it.
    with archive.open(member) as stream:
        return b"".join(iter(lambda: stream.read(_CHUNK), b""))


def _header(stream: BinaryIO, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of a ``.npy`` file, which numpy parses as a literal of limited length."""
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    try:
        # numpy warns of headers that Python 2 wrote, the parser of odd literals.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return readers[npy.read_magic(stream)](stream)
    except (ValueError, TypeError, KeyError, SyntaxError, RecursionError, MemoryError,
            tokenize.TokenError) as error:  # fmt: skip
        raise ValueError(f"{name} has another header than numpy writes") from error
