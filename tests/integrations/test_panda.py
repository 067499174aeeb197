"""panda-gym: ids without an import, ends at every goal, episodes that leave nothing behind."""

import sys

import numpy as np
import pytest
from builders import is_one_line

from headstart import find_demos
from headstart.demos.expansion.workspace import Workspace
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.looks.hand import misdeclared
from headstart.envs.make import make_env
from headstart.envs.names import is_registered
from headstart.envs.trial import difference, record
from headstart.errors import InputError


def test_the_missing_package_is_named(monkeypatch):
    import gymnasium as gym

    monkeypatch.setitem(sys.modules, "panda_gym", None)
    monkeypatch.delitem(gym.registry, "PandaReach-v3", raising=False)
    with pytest.raises(InputError, match=r"pip install 'headstart\[panda\]'") as error:
        make_env("PandaReach-v3")
    assert is_one_line(str(error.value))


def test_episodes_are_the_same_whatever_ran_before(capfd):
    pytest.importorskip("panda_gym", reason="pip install 'headstart[panda]'")
    assert is_registered("PandaPickAndPlace-v3")
    env = make_env("PandaPickAndPlace-v3")
    first = record(env, 1, 20)
    capfd.readouterr()
    record(env, 2, 20)
    assert difference(first, record(env, 1, 20)) is None
    # PyBullet prints at each start.
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("env_id", ["PandaReach-v3", "PandaReachDense-v3"])
def test_every_goal_ends_an_episode_where_it_is_reached(env_id):
    pytest.importorskip("panda_gym", reason="pip install 'headstart[panda]'")
    env = make_env(env_id)
    spec = GoalSpec.from_env(env)
    assert (spec.terminates, spec.asks_terminated, spec.vectorized_ends) == (True, True, True)
    goal = np.full((2, 3), 0.1, np.float32)
    away = goal + np.array([[0.01, 0, 0], [0.1, 0, 0]], np.float32)
    assert GoalReward(env, spec)(away, goal)[1].tolist() == [1.0, 0.0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env_id", "positions", "goals"),
    [
        ("PandaReach-v3", (0,), (0,)),
        ("PandaPush-v3", (0, 6), (0,)),
        ("PandaPickAndPlace-v3", (0, 7), (0,)),
        ("PandaStack-v3", (0, 7, 19), (0, 3)),
    ],
)
def test_where_hand_and_objects_are_is_declared(env_id, positions, goals):
    pytest.importorskip("panda_gym", reason="pip install 'headstart[panda]'")
    env = make_env(env_id)
    spec = GoalSpec.from_env(env)
    assert (spec.layout.positions, spec.layout.goal_positions) == (positions, goals)
    assert not [*misdeclared(env, spec.layout)]
    observation, _ = env.reset(seed=0)
    achieved = Workspace.of(spec).objects(observation["achieved_goal"])
    seen = [observation["observation"][at : at + 3] for at in positions[-len(goals) :]]
    np.testing.assert_allclose(achieved, seen, atol=1e-6)


@pytest.mark.slow
def test_demonstrations_are_made_from_nothing():
    pytest.importorskip("panda_gym", reason="pip install 'headstart[panda]'")
    assert find_demos("PandaPickAndPlace-v3", episodes=2).success_rate == 1.0


def test_joints_are_no_hand():
    pytest.importorskip("panda_gym", reason="pip install 'headstart[panda]'")
    assert GoalSpec.from_env(make_env("PandaReachJoints-v3")).layout.hand is None
