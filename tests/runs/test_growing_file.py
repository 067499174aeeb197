"""A file that is never half a line longer than what was written to it."""

import pytest
from full_disk import files_limited_to

from headstart.runs.growing_file import GrowingFile


@pytest.fixture
def file(tmp_path):
    return GrowingFile(tmp_path / "file", b"first\n")


def test_it_holds_what_was_added(file):
    file.append(b"second\n")
    file.append(b"third\n")
    assert file.path.read_bytes() == file.content == b"first\nsecond\nthird\n"


def test_what_does_not_fit_leaves_no_half_line_is_reported_once_and_comes_later(file, caplog):
    with files_limited_to(10):
        file.append(b"second\n")
        assert file.path.read_bytes() == b"first\n"
        file.append(b"third\n")
        assert file.path.read_bytes() == b"first\n"
    assert caplog.text.count("cannot be written (File too large)") == 1
    file.append(b"fourth\n")
    assert file.path.read_bytes() == file.content == b"first\nsecond\nthird\nfourth\n"
    assert caplog.text.count("written again") == 1


def test_a_file_that_was_deleted_or_cut_comes_back(file):
    file.path.unlink()
    file.append(b"second\n")
    assert file.path.read_bytes() == b"first\nsecond\n"
    file.path.write_bytes(b"fir")
    file.flush()
    assert file.path.read_bytes() == b"first\nsecond\n"
