"""Directories that can, and that cannot, be worked in."""

import os
import tempfile

import pytest

from headstart.doctor.check import Check
from headstart.doctor.places import check_current_directory, check_gone, check_temporary_files


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_directory_that_can_be_written_is_left_as_it_was(place):
    checks = list(check_current_directory())
    assert [check.name for check in checks] == ["directory", "file locks", "disk"]
    assert checks[0] == Check("directory", "ok", str(place))
    assert checks[1].status == "ok"
    assert list(place.iterdir()) == []
    assert list(check_gone()) == []


def test_a_directory_that_cannot_be_written_is_a_problem(monkeypatch):
    monkeypatch.chdir("/proc")  # Not even an administrator can.
    (check,) = check_current_directory()
    assert (check.name, check.status) == ("directory", "problem")
    assert check.found.startswith("/proc cannot be written to and flushed (")
    assert "with `cd`" in check.repair


def test_a_directory_that_was_deleted_is_called_by_its_last_name(place, monkeypatch):
    gone = place / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("PWD", str(gone))
    gone.rmdir()
    (check,) = check_gone()
    assert (check.status, check.found) == ("problem", f"{gone} has been deleted")


@pytest.mark.parametrize(
    ("files", "status", "named"),
    [
        (["numpy.py", "torch/__init__.py", "mine.py"], "problem", "numpy.py, torch"),
        (["json.py"], "advice", "json.py"),
        (["mine.py", "torch/data.txt", "numpy.txt"], "ok", ""),
    ],
)
def test_files_that_hide_modules_are_named(files, status, named, place):
    for file in files:
        (place / file).parent.mkdir(exist_ok=True)
        (place / file).touch()
    check, *_ = check_current_directory()
    assert (check.name, check.status) == ("directory", status)
    printed = f"{place}: collectors would take {named} for what has that name elsewhere"
    assert check.found == (printed if named else str(place))


def test_a_name_that_no_terminal_should_obey_is_shown_tame(place, monkeypatch):
    odd = place / os.fsdecode(b"a\x1b[2J\xff")
    odd.mkdir()
    monkeypatch.chdir(odd)
    check, *_ = check_current_directory()
    assert check.found == f"{place}/a?[2J?"


def test_temporary_files_are_tried_where_python_puts_them(place, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)  # It is looked up once a process.
    monkeypatch.setenv("TMPDIR", str(place))
    assert list(check_temporary_files()) == [Check("temporary files", "ok", str(place))]
    assert list(place.iterdir()) == []


def test_a_tmpdir_that_python_passes_over_is_named(place, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    (check,) = check_temporary_files()
    assert check.status == "advice"
    assert check.found.endswith(", as TMPDIR=/nonexistent cannot be written")
    assert "TMPDIR=" in check.repair


def test_temporary_files_that_cannot_be_written_are_reported(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/proc")
    (check,) = check_temporary_files()
    assert check.status == "advice"
    assert check.found.startswith("cannot be written (")
