"""What is detected of an environment by a few steps, and what it declares."""

import numpy as np
import pytest
from named import build_named, spec_of

from headstart.agents.config import DDPGConfig
from headstart.agents.ddpg import DDPG
from headstart.envs import probe
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError


def test_steps_are_taken_in_episodes_of_the_lengths_asked_for():
    env = build_named("Reach")
    steps = probe.take_steps(env, [4, 1, 1000])
    # The time limit is 30.
    assert len(steps) == 35
    assert len(np.unique(steps.desired_goals, axis=0)) == 3
    assert (steps.desired_goals[0] == steps.desired_goals[3]).all()
    computed = env.unwrapped.compute_reward(steps.achieved_goals, steps.desired_goals, {})
    np.testing.assert_array_equal(steps.rewards, computed)
    assert all("is_success" in info for info in steps.infos)


def test_the_same_steps_are_taken_whatever_was_done_before():
    env = build_named("Reach")
    first = probe.take_steps(env)
    env.reset(seed=9)
    again = probe.take_steps(env)
    np.testing.assert_array_equal(first.achieved_goals, again.achieved_goals)
    np.testing.assert_array_equal(first.rewards, again.rewards)


def test_an_episode_that_ends_early_gives_fewer_steps():
    steps = probe.take_steps(build_named("Ending"), [30] * 20)
    assert 0 < steps.terminated.sum() < 20
    assert 20 <= len(steps) < 600
    np.testing.assert_array_equal(steps.terminated, steps.rewards == 0.0)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("Reach", -1.0, 0.0),
        ("ZeroOne", 0.0, 1.0),
        ("Levels", -2.0, 5.0),
        ("GridReward", -1.0, 0.0),
        ("Dense", -np.inf, 0.0),
        ("Overshot", -np.inf, np.inf),
        ("Force", -1.0, 0.0),
        ("Declared", -3.0, 0.0),
        ("Understated", -0.5, 0.0),
    ],
)
def test_the_range_of_rewards_is_found_or_declared(name, low, high):
    assert spec_of(name).reward_range == (low, high)


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("Reach", (-50.0, 0.0)),
        ("ZeroOne", (0.0, 50.0)),
        ("Levels", (-100.0, 250.0)),
        ("Dense", (-np.inf, 0.0)),
        ("Declared", (-150.0, 0.0)),
    ],
)
def test_the_range_of_rewards_sets_the_bounds_of_values(name, bounds):
    spec = spec_of(name)
    agent = DDPG(
        DDPGConfig(hidden_sizes=(8,), discount=0.98),
        observation_dim=spec.observation_dim,
        goal_dim=spec.goal_dim,
        action_low=spec.action_low,
        action_high=spec.action_high,
        reward_range=spec.reward_range,
        seed=0,
    )
    np.testing.assert_allclose(agent.target_bounds, bounds)


@pytest.mark.parametrize(
    ("name", "terminates"),
    [
        ("Reach", None),
        ("SaysItEnds", True),
        ("Ending", True),
        ("Falling", False),
        ("CliffReach", True),
        ("NeverEnds", False),
    ],
)
def test_whether_success_ends_the_episode_is_found_or_declared(name, terminates):
    assert spec_of(name).terminates is terminates


@pytest.mark.parametrize(
    ("name", "vectorized"),
    [("Reach", True), ("Force", True), ("OneGoal", False), ("OneNorm", False)],
)
def test_whether_rewards_come_in_bulk_is_found(name, vectorized):
    assert spec_of(name).vectorized is vectorized


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Reach", ()),
        ("Force", ("force",)),
        ("ForceAtGoal", ("force",)),
        ("Weighted", ()),
        ("Declared", ()),
        ("Keys", ("force", "is_success")),
    ],
)
def test_what_the_reward_reads_of_info_is_found_or_declared(name, keys):
    assert spec_of(name).reward_info_keys == keys


def test_bounds_of_actions_and_the_time_limit_are_the_environments_own():
    spec = spec_of("Lopsided")
    np.testing.assert_allclose(spec.action_low, [-0.1, -2.0], rtol=1e-6)
    np.testing.assert_allclose(spec.action_high, [0.3, 5.0], rtol=1e-6)
    assert spec.max_episode_steps == 30
    assert GoalSpec.from_env(make_env("PointReach-v0,max_episode_steps=7")).max_episode_steps == 7


def test_a_call_to_what_is_there_in_name_only_has_no_answer():
    env, goal = build_named("Reach"), np.zeros(2)
    assert probe.call(env, "compute_terminated", goal, goal, {}) is None

    def base_class_method(achieved_goal, desired_goal, info):
        raise NotImplementedError

    env.unwrapped.compute_terminated = base_class_method
    assert probe.call(env, "compute_terminated", goal, goal, {}) is None
    assert probe.ends_at_goal(env, probe.take_steps(env)) is None


@pytest.mark.parametrize("declared", [(0.0, -1.0), (1.0,), (float("nan"), 0.0)])
def test_a_range_that_is_none_is_refused_by_name(declared):
    env = build_named("Reach")
    env.unwrapped.reward_range = declared
    with pytest.raises(InputError, match=r"reward_range must be \(low, high\), got"):
        GoalSpec.from_env(env)


def test_infinite_bounds_of_the_old_gym_declare_nothing():
    env = build_named("Reach")
    env.unwrapped.reward_range = (-float("inf"), float("inf"))
    assert (
        GoalSpec.from_env(env).reward_range == GoalSpec.from_env(build_named("Reach")).reward_range
    )


def test_one_key_is_not_a_tuple_of_keys():
    env = build_named("Force")
    env.unwrapped.reward_info_keys = "force"
    with pytest.raises(InputError, match="must be a tuple of keys, got 'force'"):
        GoalSpec.from_env(env)
