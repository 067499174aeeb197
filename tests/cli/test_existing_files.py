"""No command replaces a file unless the user says so, and all of them know ``~``."""

import io
import os
import shlex
import sys

import pytest
from builders import point_expert, point_policy
from demo_files import write_baselines

from headstart.cli.main import main, parse
from headstart.demos.record import collect_demos
from headstart.demos.storage import load_demos, save_demos

COMMANDS = {
    "demos collect PointReach-v0 --policy {home}/policy.safetensors --keep-failures "
    "--episodes 1 --collectors 0 --out": "new.npz",
    "demos import {home}/theirs.npz --env PointReach-v0 --out": "new.npz",
    "demos inspect {home}/demos.npz --plot": "new.png",
    "demos play {home}/demos.npz --video": "new.mp4",
    "play {home}/policy.safetensors --video": "new.gif",
    "plot {home}/run --out": "new.svg",
}
DRAWN = [command for command in COMMANDS if "play" not in command and "plot {" not in command]


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    """A home directory with demonstrations and a policy of PointReach."""
    home = tmp_path_factory.mktemp("home")
    demos = collect_demos("PointReach-v0", point_expert, episodes=2)
    save_demos(home / "demos.npz", demos)
    write_baselines(home / "theirs.npz", demos.episodes)
    point_policy().save(home / "policy.safetensors")
    return home


@pytest.fixture
def home(good_files, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(good_files))
    monkeypatch.chdir(tmp_path)
    return good_files


def run(command):
    main(shlex.split(command))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_exists_is_refused_before_the_work(home, tmp_path, capsys, command):
    out = tmp_path / COMMANDS[command]
    out.write_text("precious")
    with pytest.raises(SystemExit) as stopped:
        run(f"{command.format(home='/nowhere')} {out}")
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"headstart: {out}: exists already; ")
    assert "--force" in printed.err
    assert out.read_text() == "precious"


@pytest.mark.slow
@pytest.mark.parametrize("command", DRAWN)
def test_force_replaces_it(home, tmp_path, command):
    out = tmp_path / COMMANDS[command]
    out.write_text("outdated")
    run(f"{command.format(home=home)} {out} --force")
    assert b"outdated" not in out.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("command", DRAWN)
def test_a_tilde_is_expanded_in_every_path(home, tmp_path, command):
    name = f"{DRAWN.index(command)}-{COMMANDS[command]}"
    run(f"{command.format(home='~')}=~/{name}")
    assert (home / name).is_file()
    assert os.listdir(tmp_path) == []


def test_run_directories_are_expanded(home):
    assert parse(["train", "PointReach-v0", "--out=~/run"]).out == home / "run"
    assert parse(["train", "PointReach-v0", "--config=~/c.json"]).config == home / "c.json"
    assert parse(["resume", "~/run"]).run_directory == home / "run"


def test_python_expands_a_tilde_too(home, tmp_path):
    demos = load_demos("~/demos.npz")
    save_demos("~/copy.npz", demos)
    assert load_demos(home / "copy.npz").episodes == demos.episodes
    assert os.listdir(tmp_path) == []


def test_a_path_with_an_umlaut_is_printed_where_standard_output_is_ascii(
    home, tmp_path, monkeypatch
):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    out = tmp_path / "vorführung.npz"
    run(f"demos import ~/theirs.npz --env PointReach-v0 --out {out}")
    assert load_demos(out).episodes
    assert rb"vorf\xfchrung.npz: 2 demonstrations" in written.getvalue()
