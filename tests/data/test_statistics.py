import numpy as np

from headstart.data.statistics import (
    aggregate,
    bootstrap_interval,
    curve_interval,
    interquartile_mean,
)


def scores():
    """Five runs of four tasks, of which rliable 1.2.0 gave the numbers below."""
    return np.random.default_rng(0).uniform(0.5, 1.0, (5, 4))


def test_the_interquartile_mean_is_that_of_rliable():
    assert aggregate(scores()) == np.float64(0.7796645873458139)


def test_the_interval_is_that_of_rliable_but_for_the_draws():
    low, high = bootstrap_interval(scores(), rng=np.random.default_rng(1))
    # Ends of 2,000 resamples differ by about 0.005 from one seed to another.
    np.testing.assert_allclose([low, high], [0.684, 0.856], atol=0.015)


def test_outliers_do_not_move_the_interquartile_mean_and_few_runs_are_averaged():
    assert interquartile_mean(np.array([0.0, 4.0, 5.0, 1e9])) == 4.5
    assert interquartile_mean(np.array([0.0, 3.0, 9.0])) == 4.0


def test_runs_are_drawn_within_their_task():
    tasks = np.stack([np.zeros(6), np.ones(6)], axis=1)
    low, high = bootstrap_interval(tasks, rng=np.random.default_rng(0))
    assert low == high == 0.5


def test_a_run_is_drawn_with_its_whole_curve():
    curves = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    ends = curve_interval(curves, rng=np.random.default_rng(0))
    np.testing.assert_allclose(ends[0] + ends[1][::-1], 1.0)
    assert (ends[0] < ends[1]).all()
