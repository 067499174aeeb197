"""Environments that are built again for each episode: no trace of one is left in the next."""

import numpy as np
import pytest
from builders import is_one_line

from headstart.envs.check import check_env
from headstart.envs.goal_env import GoalReward
from headstart.envs.make import env_source, make_env
from headstart.envs.rebuilding import RebuiltEachEpisode
from headstart.envs.trial import difference, record
from headstart.errors import InputError

FORGETS = "envs.habits:Remembering-v0,rebuild_each_episode=true"


def test_an_environment_that_remembers_is_named_and_repeats_itself_once_it_is_rebuilt():
    (problem,) = check_env("envs.habits:Remembering-v0").problems
    assert "an episode depends on what ran before it" in problem
    assert "append rebuild_each_episode=true to the id" in problem
    assert check_env(FORGETS).problems == ()
    env = make_env(FORGETS)
    first = record(env, 1)
    record(env, 2)
    assert difference(first, record(env, 1)) is None


def test_it_is_declared_by_an_attribute_too_and_the_argument_counts_before_it():
    from envs.habits import Remembering

    class Forgetting(Remembering):
        rebuild_each_episode = True

    limit = {"max_episode_steps": 10}
    assert isinstance(make_env(Forgetting, **limit), RebuiltEachEpisode)
    asked = make_env(Forgetting, rebuild_each_episode=False, **limit)
    assert not isinstance(asked, RebuiltEachEpisode)
    with pytest.raises(InputError, match=r"must be true or false, got yes") as error:
        make_env(Forgetting, rebuild_each_episode="yes", **limit)
    assert is_one_line(str(error.value))


def test_rewards_are_those_of_the_environment_and_each_is_closed_before_the_next_is_built():
    env = make_env("envs.habits:OnlyOne-v0,rebuild_each_episode=true")
    reward = GoalReward(env)
    env.reset(seed=0)
    env.reset(seed=1)
    goals = np.array([[0.0, 0.0], [1.0, 1.0]], np.float32)
    assert reward(goals, goals[::-1].copy())[0].tolist() == [-1.0, -1.0]
    assert reward(goals, goals)[0].tolist() == [0.0, 0.0]
    env.close()


def test_an_object_is_rebuilt_by_the_same_name():
    assert env_source(make_env(FORGETS)).name == FORGETS.partition(":")[2]
