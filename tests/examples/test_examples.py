"""The examples, run as they are."""

import importlib.util
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_training_loop_of_ones_own_learns_in_under_80_lines():
    assert len((EXAMPLES / "own_training_loop.py").read_text().splitlines()) < 80
    assert load("own_training_loop").main() > 0.9
