"""Ends that are a time limit, rewards that look at no goal, and costs in place of rewards."""

import logging

import numpy as np
import pytest
from builders import is_one_line

from headstart.envs.check import check_env
from headstart.envs.episode_check import EpisodeCheck
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import env_source, make_env
from headstart.envs.toy import PointReach
from headstart.errors import InputError
from headstart.rollout.exploration import Exploration
from headstart.rollout.job import Constant, EpisodeJob, run_episode
from headstart.runs.train import train
from headstart.training.config import TrainConfig
from headstart.training.sampling import make_relabelling

SHORT = TrainConfig(env_steps=80, batch_size=8).with_(
    {
        "agent.hidden_sizes": (8,),
        "warm_start.critic_updates": 1,
        "evaluation.episodes": 1,
        "cycle.updates_per_step": 0.01,
    }
)


class OwnClock(PointReach):
    """Counts its steps, and calls the twelfth one an end."""

    def reset(self, *, seed=None, options=None):
        self.left = 12
        return super().reset(seed=seed, options=options)

    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        self.left -= 1
        return observation, reward, self.left == 0, truncated, info


class Falls(OwnClock):
    """Ends at any time."""

    def reset(self, *, seed=None, options=None):
        answer = super().reset(seed=seed, options=options)
        self.left = int(self.np_random.integers(3, 30))
        return answer


class InfoAlone(PointReach):
    """Pays what ``info`` holds, whatever goal is asked about, and little of it at first."""

    late = 15
    steps = 0

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return super().reset(seed=seed, options=options)

    def step(self, action):
        observation, _, *ends, info = super().step(action)
        self.steps += 1
        info |= {"paid": 0.0 if self.steps > self.late else -1.0}
        paid = self.compute_reward(observation["achieved_goal"], self._goal, info)
        return observation, float(paid), *ends, info

    def compute_reward(self, achieved_goal, desired_goal, info):
        return info.get("paid", -1.0)


class Late(InfoAlone):
    """Sound: pays at goals alone, and not before the sixteenth step."""

    threshold = 0.3

    def compute_reward(self, achieved_goal, desired_goal, info):
        reached = super(InfoAlone, self).compute_reward(achieved_goal, desired_goal, info) == 0.0
        return np.where(reached, np.asarray(info.get("paid", -1.0)), -1.0)


class Cost(PointReach):
    """1 away from the goal: a cost, and no reward."""

    def compute_reward(self, achieved_goal, desired_goal, info):
        return -super().compute_reward(achieved_goal, desired_goal, info)


def store_episodes(kind, count):
    """Some episodes of random actions, each as it is stored."""
    env = make_env(kind, max_episode_steps=40)
    check = EpisodeCheck(GoalReward(env, GoalSpec.from_env(env)))
    still, random = Constant(np.zeros(2, np.float32)), Exploration(random_action=1.0)
    keys = check.reward.spec.reward_info_keys
    jobs = [EpisodeJob(still, 0, "test", index, random, keys) for index in range(count)]
    return check, [check(run_episode(env, job)) for job in jobs]


def test_a_time_limit_of_the_environments_own_is_not_a_fall(caplog):
    with caplog.at_level(logging.INFO, "headstart"):
        _, episodes = store_episodes(OwnClock, 6)
    assert [len(episode) for episode in episodes] == [12] * 6
    assert not any(episode.terminated.any() for episode in episodes[1:])
    assert caplog.text.count("after 12 steps again, and never later: taken for a time limit") == 1


def test_falls_at_any_time_remain_falls():
    _, episodes = store_episodes(Falls, 60)
    assert sum(episode.terminated[-1] for episode in episodes) >= 55


def test_a_check_names_a_time_limit_of_the_environments_own():
    found = check_env(env_source(OwnClock, {"max_episode_steps": 40}))
    assert any("at the time limit of 12 steps" in advice for advice in found.advice)


def test_a_reward_that_looks_at_no_goal_is_refused_by_the_first_episode_that_shows_it():
    with pytest.raises(InputError, match=r"pays -1 and 0 in an episode, and at its goal") as said:
        store_episodes(InfoAlone, 1)
    assert is_one_line(str(said.value))


def test_a_reward_that_nothing_has_shown_yet_is_learned_from_as_it_is():
    check, _ = store_episodes(Late, 10)
    assert not check.reward.spec.reward_units.tells_goal
    assert make_relabelling(SHORT, check.reward, None).scale is None
    best, _ = check.reward(*np.zeros((2, 1, 2), np.float32), np.zeros((1, 1), np.float32))
    assert best == 0.0


def test_costs_in_place_of_rewards_are_reported(caplog):
    with caplog.at_level(logging.WARNING, "headstart"):
        train(Cost, SHORT, env_kwargs={"max_episode_steps": 40})
    assert "compute_reward pays less at goals than elsewhere" in caplog.text
