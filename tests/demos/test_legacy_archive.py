"""Archives and ``.npy`` headers that are not as numpy writes them."""

import io
import struct
import zipfile

import numpy as np
import pytest
from legacy_files import (
    SPEC,
    equal,
    members,
    npy,
    parts_of,
    refusal,
    some_episodes,
    write,
    write_today,
)

from headstart.demos.foreign.legacy import MAX_BYTES, load_legacy_demos


@pytest.fixture
def path(tmp_path):
    return tmp_path / "demos.npz"


def rewrite_entry(path, offset, form, value):
    """Change a field of the first member, where the list of members has it."""
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\1\2") + offset
    data[entry : entry + struct.calcsize(form)] = struct.pack(form, value)
    path.write_bytes(data)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(path, compression):
    write(path, members(), compression)
    assert "compressed in a way that numpy does not use" in refusal(path)


def test_an_unknown_compression_is_refused(path):
    write(path, members())
    rewrite_entry(path, 10, "<H", 77)
    assert "compressed in a way that numpy does not use" in refusal(path)


def test_a_stored_archive_is_read(path):
    write(path, members(), zipfile.ZIP_STORED)
    assert len(load_legacy_demos(path, SPEC).episodes) == 2


def test_an_encrypted_member_is_refused(path):
    write(path, members())
    rewrite_entry(path, 8, "<H", 1)
    assert "'acs.npy' is encrypted" in refusal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(path):
    write(path, members())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("obs.npy", b"")
    assert "two of its members have the same name" in refusal(path)


def test_sizes_are_refused_before_anything_is_unpacked(path):
    write(path, members())
    rewrite_entry(path, 24, "<I", MAX_BYTES)
    assert f"of which {MAX_BYTES} are read at most" in refusal(path)


def test_a_list_of_very_many_members_is_not_read(path):
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(2000):
            archive.writestr(str(number), b"")
    assert "more members than a file of demonstrations" in refusal(path)


def test_the_end_of_an_archive_is_as_numpy_writes_it(path):
    write(path, members())
    content = path.read_bytes()
    start, end = content[:-22], content[-22:]
    comment = end[:-2] + b"\3\0abc"
    for changed in (
        b"",
        b"PK",
        end[:-1],
        start,
        start + end[:-1],
        content + b"\0",
        start + comment,
    ):
        path.write_bytes(changed)
        assert "it is not a .npz archive" in refusal(path)
    path.write_bytes(end)
    refusal(path)
    path.write_bytes(start + b"PK\6\7" + bytes(16) + end)
    assert "it is not a .npz archive" in refusal(path)


@pytest.fixture
def large(path, monkeypatch):
    """A file with the two ends that one of more than 2 GiB has."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    write_today(path, equal(parts_of(some_episodes([3, 3]))))
    monkeypatch.undo()
    return path


def test_an_archive_of_any_size_is_read(large):
    assert large.read_bytes()[-42:].startswith(b"PK\6\7")
    assert list(load_legacy_demos(large, SPEC).episodes) == some_episodes([3, 3])


@pytest.mark.parametrize(
    ("place", "form", "value", "expected"),
    [
        (-98, "<4s", b"PK\6\5", "it is not a .npz archive"),
        (-98 + 40, "<Q", 2**17, "more members than a file of demonstrations"),
        (-98 + 40, "<Q", 2**63, "more members than a file of demonstrations"),
        (-42 + 8, "<Q", 0, "it is not a .npz archive"),
        (-42 + 8, "<Q", 2**63, "it is not a .npz archive"),
    ],
)
def test_the_larger_end_of_an_archive_is_as_numpy_writes_it(large, place, form, value, expected):
    data = bytearray(large.read_bytes())
    struct.pack_into(form, data, len(data) + place, value)
    large.write_bytes(data)
    assert expected in refusal(large)
    large.write_bytes(data[-60:])
    assert "it is not a .npz archive" in refusal(large)


@pytest.mark.parametrize("names", [("acs", "obs", "info"), ("acs.npy", "info.npy")])
def test_members_are_called_as_numpy_calls_them(path, names):
    contents = members()
    write(path, {name: contents[f"{name.removesuffix('.npy')}.npy"] for name in names})
    assert "not a Baselines file" in refusal(path)


def test_a_member_is_named_without_its_control_characters(path):
    write(path, members() | {"\x1b[2J\n\r" + "x" * 1000: b""}, zipfile.ZIP_LZMA)
    refusal(path)
    write(path, {"\x1b[2J\n\r" + "x" * 1000: b""}, zipfile.ZIP_LZMA)
    assert "x" * 100 not in refusal(path)


DEEP = "(" * 300 + ")" * 300

HEADERS = {
    "no magic": b"\x93NUMPX\x01\x00" + bytes(100),
    "nothing": b"",
    "no header": b"\x93NUMPY\x01\x00",
    "a short header": b"\x93NUMPY\x01\x00\xff\xff{}",
    "a header of 4 GiB": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
    "version 3": b"\x93NUMPY\x03\x00" + npy(b"", "(0,)")[8:],
    "version 9": b"\x93NUMPY\x09\x00" + npy(b"", "(0,)")[8:],
    "a long header": npy(b"", "(" + "1," * 20_000 + ")"),
    "deep brackets": npy(b"", DEEP),
    "many signs": npy(b"", "(" + "-" * 9000 + "1,)"),
    "an open bracket": npy(b"", "((1,)"),
    "a call": npy(b"", "__import__('os').getpid()"),
    "a negative size": npy(b"", "(-1,)", "<f8"),
    "a size of many digits": npy(b"", "(" + "9" * 6000 + ",)", "<f8"),
    "a shape that is none": npy(b"", "'ab'"),
    "fields": npy(bytes(8), "(1,)").replace(b"'|O'", b"[('a', 'O')]"),
    "text": npy(bytes(8), "(1,)", "<U2"),
    "bytes": npy(bytes(8), "(1,)", "|S8"),
    "nothing at all of much": npy(b"", f"({2**62},)", "|V0"),
    "complex numbers": npy(bytes(16), "(1,)", "<c16"),
    "times": npy(bytes(8), "(1,)", "<M8[s]"),
    "no dtype": npy(bytes(8), "(1,)", "what?"),
    "less than it says": npy(bytes(7), "(1,)", "<f8"),
    "more than it says": npy(bytes(9), "(1,)", "<f8"),
    "an escape that warns": npy(bytes(8), "(1,)", "\\q"),
    "an indent": npy(b"", "(0,)").replace(b"{'descr'", b"    {'de"),
}


@pytest.mark.parametrize("content", HEADERS.values(), ids=HEADERS)
@pytest.mark.filterwarnings("error")
def test_other_headers_are_refused(path, content):
    for member in ("acs", "obs"):
        write(path, members(**{member: content}))
        assert f" {member} h" in refusal(path)  # has another header, holds no numbers


def test_the_wider_header_of_numpy_is_read(path):
    acs, obs, info = equal(parts_of(some_episodes([3, 3])))
    write_today(path, (acs, obs, info))
    stream = io.BytesIO()
    np.lib.format.write_array(stream, acs, version=(2, 0))
    write(path, members(acs=stream.getvalue()))
    assert list(load_legacy_demos(path, SPEC).episodes) == some_episodes([3, 3])
