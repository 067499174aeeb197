"""Everything that runs episodes takes an executor of the caller's own."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from builders import is_one_line, point_expert
from small_runs import POINT, SMALL, Noted, weights_of

from headstart.demos.record import collect_demos
from headstart.errors import InputError
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.training.evaluation import evaluate

CONFIG = replace(SMALL, env_steps=120)


@pytest.fixture(scope="module")
def executor():
    with Noted(POINT) as noted:
        yield noted


@pytest.fixture
def jobs(executor):
    executor.jobs.clear()
    return executor.jobs


def test_training_runs_its_episodes_there_to_the_same_bits(tmp_path, executor, jobs):
    longer = replace(CONFIG, env_steps=180)
    usual = train(POINT, CONFIG, out=tmp_path / "usual")
    passed = train(POINT, CONFIG, out=tmp_path / "passed", executor=executor)
    assert (weights_of(passed.policy) == weights_of(usual.policy)).all()
    assert {job.stream for job in jobs} >= {"rollout"}
    jobs.clear()
    resumed = resume(tmp_path / "passed", longer, executor=executor)
    assert jobs
    usual = resume(tmp_path / "usual", longer)
    assert (weights_of(resumed.policy) == weights_of(usual.policy)).all()


def test_demonstrations_and_evaluations_run_there(executor, jobs):
    demos = collect_demos(POINT, point_expert, episodes=2, executor=executor)
    assert demos.episodes == collect_demos(POINT, point_expert, episodes=2).episodes
    assert {job.stream for job in jobs} == {"demos"}
    result = evaluate(point_expert, POINT, episodes=3, executor=executor)
    assert result == evaluate(point_expert, POINT, episodes=3)
    assert [job.stream for job in jobs].count("evaluation") == 3


def test_collectors_beside_an_executor_are_refused(executor):
    with pytest.raises(InputError, match="an executor runs all episodes, collectors must be 0"):
        evaluate(point_expert, POINT, episodes=1, collectors=1, executor=executor)


@pytest.mark.parametrize("executor", [2, ThreadPoolExecutor(1)])
def test_what_is_not_an_executor_is_refused_in_one_line(executor):
    with pytest.raises(InputError, match="executor must have submit") as caught:
        train(POINT, SMALL, executor=executor)
    assert is_one_line(str(caught.value))
