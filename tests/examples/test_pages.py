"""The pages whose every block of Python runs as it stands, from top to bottom."""

import importlib.util
import logging
import os
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def run_blocks(page):
    """Run the blocks of a page in one namespace, and return it."""
    text = (DOCS / page).read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    names = {"__name__": "page"}
    for number, block in enumerate(blocks):
        exec(compile(block, f"{page}, block {number}", "exec"), names)
    assert len(blocks) > 3
    return names


class TrackerRun:
    """Takes rows as wandb does, which drops what comes with a step before the last one."""

    def __init__(self, options):
        self.options, self.steps, self.exit_code = options, [], None

    def log(self, metrics, step):
        assert not self.steps or step >= self.steps[-1]
        assert all(isinstance(value, int | float) for value in metrics.values())
        self.steps.append(step)

    def finish(self, exit_code=0):
        self.exit_code = exit_code


@pytest.fixture
def tracked(monkeypatch):
    """The runs of a tracker: wandb's own, offline, where it is installed, or a stand-in."""
    runs = []
    if importlib.util.find_spec("wandb") is not None:
        monkeypatch.setenv("WANDB_MODE", "offline")
        monkeypatch.setenv("WANDB_SILENT", "true")
        import wandb

        start = wandb.init
    else:
        wandb = ModuleType("wandb")
        monkeypatch.setitem(sys.modules, "wandb", wandb)

        def start(**options):
            return TrackerRun(options)

    def init(**options):
        runs.append(SimpleNamespace(options=options, run=start(**options)))
        return runs[-1].run

    monkeypatch.setattr(wandb, "init", init, raising=False)
    return runs


@pytest.mark.slow
def test_the_page_on_observers_runs_as_it_stands(tmp_path, monkeypatch, tracked, caplog, capsys):
    monkeypatch.chdir(tmp_path)
    names = run_blocks("observers.md")
    # None of the observers failed, which would only be a warning.
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    first, second = (run.options for run in tracked)
    assert first["id"] == second["id"]
    assert (first["config"]["env_steps"], second["config"]["env_steps"]) == (420, 480)
    lines = (tmp_path / "runs/logged/losses.csv").read_text().splitlines()
    assert len(lines) > 2
    assert list(tmp_path.glob("success-*.safetensors"))
    assert names["result"].progress.env_steps < 420
    assert re.search(r"^\d+ 0\.\d+$", capsys.readouterr().out, flags=re.M)


@pytest.mark.slow
def test_the_tour_of_python_runs_as_it_stands(tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.chdir(tmp_path)
    names = run_blocks("python.md")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert names["result"].progress.env_steps == 420
    printed = capsys.readouterr()
    assert "observation['observation'] must have 2 numbers" in printed.out
    assert "run directory: runs/first" in printed.err.replace(os.sep, "/")
    assert (tmp_path / "curves.png").stat().st_size > 5000
