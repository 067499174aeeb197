"""The examples, run as they are."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.learning
def test_a_training_loop_of_ones_own_learns_in_under_80_lines():
    assert len((EXAMPLES / "own_training_loop.py").read_text().splitlines()) < 80
    # The script takes 150 episodes.
    assert load("own_training_loop").main(num_episodes=60) > 0.9


@pytest.mark.mujoco
def test_stable_baselines3_learns_from_a_demo_file(tmp_path):
    """Runs through; that it learns is shown by ``benchmarks/sb3_curve.py`` in ten minutes."""
    demos = tmp_path / "demos.npz"
    rate = load("sb3_pick_and_place").main(
        "FetchReach-v4", env_steps=200, demos=demos, num_demos=2, episodes=2
    )
    assert 0.0 <= rate <= 1.0
    assert demos.exists()
