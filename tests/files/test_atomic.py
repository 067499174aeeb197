import os
import subprocess
import sys
from pathlib import Path

import pytest
from full_disk import files_limited_to

from headstart.files.atomic import making_directory, read_whole, replace_file, replacing


@pytest.fixture
def tmp_path(disk):
    """Here it is the disk."""
    return disk


def names(path):
    return sorted(entry.name for entry in path.iterdir())


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "file"
    replace_file(path, b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["file"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    replace_file(path, b"old")
    with pytest.raises(TypeError), replacing(path) as staged:
        staged.write_bytes(b"half" + staged)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_directory_that_is_missing_is_reported(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        replace_file(tmp_path / "missing" / "file", b"")


def test_a_directory_appears_with_all_that_is_in_it(tmp_path):
    path = tmp_path / "made"
    with making_directory(path) as staged:
        (staged / "inner").mkdir()
        (staged / "inner" / "file").write_bytes(b"content")
        assert not path.exists()
    assert (path / "inner" / "file").read_bytes() == b"content"
    assert names(tmp_path) == ["made"]


def test_a_directory_that_fails_to_be_filled_does_not_appear(tmp_path):
    with pytest.raises(TypeError), making_directory(tmp_path / "made") as staged:
        (staged / "file").write_bytes(3)
    assert names(tmp_path) == []


def test_an_empty_directory_is_taken_and_a_full_one_is_not(tmp_path):
    (tmp_path / "made").mkdir()
    with making_directory(tmp_path / "made") as staged:
        (staged / "first").touch()
    with (
        pytest.raises(OSError, match="not empty"),
        making_directory(tmp_path / "made") as staged,
    ):
        (staged / "second").touch()
    assert names(tmp_path / "made") == ["first"]
    assert names(tmp_path) == ["made"]


def test_what_a_kill_left_is_written_over(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from headstart.files.atomic import making_directory, replacing\n"
        "with making_directory(Path('made')) as staged, replacing(Path('file')) as file:\n"
        "    (staged / 'part').touch()\n"
        "    file.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert killed.returncode == -9
    assert names(tmp_path) == [".tmp.file", ".tmp.made"]
    replace_file(tmp_path / "file", b"whole")
    with making_directory(tmp_path / "made") as staged:
        (staged / "other").touch()
    assert names(tmp_path) == ["file", "made"]
    assert names(tmp_path / "made") == ["other"]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    replace_file(path, b"old")
    with files_limited_to(4096), pytest.raises(OSError, match="File too large"):
        replace_file(path, b"new" * 100_000)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_link_where_a_file_is_staged_leads_nowhere(tmp_path):
    (tmp_path / "mine").write_bytes(b"precious")
    os.symlink("mine", tmp_path / ".tmp.file")
    replace_file(tmp_path / "file", b"new")
    assert (tmp_path / "mine").read_bytes() == b"precious"
    assert (tmp_path / "file").read_bytes() == b"new"
    assert names(tmp_path) == ["file", "mine"]


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    os.symlink("file", tmp_path / "link")
    assert read_whole(tmp_path / "file", 7) == b"content"
    assert read_whole(tmp_path / "link", 7) == b"content"


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        file.truncate(100 * 2**30)
    with pytest.raises(ValueError, match="107374182400 bytes, of which 1000 are read at most"):
        read_whole(tmp_path / "file", 1000)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="a pipe or a device"):
        read_whole(tmp_path / "pipe", 1000)
    with pytest.raises(ValueError, match="a pipe or a device"):
        read_whole(Path("/dev/zero"), 1000)


@pytest.mark.parametrize("name", [".", "missing", "long" * 70])
def test_what_is_not_a_file_cannot_be_read(tmp_path, name):
    with pytest.raises(OSError, match=r"directory|too long"):
        read_whole(tmp_path / name, 1000)
