"""Damaged files: each is read or refused in one line, whatever was damaged.

``HEADSTART_FUZZ`` is the number of files, for longer runs.
"""

import io
from functools import partial

import numpy as np
import pytest
from builders import is_one_line
from damaged_archives import read_damaged
from hypothesis import given, settings
from hypothesis import strategies as st
from legacy_files import (
    SPEC,
    equal,
    parts_of,
    ragged,
    some_episodes,
    write_numpy1,
    write_protocol5,
    write_python2,
    write_today,
)
from mutations import outcome

from headstart.demos.foreign.legacy import load_legacy_demos
from headstart.files import restricted_pickle
from headstart.files.pickled_arrays import Name
from headstart.files.restricted_pickle import read_pickle

WRITERS = (write_today, partial(write_numpy1, protocol=2), write_protocol5, write_python2)
FORMS = (equal, ragged)


def good_files():
    """A small file of every kind, as bytes."""
    files = []
    for writer in WRITERS:
        for form in FORMS:
            stream = io.BytesIO()
            writer(stream, form(parts_of(some_episodes([2, 2]))))
            files.append(stream.getvalue())
    return files


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(restricted_pickle, "MAX_OPERATIONS", 20_000)
    read = partial(load_legacy_demos, spec=SPEC)
    assert list(read_damaged(read, tmp_path / "demos.npz", good_files()))


PIECES = [bytes([code]) for code in range(256)]
PIECES += [
    b"cnumpy\nndarray\n",
    b"cnumpy\ndtype\n",
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"cnumpy.core.multiarray\nscalar\n",
    b"cnumpy.core.numeric\n_frombuffer\n",
    b"c_codecs\nencode\n",
    b"ccollections\nOrderedDict\n",
    b"cnumpy\nndarray\nK\x00\x85C\x01b\x87R",
    b"X\x02\x00\x00\x00f8\x89\x88\x87R",
    b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
    b"(K\x01K\x01\x85",
    b"q\x00",
    b"h\x00",
    b"U\x08" + bytes(8),
    b"X\x06\x00\x00\x00latin1",
]


@pytest.mark.slow
@settings(max_examples=400)
@given(pieces=st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=30))
def test_any_opcodes_give_plain_values_or_a_value_error(pieces):
    found = outcome(read_pickle, b"".join(pieces) + b".")
    assert types_in(found) <= PLAIN
    if isinstance(found, str) and found.startswith("ValueError"):
        assert is_one_line(found)


PLAIN = {list, dict, tuple, str, bytes, int, float, bool, type(None), np.ndarray, np.dtype, Name}


def types_in(value):
    """The types of all that a value holds; it may hold itself."""
    seen, waiting, types = set(), [value], set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        types.add(np.dtype if isinstance(value, np.dtype) else type(value))
        waiting += value.values() if isinstance(value, dict) else ()
        waiting += value if isinstance(value, list | tuple) else ()
        if isinstance(value, np.ndarray):
            assert value.dtype.kind in "fiub"
    return types


@pytest.mark.parametrize("content", good_files())
def test_the_files_are_good_before_they_are_damaged(tmp_path, content):
    path = tmp_path / "demos.npz"
    path.write_bytes(content)
    assert list(load_legacy_demos(path, SPEC).episodes) == some_episodes([2, 2])
