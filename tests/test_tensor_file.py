import contextlib
import io
import pickle
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.tensor_file import pack, require_finite, unpack

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


def torch_file():
    file = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, file)
    return file.getvalue()


def numpy_file(save):
    file = io.BytesIO()
    save(file, np.zeros(3))
    return file.getvalue()


def zip_file():
    file = io.BytesIO()
    zipfile.ZipFile(file, "w").close()
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (pickle.dumps({"a": 1}), "a pickle"),
        (torch_file(), "a zip archive"),
        (numpy_file(np.savez), "a zip archive"),
        (numpy_file(np.save), "a numpy array"),
        (zip_file(), "an empty zip archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
        (b"\x1f\x8b" + bytes(100), "a gzip archive"),
        (b"", "not a safetensors file"),
        (b"{}", "not a safetensors file"),
        (bytes(1000), "not a safetensors file"),
        ((2**60).to_bytes(8, "little") + b"{" + bytes(100), "not a safetensors file"),
    ],
)
def test_files_of_other_kinds_are_refused_by_name(content, named):
    with pytest.raises(ValueError, match=named):
        unpack(content)


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
