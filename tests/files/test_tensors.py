import contextlib
import io
import json
import re

import numpy as np
import pytest
from builders import is_one_line
from foreign_files import foreign_files
from hypothesis import given
from hypothesis import strategies as st

from headstart.files.tensors import (
    NUMPY_ARCHIVE,
    foreign,
    pack,
    refuse_foreign,
    require_finite,
    unpack,
)

ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "double": np.array([1.5, -2.0]),
    "count": np.array(7, np.int64),
    "none": np.zeros((0, 3), np.float32),
}


def test_arrays_and_metadata_come_back():
    arrays, metadata = unpack(pack(ARRAYS, {"note": "ü"}))
    assert metadata == {"note": "ü"}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        np.testing.assert_array_equal(arrays[name], array)


def test_a_transposed_array_is_written_in_its_order():
    arrays, _ = unpack(pack({"a": ARRAYS["weights"].T}))
    np.testing.assert_array_equal(arrays["a"], ARRAYS["weights"].T)


KINDS = ("empty", "pickle", "pickle of protocol 0", "pickle of protocol 2", "torch", "old torch",
         "stable-baselines3", "zip", "hdf5", "gzip", "numpy", "png")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_other_kinds_are_refused_by_name(tmp_path, kind):
    content, called = foreign_files(tmp_path / "sprung")[kind]
    with pytest.raises(ValueError, match=f"it is .*{re.escape(called)}.*; it was not opened"):
        unpack(content)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"PK\x05\x06" + bytes(18), "an empty zip archive"),
        (b"hello, world\n", "it is text"),
        (b"  {}", "it is JSON"),
        (b"[1, 2]", "it is JSON"),
        (b"the cat\nsat\n(on", "it is text"),
        (bytes(1000), "not a safetensors file"),
        ((2**60).to_bytes(8, "little") + b"{" + bytes(100), "not a safetensors file"),
    ],
)
def test_what_is_not_a_safetensors_file_is_refused(content, named):
    with pytest.raises(ValueError, match=named):
        unpack(content)


def test_a_numpy_archive_is_known():
    file = io.BytesIO()
    np.savez(file, np.zeros(3))
    assert foreign(file.getvalue()) == NUMPY_ARCHIVE
    refuse_foreign(file.getvalue(), NUMPY_ARCHIVE)


def test_a_header_of_128_bytes_is_not_a_pickle():
    arrays, _ = unpack(pack({"a": np.zeros(1)}, {"x": "y" * 64}))
    assert list(arrays) == ["a"]
    content = pack({"a": np.zeros(1)}, {"x": "y" * 64})
    assert foreign(b"\x80" + content[1:]) is None


def file_of(header, size):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(content).to_bytes(8, "little") + content + bytes(size)


@pytest.mark.parametrize(
    ("shape", "dtype", "size"),
    [
        ([0, 2**62], "F32", 0),
        ([0, 2**64 - 1], "F32", 0),
        ([2**32, 2**32], "F32", 4),
        ([1] * 70, "F32", 4),
        ([-1], "F32", 4),
        ([1.0], "F32", 4),
        ([2], "BF16", 4),
        ([4], "F8_E4M3", 4),
        ([8], "F4", 4),
        ([1], "F33", 4),
        ([2], "F32", 4),
    ],
)
def test_shapes_and_types_that_no_array_has_are_refused(shape, dtype, size):
    tensor = {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}
    with pytest.raises(ValueError, match=r".") as caught:
        unpack(file_of({"a": tensor}, size))
    assert is_one_line(str(caught.value))


@pytest.mark.parametrize(
    "header",
    [b"[]", b'"{}"', b"{", b'{"a": NaN}', b'{"a": 1, "a": 1}', b'{"a":' * 50_000,
     {"__metadata__": []}, {"__metadata__": {"a": 1}}],
)  # fmt: skip
def test_headers_that_are_not_those_of_arrays_are_refused(header):
    with pytest.raises(ValueError, match=r".") as caught:
        unpack(file_of(header, 0))
    assert is_one_line(str(caught.value))


def test_metadata_may_be_null():
    assert unpack(file_of({"__metadata__": None}, 0)) == ({}, {})


def test_a_header_that_claims_terabytes_is_refused_without_taking_them():
    header = b'{"a":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}'
    with pytest.raises(ValueError, match=r"(?i)invalid|incomplete"):
        unpack(len(header).to_bytes(8, "little") + header + bytes(100))


@given(st.data())
def test_a_changed_file_is_read_or_refused(data):
    content = bytearray(pack(ARRAYS, {"note": "x" * 20}))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    kept = data.draw(st.integers(0, len(content)))
    with contextlib.suppress(ValueError):
        unpack(bytes(content[:kept]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_named(bad):
    with pytest.raises(ValueError, match="weights holds NaN or infinity"):
        require_finite({"fine": np.zeros(2), "weights": np.array([0.0, bad])})
