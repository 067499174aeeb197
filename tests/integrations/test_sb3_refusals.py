"""What the buffer of Stable-Baselines3 refuses, in one line each."""

import importlib
import sys

import gymnasium as gym
import numpy as np
import pytest
from builders import is_one_line

import headstart as hs
from headstart.envs.toy import PointReach

pytest.importorskip("stable_baselines3")

from sb3_models import BITS, POINT, STEPS, envs, model
from stable_baselines3.common.vec_env import DummyVecEnv

from headstart.integrations.sb3 import DemoHerReplayBuffer


@pytest.mark.parametrize(
    ("env_id", "buffer", "expected"),
    [
        (POINT, {"demos": "missing.npz"}, "missing.npz: no such file of demonstrations"),
        (POINT, {"demos": [1, 2]}, "demos must be DemoSets or paths, got a list with int"),
        (POINT, {"demos": hs.DemoSet(POINT, ())}, "demos must hold at least one episode"),
        (POINT, {"demo_fraction": 1.0}, r"demo_fraction must lie in \[0, 1\), got 1.0"),
        (POINT, {"relabel_fraction": 2}, r"relabel_fraction must lie in \[0, 1\], got 2"),
        (POINT, {"strategy": "future"}, "strategy must be a function.*, got future"),
        (POINT, {"buffer_size": 30}, "buffer_size must exceed the episode's 30, got 30"),
        (POINT, {"optimize_memory_usage": True}, "optimize_memory_usage must be False, got True"),
        ("Talkative-v0", {}, "Talkative-v0: observations must have the keys .* no other"),
        ("Stepwise-v0", {}, "Stepwise-v0: actions must be continuous"),
        ("Pendulum-v1", {}, "Pendulum-v1 is not a goal environment"),
    ],
)
def test_bad_input_is_reported_in_one_line(env_id, buffer, expected):
    env = gym.make(env_id, disable_env_checker=True)
    assert_refused(env, expected, **buffer)


def assert_refused(env, expected, **buffer):
    arguments = {"buffer_size": 1000, "env": DummyVecEnv([lambda: env]), **buffer}
    with pytest.raises(ValueError, match=expected) as caught:
        DemoHerReplayBuffer(
            observation_space=env.observation_space, action_space=env.action_space, **arguments
        )
    assert is_one_line(str(caught.value))


def test_demonstrations_of_another_environment_are_refused(demos):
    printed = "the demonstrations are of PointReach-v0, not of BitFlip-v0"
    assert_refused(hs.make_env(BITS), printed, demos=demos)


def test_an_environment_without_an_id_is_refused():
    assert_refused(PointReach(), "has no spec: give it an id with gymnasium.register")


def test_wrappers_that_change_the_task_are_refused_and_others_are_not():
    harmless = gym.wrappers.RecordEpisodeStatistics(hs.make_env(POINT))
    assert model(harmless).learn(STEPS).replay_buffer.size() == STEPS
    rescaled = gym.wrappers.RescaleAction(hs.make_env(POINT), np.float32(-2), np.float32(2))
    assert_refused(rescaled, "PointReach-v0: a wrapper changes the observations or actions")
    rewarded = gym.wrappers.TransformReward(hs.make_env(POINT), lambda reward: reward + 1.0)
    with pytest.raises(hs.InputError, match="paid 0 where compute_reward says -1") as caught:
        model(rewarded).learn(STEPS)
    assert str(caught.value).count("PointReach-v0: ") == 1


def test_a_goal_that_moves_is_refused():
    with pytest.raises(hs.InputError, match=r"^Restless-v0: the goal changes within the episode"):
        model(envs("Restless-v0")).learn(STEPS)


def test_without_stable_baselines3_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    monkeypatch.delitem(sys.modules, "headstart.integrations.sb3")
    with pytest.raises(ImportError, match=r"pip install -e '\.\[sb3\]'"):
        importlib.import_module("headstart.integrations.sb3")
