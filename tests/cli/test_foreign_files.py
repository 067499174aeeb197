"""Every command refuses what is not of its kind by its content, whatever it is called."""

import shlex
import shutil

import pytest
from builders import point_expert, point_policy
from cut_runs import cut_run
from foreign_files import foreign_files
from saved_runs import newest, rewrite

from headstart.cli.main import main
from headstart.demos.record import collect_demos
from headstart.demos.storage import save_demos

KINDS = list(foreign_files("nowhere"))
FEWER = ("pickle", "torch", "stable-baselines3", "text", "tensors")
READERS = {
    "evaluate policy.safetensors": "policy.safetensors",
    "evaluate run": "run/policies/best.safetensors",
    "play policy.safetensors --video out.mp4": "policy.safetensors",
    "train PointReach-v0 --demos demos.npz --out new": "demos.npz",
    "demos inspect demos.npz": "demos.npz",
    "demos play demos.npz --video out.mp4": "demos.npz",
    "demos import demos.npz --env PointReach-v0 --out new.npz": "demos.npz",
    "resume run": "run/config.json",
    "plot run --out curves.png": "run/config.json",
    "plot run --out more.png": "run/metrics.jsonl",
}
SAVED = ("agent.safetensors", "state.json", "ahead.safetensors", "policy.best.safetensors",
         "metrics.jsonl", "../replay/{}")  # fmt: skip


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    """A policy, demonstrations and a run of which all can be read."""
    directory = tmp_path_factory.mktemp("good")
    demos = collect_demos("PointReach-v0", point_expert, episodes=5)
    save_demos(directory / "demos.npz", demos)
    point_policy().save(directory / "policy.safetensors")
    cut_run(directory / "run", demos, after=12)
    return directory


@pytest.fixture
def place(good_files, tmp_path, monkeypatch):
    """A copy of the good files, in which commands are run."""
    copy = shutil.copytree(good_files, tmp_path / "place")
    monkeypatch.chdir(copy)
    return copy


def files_in(place):
    """What a command could have written, the number of its process apart."""
    files = [path for path in place.rglob("*") if path.is_file() and path.name != "lock"]
    return {path: path.read_bytes() for path in files}


def refusal(command, capsys):
    """The one line with which a command refuses its file."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(shlex.split(command))
    written = capsys.readouterr()
    assert stopped.value.code == 2
    assert written.out == ""
    assert written.err.startswith("headstart: ")
    assert written.err.count("\n") == 1
    assert written.err[:-1].isprintable()
    assert len(written.err) < 600
    return written.err


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", READERS)
def test_a_file_of_another_kind_is_refused_by_name(place, tmp_path, capsys, command, kind):
    content, called = foreign_files(tmp_path / "sprung")[kind]
    path = place / READERS[command]
    path.write_bytes(content)
    before = files_in(place)
    message = refusal(command, capsys)
    assert (path.parent.name if command.startswith("plot") else path.name) in message
    if called is not None and not command.startswith("demos import") and "holds no" not in message:
        assert called in message
    assert files_in(place) == before
    assert not (tmp_path / "sprung").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEWER)
@pytest.mark.parametrize("name", SAVED)
def test_a_checkpoint_with_a_file_of_another_kind_is_refused(place, tmp_path, capsys, name, kind):
    """Its hash is right: only the reader of the file notices."""
    content, called = foreign_files(tmp_path / "sprung")[kind]
    part = sorted((place / "run" / "checkpoints" / "replay").iterdir())[-1].name
    rewrite(place / "run", {name.format(part): content})
    before = files_in(place)
    message = refusal("resume run --collectors 0", capsys)
    assert str(newest(place / "run").relative_to(place)) in message
    assert called is None or called in message
    assert files_in(place) == before
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("kind", FEWER)
def test_a_checkpoint_whose_manifests_are_of_another_kind_is_refused(place, tmp_path, capsys, kind):
    content, _ = foreign_files(tmp_path / "sprung")[kind]
    for path in (place / "run" / "checkpoints").glob("*/manifest.json"):
        path.write_bytes(content)
    before = files_in(place)
    with pytest.raises(SystemExit) as stopped:
        main(["resume", "run"])
    assert stopped.value.code == 2
    *passed_over, last = capsys.readouterr().err.splitlines()
    assert "none is whole" in last
    assert all("is not whole" in line for line in passed_over)
    assert files_in(place) == before
    assert not (tmp_path / "sprung").exists()


def test_the_traps_would_spring(tmp_path):
    import pickle

    contents = foreign_files(tmp_path / "sprung")
    for kind in ("pickle", "pickle of protocol 0", "pickle of protocol 2"):
        pickle.loads(contents[kind][0])
        assert (tmp_path / "sprung").exists()
        (tmp_path / "sprung").unlink()


@pytest.mark.parametrize("command", READERS)
def test_the_good_files_are_those_that_are_replaced(place, command):
    assert (place / READERS[command]).is_file()
