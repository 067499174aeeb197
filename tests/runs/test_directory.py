import json
from dataclasses import asdict, replace

import pytest
from builders import is_one_line, point_policy

from headstart.errors import InputError
from headstart.policy import load_policy
from headstart.runs.directory import new_run
from headstart.runs.record import RunRecord, current_versions
from headstart.training.config import EvaluationConfig, TrainConfig
from headstart.training.evaluation import EvalResult

POINT = "PointReach-v0"


def record_of(config=None, **settings):
    config = config or TrainConfig(**settings)
    config = replace(config, evaluation=EvaluationConfig(every=1))
    return RunRecord(env_id=POINT, config=config, demos=None, versions=current_versions())


@pytest.fixture
def run(tmp_path):
    with new_run(tmp_path / "run", record_of(policy_every=1000), None) as directory:
        yield directory


def result_of(success_rate):
    return EvalResult(POINT, 0, 50, success_rate, (0.0, 1.0), success_rate, None, {})


def report(run, success_rate, env_steps, seed):
    metrics = {"eval/success_rate": success_rate, "time/env_steps": env_steps}
    run.evaluated(point_policy(seed), result_of(success_rate), metrics)


def names(run):
    return sorted(path.stem for path in (run.path / "policies").iterdir())


def first_weight(run, name):
    policy = load_policy(run.path / "policies" / f"{name}.safetensors")
    return policy.layers[0][0][0, 0]


def test_the_configuration_is_written_as_really_used(run):
    record = json.loads((run.path / "config.json").read_text())
    config = asdict(record_of(policy_every=1000).config)
    assert record["config"] == json.loads(json.dumps(config))
    assert record["env_id"] == POINT
    assert record["demos"] is None
    assert {"headstart", "torch", "numpy", "mujoco"} <= record["versions"].keys()


def test_the_best_policy_is_the_best_and_the_latest_the_latest(run):
    for seed, (success_rate, env_steps) in enumerate([(0.2, 100), (0.9, 200), (0.5, 300)]):
        report(run, success_rate, env_steps, seed)
    assert first_weight(run, "best") == point_policy(1).layers[0][0][0, 0]
    assert first_weight(run, "latest") == point_policy(2).layers[0][0][0, 0]
    assert load_policy(run.path).metadata["success_rate"] == 0.9


def test_a_tie_goes_to_the_later_policy(run):
    report(run, 0.5, 100, seed=0)
    report(run, 0.5, 200, seed=1)
    assert first_weight(run, "best") == point_policy(1).layers[0][0][0, 0]


def test_a_policy_without_any_success_is_still_the_best_so_far(run):
    report(run, 0.0, 100, seed=0)
    assert load_policy(run.path).metadata["success_rate"] == 0.0


def test_numbered_policies_come_once_per_period(run):
    for env_steps in (400, 1100, 1900, 4200, 4800, 5000):
        report(run, 0.1, env_steps, seed=0)
    assert names(run) == ["00001100", "00004200", "00005000", "best", "latest"]


def test_a_policy_says_where_it_comes_from(run):
    report(run, 0.4, 700, seed=0)
    metadata = load_policy(run.path).metadata
    assert metadata["env_id"] == POINT
    assert metadata["env_steps"] == 700
    assert metadata["success_rate"] == 0.4
    assert metadata["config"]["policy_every"] == 1000


def refusal_of(path):
    with pytest.raises(InputError) as caught, new_run(path, record_of(), None):
        pass
    message = str(caught.value)
    assert is_one_line(message)
    assert str(path) in message
    return message


def test_an_earlier_run_is_never_written_over(run):
    report(run, 0.4, 700, seed=0)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    assert "already holds files" in refusal_of(run.path)
    after = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    assert after == before


def test_a_file_is_not_a_run_directory(tmp_path):
    path = tmp_path / "file"
    path.touch()
    refusal_of(path)
    refusal_of(path / "below")


def test_an_empty_directory_is_used(tmp_path):
    with new_run(tmp_path, record_of(), None):
        pass
    assert (tmp_path / "config.json").is_file()


def test_an_infinite_setting_still_makes_readable_json(tmp_path):
    config = TrainConfig()
    config = replace(config, agent=replace(config.agent, output_clip=float("inf")))
    with new_run(tmp_path / "run", record_of(config), None):
        pass
    tmp_path = tmp_path / "run"
    record = json.loads((tmp_path / "config.json").read_text())
    assert record["config"]["agent"]["output_clip"] == float("inf")
