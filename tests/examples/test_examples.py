"""The examples, run as they are."""

import importlib.util
import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_a_training_loop_of_ones_own_learns_in_under_80_lines():
    assert len((EXAMPLES / "own_training_loop.py").read_text().splitlines()) < 80
    # The script takes 150 episodes.
    assert load("own_training_loop").main(num_episodes=60) > 0.9


@pytest.mark.slow
def test_stable_baselines3_learns_from_a_demo_file(tmp_path):
    """Runs through; that it learns is shown by ``benchmarks/sb3_curve.py`` in ten minutes."""
    demos = tmp_path / "demos.npz"
    rate = load("sb3_pick_and_place").main(
        "FetchReach-v4", env_steps=200, demos=demos, num_demos=2, episodes=2
    )
    assert 0.0 <= rate <= 1.0
    assert demos.exists()


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    """In small; in its own size it ends near 100%."""
    monkeypatch.chdir(tmp_path)
    small = {
        "env_steps": 300,
        "agent.hidden_sizes": (16, 16),
        "warm_start.bc_updates": 20,
        "warm_start.episodes": 2,
        "warm_start.critic_updates": 10,
        "cycle.updates_per_step": 0.1,
        "evaluation.episodes": 2,
    }
    found = {}
    for cell in json.loads((EXAMPLES / "quickstart.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), found)
            if "settings" in found and not (tmp_path / "demos.npz").exists():
                found |= {"settings": small, "demonstrations": 2, "episodes": 2}
    assert 0.0 <= found["found"].success_rate <= 1.0
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert "curves.png" in capsys.readouterr().out
