"""A policy that raises is named, and its environment is not blamed for it."""

import sys

import numpy as np
import pytest
from builders import is_one_line, point_expert

from headstart.demos.record import collect_demos
from headstart.envs.make import env_source
from headstart.envs.toy import PointReach
from headstart.errors import EpisodeError, InputError, RunError
from headstart.rollout.executors import make_executor
from headstart.rollout.job import EpisodeJob
from headstart.training.evaluation import evaluate

pytestmark = [pytest.mark.usefixtures("forked_collectors")]
POINT = "PointReach-v0"


def clumsy(observation):
    raise KeyError("gripper")


def leaves(observation):
    sys.exit(3)


def ragged(observation):
    return [[0.1], [0.2, 0.3]]


def overflows(observation):
    with np.errstate(all="raise"):
        return np.exp(np.float32([1000.0, 0.0]))


class Forgets:
    """Fails where an episode begins."""

    def reset(self):
        raise OSError("no memory of it")

    def __call__(self, observation):
        return point_expert(observation)


class Slips(PointReach):
    def step(self, action):
        raise KeyError("gripper")


CASES = [
    (clumsy, "policy clumsy on PointReach-v0, ", r"KeyError: 'gripper' (test_policy_errors.py, "),
    (leaves, "policy leaves on PointReach-v0, ", "SystemExit: 3 (test_policy_errors.py, "),
    (ragged, "policy ragged on PointReach-v0, ", "ValueError: "),
    (Forgets(), "policy Forgets on PointReach-v0, ", "OSError: no memory of it (test_policy"),
]


@pytest.mark.slow
@pytest.mark.parametrize("collectors", [0, 1, 2])
@pytest.mark.parametrize(("policy", "named", "expected"), CASES)
def test_a_policy_that_raises_is_named(policy, named, expected, collectors):
    job = EpisodeJob(policy, 0, "demos", 0)
    with make_executor(POINT, collectors) as executor:
        (pending,) = executor.submit([job])
        with pytest.raises(EpisodeError) as caught:
            pending.result()
    message = str(caught.value)
    assert message.startswith(
        f"{named}episode with seed {job.env_seed}: failed 3 times, {expected}"
    )
    assert is_one_line(message)


@pytest.mark.slow
@pytest.mark.parametrize("collectors", [0, 1, 2])
def test_an_environment_that_raises_the_same_is_blamed_itself(collectors):
    source = env_source(Slips, {"max_episode_steps": 30})
    with make_executor(source, collectors) as executor:
        (pending,) = executor.submit([EpisodeJob(point_expert, 0, "demos", 0)])
        with pytest.raises(EpisodeError) as caught:
            pending.result()
    assert str(caught.value).startswith(f"{source.name}, episode with seed ")
    assert "failed 3 times, KeyError: 'gripper' (test_policy_errors.py, " in str(caught.value)


def test_demonstrations_and_evaluations_name_it():
    for run in (collect_demos, evaluate):
        arguments = (POINT, clumsy) if run is collect_demos else (clumsy, POINT)
        with pytest.raises(InputError, match=r"^policy clumsy on PointReach-v0, episode with seed"):
            run(*arguments, episodes=2)


def test_numbers_that_overflow_in_it_are_its_own_too():
    with pytest.raises(RunError, match=r"^policy overflows, episode 0: overflow encou"):
        evaluate(overflows, POINT, episodes=2)
