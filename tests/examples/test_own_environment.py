"""The example of an environment of one's own: in Python, and by its module on the command line."""

import importlib
from pathlib import Path

import pytest

from headstart.files.run_files import read_metrics

ROOT = Path(__file__).parents[2]
ENV_ID = "examples.own_environment:Arm-v0"
# fmt: off
SHORT = [
    "--env-steps", "60", "--warm-start.episodes", "2", "--warm-start.critic-updates", "2",
    "--cycle.updates", "2", "--evaluation.episodes", "2", "--collectors", "1",
]
# fmt: on


@pytest.mark.slow
def test_an_environment_of_ones_own_is_learned_in_under_60_lines(monkeypatch, capsys):
    assert len((ROOT / "examples" / "own_environment.py").read_text().splitlines()) < 60
    monkeypatch.syspath_prepend(ROOT)
    example = importlib.import_module("examples.own_environment")
    # The script takes 3000 steps and ends above 0.9.
    assert example.main(env_steps=1000) > 0.6
    assert capsys.readouterr().out == "problems: none found\n"


@pytest.mark.slow
def test_the_command_line_takes_it_by_its_module(warm, tmp_path):
    command = ["train", ENV_ID, "--out", tmp_path / "run", *SHORT]
    assert warm(*command, log=tmp_path / "log", directory=ROOT) == 0
    row = read_metrics(tmp_path / "run")[-1]
    assert row["time/env_steps"] >= 60
    assert row["time/updates"] > 0
