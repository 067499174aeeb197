import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.agents.inputs import RunningMoments


def moments_of(*parts, std_floor=1e-9):
    moments = RunningMoments(parts[0].shape[1], std_floor=std_floor)
    for part in parts:
        moments.update(part)
    return moments


@settings(max_examples=50)
@given(
    cuts=st.lists(st.integers(0, 100), max_size=6),
    seed=st.integers(0, 2**31),
    scale=st.floats(1e-3, 1e3),
    offset=st.floats(-1e3, 1e3),
)
def test_moments_taken_piece_by_piece_are_those_of_the_whole(cuts, seed, scale, offset):
    values = offset + scale * np.random.default_rng(seed).standard_normal((100, 3))
    moments = moments_of(*np.split(values, sorted(cuts)))
    assert moments.count == 100
    np.testing.assert_allclose(moments.mean, values.mean(axis=0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(moments.std, values.std(axis=0), rtol=1e-7)


def test_a_large_mean_does_not_swallow_a_small_variance():
    rng = np.random.default_rng(0)
    values = (1e4 + 0.05 * rng.standard_normal((5000, 1))).astype(np.float32)
    moments = moments_of(*np.split(values, 100))
    expected = values.astype(np.float64).std()
    np.testing.assert_allclose(moments.std, expected, rtol=1e-6)
    # The sums that baselines keep lose it in float32: that this is a real danger is shown here.
    squares = np.square(values).sum(dtype=np.float32) / np.float32(5000)
    naive = squares - np.square(values.sum(dtype=np.float32) / np.float32(5000))
    assert abs(naive - expected**2) > expected**2


def test_the_floor_holds_for_each_feature_apart():
    values = np.array([[0.0, 0.0], [0.0, 2.0]])
    np.testing.assert_array_equal(moments_of(values, std_floor=0.01).std, [0.01, 1.0])


def test_nothing_seen_leaves_inputs_as_they_are():
    moments = RunningMoments(2, std_floor=0.01)
    moments.update(np.zeros((0, 2)))
    np.testing.assert_array_equal(moments.mean, [0.0, 0.0])
    np.testing.assert_array_equal(moments.std, [1.0, 1.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_updating_does_not_write_into_its_input(dtype):
    values = np.ones((4, 2), dtype)
    moments_of(values, values)
    np.testing.assert_array_equal(values, np.ones((4, 2)))
