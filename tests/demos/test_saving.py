"""What is not demonstrations is not saved as such."""

import os
from pathlib import Path

import numpy as np
import pytest
from builders import is_one_line, random_episode

from headstart.demos.storage import DemoSet, load_demos, save_demos
from headstart.errors import InputError


def demos_of(**header):
    return DemoSet("PointReach-v0", (random_episode(np.random.default_rng(0), 2),), header)


def test_a_header_may_hold_what_numpy_and_pathlib_have(tmp_path):
    path = tmp_path / "demos.npz"
    save_demos(path, demos_of(root=np.int64(7), scale=np.ones(2), source=Path("a")))
    header = load_demos(path).header
    assert (header["root"], header["scale"], header["source"]) == (7, [1.0, 1.0], "a")


@pytest.mark.parametrize(
    ("demos", "expected"),
    [
        (demos_of(numbers={1j}), "its header is not JSON"),
        (demos_of().first(0), "there is no episode to save"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is_written(tmp_path, demos, expected):
    with pytest.raises(InputError, match=expected) as caught:
        save_demos(tmp_path / "demos.npz", demos)
    assert is_one_line(str(caught.value))
    assert os.listdir(tmp_path) == []
