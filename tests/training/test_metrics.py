import json
import math

import numpy as np
import pytest
import torch

from headstart.runs.metrics_log import MetricsLog
from headstart.training.metrics import MeanMetrics
from headstart.training.schedule import period_ended


def test_means_are_taken_over_the_updates_that_reported_a_metric():
    metrics = MeanMetrics()
    metrics.add({"critic_loss": torch.tensor(1.0), "actor_loss": torch.tensor(8.0)})
    metrics.add({"critic_loss": torch.tensor(2.0)})
    metrics.add({"critic_loss": torch.tensor(6.0)})
    assert metrics.means() == {"critic_loss": 3.0, "actor_loss": 8.0}


def test_means_count_on_until_they_are_cleared():
    metrics = MeanMetrics()
    metrics.add({"critic_loss": torch.tensor(1.0)})
    assert metrics.means() == metrics.means() == {"critic_loss": 1.0}
    metrics.add({"critic_loss": torch.tensor(3.0)})
    assert metrics.means() == {"critic_loss": 2.0}
    metrics.clear()
    assert metrics.means() == {}
    metrics.add({"critic_loss": torch.tensor(5.0)})
    assert metrics.means() == {"critic_loss": 5.0}


def test_counting_does_not_change_what_is_counted():
    metrics, value = MeanMetrics(), torch.tensor(1.0)
    metrics.add({"loss": value})
    metrics.add({"loss": value})
    assert metrics.means() == {"loss": 1.0}
    assert float(value) == 1.0


def test_rows_can_be_read_while_the_log_is_open(tmp_path):
    log = MetricsLog(tmp_path)
    rows = [{"eval/success_rate": 0.25, "time/env_steps": step} for step in (100, 200)]
    for number, row in enumerate(rows, start=1):
        log.write(row, int(row["time/env_steps"]))
        lines = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == rows[:number]


def test_tensorboard_gets_the_same_points(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = MetricsLog(tmp_path)
    for step in (100, 250):
        log.write({"eval/success_rate": step / 1000}, step)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    points = [(point.step, point.value) for point in events.Scalars("eval/success_rate")]
    assert [step for step, _ in points] == [100, 250]
    np.testing.assert_allclose([value for _, value in points], [0.1, 0.25])


def test_tensorboard_reads_any_number_and_name(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    values = {"a" * 300: 1e300, "größe/日": -0.0, "nan": math.nan, "least": 1e-300, "x": -1e30}
    log = MetricsLog(tmp_path)
    log.write({"time/env_steps": 2**40, "eval/success_rate": 0.5, **values}, 2**40)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    for name, value in values.items():
        (point,) = events.Scalars(name)
        assert point.step == 2**40
        with np.errstate(over="ignore"):
            np.testing.assert_equal(point.value, float(np.float32(value)))


def test_a_run_that_continues_takes_back_what_was_written_after_its_checkpoint(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = MetricsLog(tmp_path)
    for step in (100, 200, 300):
        log.write({"time/env_steps": step, "eval/success_rate": step / 1000}, step)
    kept = b"".join(log.content.splitlines(keepends=True)[:2])
    MetricsLog(tmp_path, kept).write({"time/env_steps": 300, "eval/success_rate": 0.9}, 300)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    points = [(point.step, round(point.value, 3)) for point in events.Scalars("eval/success_rate")]
    assert points == [(100, 0.1), (200, 0.2), (300, 0.9)]


def test_what_a_killed_process_left_of_its_event_file_is_deleted(tmp_path):
    events = tmp_path / "tensorboard"
    events.mkdir()
    staged, own = events / ".tmp.events.out.tfevents.1.host.0", events / ".tmp.mine"
    staged.touch()
    own.touch()
    MetricsLog(tmp_path)
    assert not staged.exists()
    assert own.exists()


def ends(steps):
    """Whether a period of 100 ended at each of these steps."""
    return [period_ended(100, before=a, now=b) for a, b in zip([0, *steps], steps, strict=False)]


def test_a_period_ends_once_however_far_a_cycle_jumps():
    assert ends([99, 100, 101, 450, 499, 500]) == [False, True, False, True, False, True]


@pytest.mark.parametrize("jump", [1, 7, 60, 100, 130, 800])
def test_a_period_ends_once_in_each_period_that_a_cycle_ends_in(jump):
    steps = list(range(jump, 2000, jump))
    ended = [step for step, end in zip(steps, ends(steps), strict=True) if end]
    assert [step // 100 for step in ended] == sorted({step // 100 for step in steps} - {0})
