from pathlib import Path

from headstart.files.paths import user_path


def test_a_tilde_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/runs/first") == tmp_path / "runs" / "first"
    assert user_path(Path("~")) == tmp_path


def test_other_paths_stay_as_they_are():
    for path in ("runs/~", "a~b.npz", "~no-such-user/x", "/tmp/x", "", "x" * 300):
        assert user_path(path) == Path(path)
