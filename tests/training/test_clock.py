"""Where a run's time went: nothing counted twice, and nothing learned otherwise for counting."""

import time
from dataclasses import replace

import numpy as np
import pytest
from small_runs import POINT, SMALL, Diary, weights_of

from headstart.cli.running import describe_time
from headstart.rollout.executors import make_executor
from headstart.runs.train import train
from headstart.training.clock import Clock
from headstart.training.progress import Progress

PARTS = ("cloning", "acting", "waiting", "sampling", "update", "evaluation", "checkpoint")
UPDATE_PARTS = ("inputs", "targets", "critics", "actor", "steps", "averaging")


def work():
    return np.linalg.norm(np.ones((300, 300)) @ np.ones((300, 300)))


def parts_of(row):
    return {part: row[f"time/{part}_seconds"] for part in PARTS}


def update_parts_of(row):
    names = {part: f"time/update_{part}_seconds" for part in UPDATE_PARTS}
    return {part: row[name] for part, name in names.items() if name in row}


def test_a_moment_counts_to_the_innermost_part_alone():
    progress = Progress()
    clock = Clock(lambda: progress, lambda: 0.0)
    begun = time.perf_counter()
    with clock("evaluation"):
        with clock("checkpoint"):
            work()
        work()
    elapsed = time.perf_counter() - begun
    assert progress.evaluation_seconds > 0
    assert progress.checkpoint_seconds > 0
    assert progress.evaluation_seconds + progress.checkpoint_seconds <= elapsed


def test_a_part_that_raises_has_ended():
    progress = Progress()
    clock = Clock(lambda: progress, lambda: 0.0)
    with pytest.raises(ZeroDivisionError), clock("cloning"):
        1 / 0  # noqa: B018
    counted = progress.cloning_seconds
    work()
    with clock("sampling"):
        work()
    assert progress.cloning_seconds == counted > 0


def test_parts_of_updates_are_within_updates_and_leave_cloning_alone():
    progress = Progress()
    clock = Clock(lambda: progress, lambda: 0.0)
    timed = clock.timed("actor", work)
    with clock("cloning"):
        assert timed() == work()
    assert progress.update_actor_seconds == 0
    with clock("update"):
        work()
        timed()
    assert 0 < progress.update_actor_seconds < progress.update_seconds


def test_the_row_says_where_the_time_went(point_demos):
    diary = Diary()
    result = train(POINT, SMALL, demos=point_demos, observers=[diary])
    parts = parts_of(diary.rows[-1])
    assert all(
        parts[name] > 0 for name in ("cloning", "acting", "sampling", "update", "evaluation")
    )
    assert parts["waiting"] == parts["checkpoint"] == 0
    assert sum(parts.values()) <= diary.rows[-1]["time/wall_seconds"]
    assert diary.rows[-1]["time/learner_cpu_seconds"] > 0
    assert not update_parts_of(diary.rows[-1])
    text = describe_time(result.progress)
    assert "cloning" in text
    assert "busy" in text
    assert "averaging" not in text


@pytest.mark.slow
def test_collectors_count_as_waiting_and_their_processors_are_read():
    diary = Diary()
    with make_executor(POINT, 1) as executor:
        train(POINT, SMALL, executor=executor, observers=[diary])
        # Begun before the run was: its start is none of the run's time.
        assert 0 <= diary.rows[-1]["time/collector_cpu_seconds"] <= executor.cpu_seconds
    parts = parts_of(diary.rows[-1])
    assert parts["acting"] == 0 < parts["waiting"]


@pytest.mark.slow
def test_a_profile_times_parts_of_updates_and_changes_no_bit(point_demos):
    plain, profiled = Diary(), Diary()
    result = train(POINT, SMALL, demos=point_demos, observers=[plain])
    timed = train(POINT, replace(SMALL, profile=True), demos=point_demos, observers=[profiled])
    assert np.array_equal(weights_of(timed.policy), weights_of(result.policy))
    for one, other in zip(plain.rows, profiled.rows, strict=True):
        names = [name for name in one if not name.endswith("_seconds")]
        assert [one[name] for name in names] == [other[name] for name in names]
    parts = update_parts_of(profiled.rows[-1])
    assert parts.keys() == set(UPDATE_PARTS)
    assert sum(parts.values()) <= profiled.rows[-1]["time/update_seconds"]
    assert "averaging" in describe_time(timed.progress)
