"""Evaluations before the first env step, which show what cloning came to."""

import numpy as np
import pytest
from cut_runs import Cut, PowerCut
from small_runs import POINT, SMALL, Diary, weights_of

from headstart import resume, train
from headstart.files.run_files import read_metrics

CONFIG = SMALL.with_({"evaluation.at_start": True, "checkpoint.seconds": 0.0, "env_steps": 200})
CLONED = SMALL.warm_start.bc_updates


def starts(rows):
    return [
        (row["time/env_steps"], row["time/warm_start_updates"], row["time/updates"])
        for row in rows
        if row["time/env_steps"] == 0
    ]


def test_a_run_is_evaluated_before_and_after_cloning(point_demos):
    diary = Diary()
    train(POINT, CONFIG, demos=point_demos, observers=diary)
    assert starts(diary.rows) == [(0, 0, 0), (0, CLONED, 0)]
    before, after, *_ = (weights_of(policy) for policy in diary.policies)
    assert not np.array_equal(before, after)


def test_without_demonstrations_there_is_one_of_them():
    diary = Diary()
    train(POINT, CONFIG, observers=diary)
    assert starts(diary.rows) == [(0, 0, 0)]


def test_what_is_learned_does_not_depend_on_it(point_demos):
    with_start = train(POINT, CONFIG, demos=point_demos)
    without = train(POINT, CONFIG.with_({"evaluation.at_start": False}), demos=point_demos)
    np.testing.assert_array_equal(weights_of(with_start.policy), weights_of(without.policy))
    assert with_start.evaluation == without.evaluation


def test_the_clone_of_a_run_without_env_steps_is_evaluated_once(point_demos):
    diary = Diary()
    result = train(POINT, CONFIG.with_(env_steps=0), demos=point_demos, observers=diary)
    assert starts(diary.rows) == [(0, 0, 0), (0, CLONED, 0)]
    assert result.evaluation == diary.results[-1]


@pytest.mark.slow
@pytest.mark.parametrize("after", range(1, 10, 2))
def test_a_run_that_is_cut_there_continues_to_the_same_rows(after, point_demos, tmp_path):
    expected, run = (
        train(POINT, CONFIG, demos=point_demos, out=tmp_path / "whole"),
        tmp_path / "cut",
    )
    with pytest.raises(PowerCut):
        train(POINT, CONFIG, demos=point_demos, out=run, observers=Cut(after))
    diary = Diary()
    result = resume(run, observers=diary)
    np.testing.assert_array_equal(weights_of(result.policy), weights_of(expected.policy))
    whole, cut = (
        [(row["time/env_steps"], row["eval/success_rate"]) for row in read_metrics(directory)]
        for directory in (tmp_path / "whole", run)
    )
    assert cut == whole
