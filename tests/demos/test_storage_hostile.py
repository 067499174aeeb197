"""Untrusted demo files: called what they are, and read within the memory there is."""

import os
import zipfile

import pytest
from foreign_files import foreign_files
from test_storage import assert_refused, demos_of

from headstart.demos.storage import save_demos


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "demos.npz"
    save_demos(path, demos_of([4, 1, 7]))
    return path


KINDS = list(foreign_files("nowhere"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_refused_by_name(tmp_path, kind):
    content, called = foreign_files(tmp_path / "sprung")[kind]
    path = tmp_path / "demos.npz"
    path.write_bytes(content)
    assert_refused(path, *(() if called is None else (called, "it was not opened")))
    assert not (tmp_path / "sprung").exists()


def test_text_is_called_text(tmp_path):
    path = tmp_path / "demos.npz"
    path.write_text("see the other directory\n")
    assert_refused(path, "it is text")
    path.write_text('{"demos": []}')
    assert_refused(path, "it is JSON")


@pytest.mark.parametrize("gigabytes", [10, 100])
def test_the_holes_of_a_file_are_not_read(saved, gigabytes):
    """A member that claims gigabytes, all of which are in the file and none on the disk."""
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("actions.npy", b"")
        member = archive.infolist()[0]
        member.file_size = member.compress_size = gigabytes * 2**30
    content = saved.read_bytes()
    directory = content.index(b"PK\1\2")
    with saved.open("r+b") as file:
        file.seek(directory + gigabytes * 2**30)
        file.write(content[directory:])
    assert_refused(saved, "bytes, of which")


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(fsync(descriptor)))
    save_demos(tmp_path / "demos.npz", demos_of([3]))
    assert len(synced) == 2  # the file, and its name in the directory


def test_a_link_where_a_file_is_staged_leads_nowhere(tmp_path):
    (tmp_path / "mine").write_bytes(b"precious")
    os.symlink("mine", tmp_path / ".tmp.demos.npz")
    save_demos(tmp_path / "demos.npz", demos_of([3]))
    assert (tmp_path / "mine").read_bytes() == b"precious"


def test_a_long_name_is_reported_when_it_is_read():
    assert_refused("x" * 300, "no such demo file")
