"""Behaviours that go back to earlier states, and end episodes early."""

import numpy as np
import pytest
from carrying import Carrying

from headstart.envs.make import make_env
from headstart.rollout.job import EpisodeJob, run_episode


class Wanderer:
    """Moves along x; goes back once, from one number of steps to another, and along y from there.

    Args:
        goes_back: from and to how many steps.
        ends: after how many steps, if the time limit does not end it before.
    """

    def __init__(self, goes_back, ends=None):
        self.goes_back, self.ends, self.branches = goes_back, ends, 0

    def __call__(self, observation):
        return np.float32([1.0, 0.0, 0.0, 1.0] if not self.branches else [0.0, 1.0, 0.0, 1.0])

    def review(self, observation, *, is_success, num_steps, finished):
        if num_steps == self.ends:
            return None
        if num_steps == self.goes_back[0] and not self.branches:
            self.branches += 1
            return self.goes_back[1]
        return num_steps


@pytest.fixture
def env():
    return make_env(Carrying, max_episode_steps=10)


def hand(episode):
    return episode.observations[:, :2] - episode.observations[0, :2]


@pytest.mark.parametrize("turn", [6, 10], ids=["on the way", "at the time limit"])
def test_what_is_gone_back_from_is_not_in_the_episode(env, turn):
    episode = run_episode(env, EpisodeJob(Wanderer((turn, 4)), 0, "test", 0))
    assert (len(episode), episode.discarded_steps) == (10, turn - 4)
    assert hand(episode)[4] == pytest.approx([0.2, 0.0], abs=1e-6)
    assert hand(episode)[10] == pytest.approx([0.2, 0.3], abs=1e-6)


def test_an_episode_may_be_ended_early(env):
    episode = run_episode(env, EpisodeJob(Wanderer((99, 0), ends=3), 0, "test", 0))
    assert (len(episode), episode.discarded_steps) == (3, 0)


@pytest.mark.parametrize("wanted", [False, True])
def test_snapshots_are_kept_where_they_are_wanted(env, wanted):
    job = EpisodeJob(Wanderer((6, 4)), 0, "test", 0, snapshots=wanted)
    assert bool(run_episode(env, job).snapshots.shape[1]) == wanted


def test_an_episode_that_fails_says_what_its_branches_took(env):
    class Failing(Wanderer):
        def __call__(self, observation):
            if self.branches:
                raise RuntimeError("broken")
            return super().__call__(observation)

    with pytest.raises(RuntimeError, match="broken") as failed:
        run_episode(env, EpisodeJob(Failing((6, 4)), 0, "test", 0))
    assert failed.value.env_steps == 6
