"""Averages over few runs, and how far to trust them (Agarwal et al. 2021)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
RESAMPLES = 2000
LEVEL = 0.95


def interquartile_mean(values: FloatArray) -> FloatArray:
    """Return the mean of the middle half along the first axis; of fewer than four, of all."""
    ordered = np.sort(np.asarray(values, np.float64), axis=0)
    cut = len(ordered) // 4
    mean: FloatArray = ordered[cut : len(ordered) - cut].mean(axis=0)
    return mean


def aggregate(scores: FloatArray) -> float:
    """Return the interquartile mean over all runs of all tasks, ``(runs, tasks)``."""
    return float(interquartile_mean(np.ravel(scores)))


def bootstrap_interval(
    scores: FloatArray,
    statistic: Callable[[FloatArray], FloatArray | float] = aggregate,
    *,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> FloatArray:
    """Return the 95% percentile interval of a statistic of runs, ``(2, ...)``.

    Stratified: runs are drawn with replacement within each task, and each task keeps its number.

    Args:
        scores: ``(runs, tasks)``.
        statistic: of scores of this shape.
        rng: draws the runs.
        resamples: how often.
    """
    runs, tasks = scores.shape
    drawn = rng.integers(runs, size=(resamples, runs, tasks))
    values = [statistic(np.take_along_axis(scores, rows, axis=0)) for rows in drawn]
    return _percentiles(np.array(values))


def curve_interval(curves: FloatArray, *, rng: np.random.Generator) -> FloatArray:
    """Return the interval of the interquartile mean of curves, ``(2, points)``.

    A run is drawn with its whole curve.

    Args:
        curves: ``(runs, points)``.
        rng: draws the runs.
    """
    drawn = rng.integers(len(curves), size=(RESAMPLES, len(curves)))
    # Runs first, as the mean takes them.
    return _percentiles(interquartile_mean(np.moveaxis(curves[drawn], 1, 0)))


def _percentiles(values: FloatArray) -> FloatArray:
    ends: FloatArray = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return ends
