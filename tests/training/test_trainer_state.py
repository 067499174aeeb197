"""Where a trainer stands, as a checkpoint writes it and reads it again."""

import dataclasses
import json

import pytest
import torch

from headstart.files.strict_json import build, parse_json, plain
from headstart.training.evaluation import EvalResult
from headstart.training.metrics import MeanMetrics
from headstart.training.progress import Progress
from headstart.training.state import TrainerState

COUNTERS = [it.name for it in dataclasses.fields(Progress) if it.type in (int, float)]
PROGRESS = plain(Progress())


def write_and_read(state):
    return build(TrainerState, parse_json(json.dumps(plain(state))), whole=True)


def make_counters():
    """Each counter another number."""
    return Progress(**{name: number for number, name in enumerate(COUNTERS, 2)})


def test_every_counter_comes_back_and_the_clock_continues():
    progress = make_counters()
    again = write_and_read(TrainerState(progress=progress, num_asked=100)).progress
    for name in COUNTERS[:-1]:
        assert getattr(again, name) == getattr(progress, name)
    assert again.earlier_seconds >= progress.earlier_seconds
    assert again.wall_seconds >= again.earlier_seconds


def test_a_counter_that_names_a_metric_is_in_its_row():
    progress = make_counters()
    row = progress.metrics()
    assert row.pop("time/wall_seconds") >= progress.earlier_seconds
    seconds = {name: row.pop(name) for name in [*row] if name.endswith("_seconds")}
    assert seconds == {
        f"time/{name}": getattr(progress, name)
        for name in COUNTERS
        if name.endswith("_seconds") and name != "earlier_seconds"
    }
    assert row == {
        "time/env_steps": progress.env_steps,
        "time/expansion_env_steps": progress.expansion_env_steps,
        "time/episodes": progress.episodes,
        "time/updates": progress.updates,
        "time/warm_start_updates": progress.warm_start_updates,
        "health/dropped_episodes": progress.dropped_episodes,
    }


def test_a_state_comes_back_with_its_means_and_its_evaluation():
    metrics = MeanMetrics()
    for value in (0.1, 0.2, 0.7):
        metrics.add({"loss": torch.tensor(value)})
    result = EvalResult("E-v0", 1, 4, 0.5, (0.1, 0.9), 0.5, None, {}, failed=1)
    state = TrainerState(begun=True, last_result=result, metrics=metrics, successes=[True, False])
    again = write_and_read(state)
    assert again.metrics.means() == metrics.means()
    assert (again.begun, again.last_result, again.successes) == (True, result, [True, False])
    more = {"loss": torch.tensor(0.3)}
    metrics.add(more)
    again.metrics.add(more)
    assert again.metrics.means() == metrics.means()


@pytest.mark.parametrize("name", [it.name for it in dataclasses.fields(TrainerState)])
def test_a_state_that_lacks_something_is_refused(name):
    content = plain(TrainerState())
    del content[name]
    with pytest.raises(ValueError, match=f"^{name} is missing"):
        build(TrainerState, content, whole=True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"num_asked": -1}, "0 episodes of -1 asked for"),
        ({"num_asked": 10**9}, "at once"),
        ({"owed_updates": -0.5}, "negative"),
        ({"owed_updates": float("inf")}, "not finite"),
        ({"metrics": {"x": [1.0, 0]}}, "negative"),
        ({"metrics": {"x": [float("inf"), 1]}}, "not finite"),
        ({"recent": {"x": 1.0}}, "a list"),
        ({"progress": {**plain(Progress()), "phase": "\x1b[31m"}}, "progress.phase must be one of"),
        (
            {"progress": {**plain(Progress()), "updates": 1.5}},
            "progress.updates must be an integer",
        ),
    ],
)
def test_a_state_that_cannot_be_is_refused(change, expected):
    with pytest.raises(ValueError, match=expected):
        build(TrainerState, {**plain(TrainerState()), **change}, whole=True)
