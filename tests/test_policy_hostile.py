"""Untrusted policy files: nothing too large is read, nothing steers the terminal."""

import numpy as np
import pytest
from test_policy import assert_refused, saved, write

from headstart.errors import InputError
from headstart.policy import load_policy

__all__ = ["saved"]


def test_what_a_file_says_does_not_steer_the_terminal(saved):
    _, arrays, _ = saved
    odd = {**arrays, "\x1b[31mred\n" + "x" * 5000: arrays["mean"]}
    with pytest.raises(InputError) as caught:
        load_policy(write(saved, arrays=odd))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < len(str(saved[0])) + 300


def test_action_bounds_whose_range_no_number_holds_are_refused(saved):
    _, arrays, _ = saved
    bounds = {"action_low": np.full(2, -3e38, np.float32), "action_high": np.full(2, 3e38, "f4")}
    assert_refused(write(saved, arrays={**arrays, **bounds}), "action bound")


@pytest.mark.filterwarnings("ignore:overflow")
def test_denormal_numbers_are_read(saved):
    _, arrays, _ = saved
    tiny = np.full_like(arrays["std"], 1e-42)
    policy = load_policy(write(saved, arrays={**arrays, "std": tiny}))
    action = policy({name: np.ones(2) for name in ("observation", "achieved_goal", "desired_goal")})
    assert np.isfinite(action).all()


def test_a_name_that_is_too_long_is_reported():
    assert_refused("x" * 300, "no such policy file")


def test_a_file_of_a_hundred_gigabytes_is_not_read(tmp_path):
    path = tmp_path / "policy.safetensors"
    with path.open("wb") as file:
        file.truncate(100 * 2**30)
    assert_refused(path, "107374182400 bytes")
