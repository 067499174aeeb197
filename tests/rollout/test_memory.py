"""Policies that remember: each episode has a copy of its own, and is announced to it."""

import threading

import numpy as np
import pytest
from builders import is_one_line, point_policy

from headstart.demos.record import collect_demos
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.rollout.executors import ProcessExecutor, SerialExecutor
from headstart.rollout.job import EpisodeJob, run_episode
from headstart.rollout.pickled import copies_of
from headstart.training.evaluation import evaluate

pytestmark = [pytest.mark.usefixtures("forked_collectors")]

POINT = "PointReach-v0"
TOWARDS = np.array([0.1, 0.0], np.float32)


class Phased:
    """Moves for ten steps of its life and then never again."""

    def __init__(self):
        self.steps = 0

    def __call__(self, observation):
        self.steps += 1
        return TOWARDS if self.steps <= 10 else 0.0 * TOWARDS


def phased_closure():
    steps = []

    def act(observation):
        steps.append(1)
        return TOWARDS if len(steps) <= 10 else 0.0 * TOWARDS

    return act


class Announced:
    """Does nothing until an episode is announced; cannot be copied."""

    def __init__(self):
        self.begun, self.lock = 0, threading.Lock()

    def reset(self):
        self.begun += 1

    def __call__(self, observation):
        return self.begun * TOWARDS


class Seeded:
    """Noise of its own, which is to differ from episode to episode."""

    def reset(self, *, seed):
        self._rng = np.random.default_rng(seed)

    def __call__(self, observation):
        return self._rng.uniform(-1.0, 1.0, 2).astype(np.float32)


class Needy(Phased):
    def reset(self, observation):
        self.steps = 0


def jobs_of(policy, count=3):
    return [EpisodeJob(policy, 0, "demos", index) for index in range(count)]


def episodes_of(executor, jobs):
    with executor:
        return [pending.result() for pending in executor.submit(jobs)]


def moved_steps(episode):
    return int((episode.actions != 0.0).any(axis=1).sum())


@pytest.mark.slow
@pytest.mark.parametrize("make", [Phased, phased_closure])
def test_no_episode_remembers_another_however_many_collectors(make):
    serial = episodes_of(SerialExecutor(POINT), jobs_of(make()))
    assert [moved_steps(episode) for episode in serial] == [10, 10, 10]
    assert episodes_of(ProcessExecutor(POINT, 2), jobs_of(make())) == serial


def test_demonstrations_and_success_rates_do_not_depend_on_what_ran_before():
    policy = Phased()
    demos = collect_demos(POINT, policy, episodes=3, keep_failures=True)
    assert [moved_steps(episode) for episode in demos.episodes] == [10, 10, 10]
    first = evaluate(policy, POINT, episodes=5)
    assert evaluate(policy, POINT, episodes=5) == first
    assert policy.steps == 0


@pytest.mark.slow
def test_a_policy_is_copied_as_it_is_when_episodes_are_asked_for():
    policy = Phased()
    with SerialExecutor(POINT) as serial, ProcessExecutor(POINT, 1) as process:
        for executor in (serial, process):
            policy.steps = 8
            (pending,) = executor.submit(jobs_of(policy, 1))
            policy.steps = 0
            assert moved_steps(pending.result()) == 2


def test_a_policy_without_memory_is_not_copied():
    policy = point_policy()
    assert copies_of(policy)() is policy


def test_a_policy_that_cannot_be_copied_can_forget_when_an_episode_begins():
    policy = Announced()
    episodes = episodes_of(SerialExecutor(POINT), jobs_of(policy))
    assert [episode.actions[0, 0].round(1) for episode in episodes] == [0.1, 0.2, 0.3]
    run_episode(make_env(POINT), jobs_of(policy, 1)[0])
    assert policy.begun == 4


@pytest.mark.slow
def test_reset_may_take_a_seed_that_belongs_to_the_episode():
    serial = episodes_of(SerialExecutor(POINT), jobs_of(Seeded()))
    assert len({episode.actions.tobytes() for episode in serial}) == 3
    assert episodes_of(ProcessExecutor(POINT, 1), jobs_of(Seeded())) == serial


def test_a_reset_that_needs_more_is_refused():
    with pytest.raises(InputError) as caught:
        episodes_of(SerialExecutor(POINT), jobs_of(Needy()))
    assert "reset of the policy must take no argument but seed (missing a required" in str(
        caught.value
    )
    assert is_one_line(str(caught.value))
