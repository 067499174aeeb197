import pytest
from builders import is_one_line

from headstart.errors import InputError
from headstart.output import check_output

PICTURES = [".png", ".svg", ".pdf"]


@pytest.mark.parametrize("name", ["new.png", "NEW.PNG", "old.svg", "two.dots.pdf"])
def test_a_file_that_can_be_written_is_accepted_new_or_old(tmp_path, monkeypatch, name):
    (tmp_path / "old.svg").write_text("old")
    check_output(tmp_path / name, "a picture", PICTURES)
    monkeypatch.chdir(tmp_path)
    check_output(type(tmp_path)(name), "a picture", PICTURES)
    assert [path.name for path in tmp_path.iterdir()] == ["old.svg"]


@pytest.mark.parametrize(
    ("name", "suffixes", "told"),
    [
        ("new.txt", PICTURES, "a picture must be called something.png, .svg or .pdf"),
        ("new", [".mp4", ".gif"], "a picture must be called something.mp4 or .gif"),
        (".npz", [".npz"], "a picture must be called something.npz"),
        ("nowhere/new.png", PICTURES, "nowhere to write it to"),
        ("text/new.png", PICTURES, "there is no directory"),
        ("folder.png", PICTURES, "is a directory; name a file"),
        ("x" * 300 + "/new.png", PICTURES, "there is no directory"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(tmp_path, name, suffixes, told):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "text").write_text("no directory")
    with pytest.raises(InputError) as caught:
        check_output(tmp_path / name, "a picture", suffixes)
    message = str(caught.value)
    assert is_one_line(message)
    assert message.startswith(f"{tmp_path / name}: ")
    assert told in message


def test_a_name_that_is_too_long_is_left_to_the_writing(tmp_path):
    check_output(tmp_path / f"{'x' * 300}.png", "a picture", PICTURES)
