"""Adapters of Meta-World and OGBench: goals that are places, reproducible scenes, experts."""

import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from builders import is_one_line

from headstart.demos.expansion.expand import expand_demos
from headstart.demos.experts import expert_for
from headstart.demos.record import collect_demos
from headstart.envs.adapted import METAWORLD, METAWORLD_IDS, OGBENCH_IDS
from headstart.envs.interface import GOAL_KEYS
from headstart.envs.make import make_env
from headstart.envs.restoring import restoring_problem
from headstart.envs.snapshot import require_restorable
from headstart.errors import InputError
from headstart.rollout.job import EVALUATION, EpisodeJob, run_episode

PICK = "MetaWorldPickPlace-v3"
OURS = {PICK: "metaworld", "OGBenchPointmazeMedium-v0": "ogbench"}


def still(observation):
    return np.zeros(2, np.float32)


@pytest.mark.parametrize(("env_id", "package"), OURS.items())
def test_an_id_is_known_and_the_missing_package_is_named(env_id, package, monkeypatch):
    assert env_id in gym.registry
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.env_dict", None)
    monkeypatch.delitem(sys.modules, f"headstart.integrations.{package}", raising=False)
    with pytest.raises(InputError, match=rf"pip install 'headstart\[{package}\]'") as error:
        make_env(env_id)
    assert is_one_line(str(error.value))


def test_tasks_are_called_as_at_home():
    assert METAWORLD_IDS["MetaWorldPlateSlideBackSide-v3"] == "plate-slide-back-side-v3"
    assert OGBENCH_IDS["OGBenchCubeSingle-v0"] == "cube-single-v0"
    assert len(METAWORLD_IDS) == len(METAWORLD)


@pytest.mark.slow
def test_the_expert_of_meta_world_succeeds_in_scenes_that_depend_on_the_seed_alone():
    pytest.importorskip("metaworld", reason="pip install 'headstart[metaworld]'")
    env, expert = make_env(PICK), expert_for(PICK)
    jobs = [EpisodeJob(expert, 0, EVALUATION, index) for index in (0, 1, 0)]
    first, other, again = (run_episode(env, job) for job in jobs)
    assert first.success
    assert other.success
    assert (first.desired_goals[0] != other.desired_goals[0]).any()
    for name in ("observations", "achieved_goals", "desired_goals", "actions"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name
    # The object is where it is achieved to be.
    assert np.array_equal(first.observations[:, 4:7], first.achieved_goals)


def continuation(env, states, actions, start, seed):
    """What follows from a restored state, after other episodes, and what followed then."""
    env.reset(seed=seed)
    observed, saved = [], None
    for number, action in enumerate(actions):
        if number == start:
            saved = states.save_state()
        observed.append(env.step(action)[0])
    env.reset(seed=seed + 1)
    env.step(actions[0])
    states.restore_state(saved)
    return [env.step(action)[0] for action in actions[start:]], observed[start:]


@pytest.mark.slow
@pytest.mark.parametrize("env_id", [PICK, "MetaWorldPush-v3", "MetaWorldReach-v3"])
def test_one_demonstration_of_meta_world_is_expanded_though_the_hand_lags(env_id):
    pytest.importorskip("metaworld", reason="pip install 'headstart[metaworld]'")
    one = collect_demos(env_id, expert_for(env_id), episodes=1)
    found = expand_demos(one, episodes=3)
    assert [episode.success for episode in found.episodes] == [True] * 3
    assert found.header["expansion"]["attempts"] <= 6


@pytest.mark.slow
def test_the_expert_of_a_cube_of_ogbench_succeeds_and_is_expanded():
    pytest.importorskip("ogbench", reason="pip install 'headstart[ogbench]'")
    env_id = "OGBenchCubeSingle-v0"
    shown = collect_demos(env_id, expert_for(env_id), episodes=4, keep_failures=True)
    assert [episode.success for episode in shown.episodes] == [True] * 4
    # The goals are five, and none of them is where a cube begins.
    assert all(np.ptp(episode.achieved_goals, axis=0).max() > 1.0 for episode in shown.episodes)
    for episode in shown.episodes:
        one = replace(shown, episodes=(episode,))
        assert expand_demos(one, episodes=1).header["expansion"]["attempts"] == 1


# A drawer stands elsewhere in each scene; a cube is gripped by a controller that reads poses.
@pytest.mark.parametrize(
    ("env_id", "package"),
    [
        (PICK, "metaworld"),
        ("MetaWorldDrawerOpen-v3", "metaworld"),
        ("OGBenchCubeSingle-v0", "ogbench"),
        ("OGBenchPointmazeMedium-v0", "ogbench"),
    ],
)
def test_states_are_restored_to_the_bit_with_their_goal_or_another(env_id, package):
    pytest.importorskip(package, reason=f"pip install 'headstart[{package}]'")
    env = make_env(env_id)
    env.action_space.seed(3)
    actions = [env.action_space.sample() for _ in range(30)]
    env.reset(seed=0)
    found, expected = continuation(env, require_restorable(env), actions, 12, seed=0)
    for one, other in zip(found, expected, strict=True):
        assert all(np.array_equal(one[key], other[key]) for key in GOAL_KEYS)
    assert restoring_problem(env) is None


def test_a_maze_of_ogbench_is_reproducible_and_leaves_the_draws_of_others_alone():
    pytest.importorskip("ogbench", reason="pip install 'headstart[ogbench]'")
    env = make_env("OGBenchPointmazeMedium-v0")
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    jobs = [EpisodeJob(still, 0, EVALUATION, index) for index in (0, 1, 0)]
    first, other, again = (run_episode(env, job) for job in jobs)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert np.array_equal(first.observations, again.observations)
    assert (first.desired_goals[0] != other.desired_goals[0]).any()
    # What is achieved is the place of the point, and nothing moves it to its goal.
    assert np.array_equal(first.observations, first.achieved_goals)
    assert not first.success
