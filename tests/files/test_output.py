import pytest
from builders import is_one_line

from headstart.errors import InputError
from headstart.files.output import PICTURES, VIDEOS, check_new_output, check_output


@pytest.mark.parametrize("name", ["new.png", "NEW.PNG", "old.svg", "two.dots.pdf"])
def test_a_file_that_can_be_written_is_accepted_new_or_old(tmp_path, monkeypatch, name):
    (tmp_path / "old.svg").write_text("old")
    check_output(tmp_path / name, "a picture", PICTURES)
    monkeypatch.chdir(tmp_path)
    check_output(type(tmp_path)(name), "a picture", PICTURES)
    assert [path.name for path in tmp_path.iterdir()] == ["old.svg"]


@pytest.mark.parametrize(
    ("name", "suffixes", "expected"),
    [
        ("new.txt", PICTURES, "a picture must be called something.png, .svg or .pdf"),
        ("new", VIDEOS, "a picture must be called something.mp4 or .gif"),
        (".npz", [".npz"], "a picture must be called something.npz"),
        ("nowhere/new.png", PICTURES, "nowhere to write it to"),
        ("text/new.png", PICTURES, "there is no directory"),
        ("folder.png", PICTURES, "is a directory; name a file"),
        ("x" * 300 + "/new.png", PICTURES, "there is no directory"),
        ("/proc/new.png", PICTURES, "nothing can be written in /proc ("),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(tmp_path, name, suffixes, expected):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "text").write_text("no directory")
    with pytest.raises(InputError) as caught:
        check_output(tmp_path / name, "a picture", suffixes)
    message = str(caught.value)
    assert is_one_line(message)
    assert message.startswith(f"{tmp_path / name}: ")
    assert expected in message


def test_a_name_that_is_too_long_is_left_to_the_writing(tmp_path):
    check_output(tmp_path / f"{'x' * 300}.png", "a picture", PICTURES)


def test_a_file_that_exists_is_refused_unless_it_is_to_be_replaced(tmp_path):
    old, link = tmp_path / "old.svg", tmp_path / "link.svg"
    old.write_text("old")
    link.symlink_to(tmp_path / "nowhere")
    check_new_output(tmp_path / "new.svg", "a picture", PICTURES, force=False)
    for path in (old, link):
        check_new_output(path, "a picture", PICTURES, force=True)
        with pytest.raises(InputError) as caught:
            check_new_output(path, "a picture", PICTURES, force=False)
        assert is_one_line(str(caught.value))
        assert str(caught.value).startswith(f"{path}: exists already")
        assert "--force" in str(caught.value)
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(InputError, match="is a directory"):
        check_new_output(tmp_path / "folder.svg", "a picture", PICTURES, force=True)
