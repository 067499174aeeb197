"""A run that is made longer is the run that was as long from the start."""

import json
from dataclasses import replace

import pytest
from cut_runs import BASE
from outcomes import outcome
from small_runs import POINT, Diary, weights_of

from headstart.files.run_files import read_metrics
from headstart.policy import load_policy
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.config import CycleConfig, TrainConfig

LONG = replace(BASE, env_steps=480)
RATIO = CycleConfig(episodes=1, updates_per_step=0.17)
DUE = replace(LONG, evaluation=replace(LONG.evaluation, every=120))
ONCE = replace(LONG, evaluation=replace(LONG.evaluation, every=10_000))
FOUR = replace(LONG, warm_start=replace(LONG.warm_start, episodes=4))
CASES = {
    "ends between two evaluations": (LONG, [360]),
    "ends with an evaluation that is due": (DUE, [240]),
    "several times, from the cloning alone": (LONG, [0, 150, 190, 420]),
    "ends within the warm start": (FOUR, [50, 110]),
    "newest policy collects": (replace(LONG, cycle=replace(LONG.cycle, ahead=False)), [360]),
    "fractions of updates": (replace(LONG, cycle=RATIO), [250, 450]),
    "no evaluation before the end": (ONCE, [330]),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_it_has_the_same_bits_and_one_more_evaluation_where_it_ended(tmp_path, point_demos, case):
    config, ends = CASES[case]
    long, made_longer = tmp_path / "long", tmp_path / "made longer"
    train(POINT, config, demos=point_demos, out=long)
    train(POINT, replace(config, env_steps=ends[0]), demos=point_demos, out=made_longer)
    for end in (*ends[1:], config.env_steps):
        resume(made_longer, {"env_steps": end})

    one, other = outcome(long), outcome(made_longer)
    for name in ("agent", "state", "replay", "demos.npz", "left over"):
        assert one[name] == other[name], name
    # Metadata aside, in which each names its own past.
    for name in ("latest", *list_numbered(one)):
        assert arrays(long, name) == arrays(made_longer, name)
    rows = {row["time/env_steps"]: row for row in map(timeless, read_metrics(made_longer))}
    for row in map(timeless, read_metrics(long)):
        assert rows[row["time/env_steps"]] == row


def list_numbered(files):
    names = [name.removesuffix(".safetensors") for name in files if name[0].isdigit()]
    assert names
    return names


def arrays(run, name):
    policy = load_policy(run / "policies" / f"{name}.safetensors")
    return {key: array.tobytes() for key, array in policy.arrays().items()}


def timeless(row):
    return {name: value for name, value in row.items() if not name.endswith("_seconds")}


@pytest.mark.slow
def test_with_the_settings_as_they_are_by_default(tmp_path):
    """Env steps of a first look, and of a second one; what is left open adapts to neither."""
    small = {"agent.hidden_sizes": (16, 16), "batch_size": 32, "cycle.updates_per_step": 0.05}
    policies = {}
    for end in (900, 1800):
        config = TrainConfig().with_({**small, "env_steps": end})
        policies[end] = train(POINT, config, out=tmp_path / str(end)).policy
    longer = resume(tmp_path / "900", {"env_steps": 1800}).policy
    assert (weights_of(longer) == weights_of(policies[1800])).all()


@pytest.mark.slow
def test_a_run_that_an_observer_ended_is_made_longer_too(tmp_path, point_demos):
    class Stops(Diary):
        def started(self, config, run):
            self.run = run

        def progressed(self, progress):
            if progress.env_steps >= 240:
                self.run.stop()

    train(POINT, LONG, demos=point_demos, out=tmp_path / "long")
    stopped = train(POINT, LONG, demos=point_demos, out=tmp_path / "run", observers=[Stops()])
    assert stopped.progress.env_steps == 240
    resume(tmp_path / "run")
    one, other = outcome(tmp_path / "long"), outcome(tmp_path / "run")
    assert one["agent"] == other["agent"]
    assert one["replay"] == other["replay"]


def test_the_run_directory_says_what_it_was_made_of(tmp_path, point_demos):
    run = tmp_path / "run"
    train(POINT, replace(BASE, env_steps=240), demos=point_demos, out=run)
    resume(run, {"env_steps": 360})
    record = json.loads((run / "config.json").read_text())
    assert record["config"]["env_steps"] == 360
    assert record["changes"] == [{"env_steps": 240, "changed": {"env_steps": [240, 360]}}]
