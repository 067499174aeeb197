import json

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
