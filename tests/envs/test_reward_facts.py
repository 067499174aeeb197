import numpy as np
import pytest
from named import build_named, spec_of

from headstart.envs import probe
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.envs.reward_facts import RewardUnits
from headstart.envs.task import TaskConfig
from headstart.errors import InputError


@pytest.mark.parametrize(
    ("name", "best", "span"),
    [("Reach", 0.0, 1.0), ("ZeroOne", 1.0, 1.0), ("Force", 0.0, 1.0), ("Declared", 0.0, None)],
)
def test_the_best_reward_and_how_far_others_lie_below_it(name, best, span):
    units = spec_of(name).reward_units
    assert units.best == best
    assert units.tells_goal
    assert units.span == span if span else 0.2 < units.span < 2.0


def test_a_reward_that_is_always_the_same_does_not_show_the_goal():
    assert spec_of("Constant").reward_units == RewardUnits(
        best=0.0, tells_goal=False, sees_goals=False
    )


@pytest.mark.parametrize("factor", [0.05, 100.0])
def test_the_span_of_a_reward_grows_with_it(factor):
    env = build_named("Dense")
    plain = GoalSpec.from_env(env).reward_units
    inner = env.unwrapped
    reward, step = inner.compute_reward, inner.step
    inner.compute_reward = lambda *goals_and_info: factor * reward(*goals_and_info)

    def paid(action):
        observation, _, *rest = step(action)
        return observation, float(inner.compute_reward(inner._position, inner._goal, {})), *rest

    inner.step = paid
    units = GoalSpec.from_env(env).reward_units
    assert units.span == pytest.approx(factor * plain.span)
    assert units.best == 0.0


def test_a_reward_of_the_running_episode_is_refused_before_anything_is_trained():
    with pytest.raises(InputError, match=r"OwnGoal-v0: compute_reward answers the same question"):
        GoalSpec.from_env(build_named("OwnGoal"))


@pytest.mark.parametrize("declared", [(0.0, -1.0), (1.0,), "ab"])
def test_a_range_from_outside_is_refused_by_its_name(declared):
    with pytest.raises(InputError, match=r"task\.reward_range must be"):
        TaskConfig(reward_range=declared)


def test_a_range_from_outside_counts_before_that_of_the_environment():
    env = build_named("Declared")
    assert GoalSpec.from_env(env, TaskConfig(reward_range=(-9.0, 1.0))).reward_range == (-9.0, 1.0)
    assert GoalSpec.from_env(env).origins["reward_range"] == "declared"
    assert spec_of("Dense").origins["reward_range"] == "detected"


@pytest.mark.parametrize(
    ("env_id", "in_bulk"),
    [("CliffReach", False), ("BitFlip-v0", False), ("EndsInBulk", True)],
)
def test_ends_are_asked_in_bulk_where_that_gives_the_same(env_id, in_bulk):
    env = make_env(env_id) if "-" in env_id else build_named(env_id)
    spec = GoalSpec.from_env(env)
    assert spec.vectorized_ends is in_bulk
    reward, rng = GoalReward(env, spec), np.random.default_rng(0)
    achieved, desired = rng.uniform(-1.0, 1.0, (2, 200, spec.goal_dim)).astype(np.float32)
    achieved[::3] = desired[::3]
    _, ends = reward(achieved, desired)
    expected = [
        env.unwrapped.compute_terminated(*goals, {})
        for goals in zip(achieved, desired, strict=True)
    ]
    np.testing.assert_array_equal(ends, np.array(expected, np.float32))
    assert 60 < ends.sum() < 200


@pytest.mark.parametrize(("env_id", "observes"), [("PointReach-v0", True), ("Blind", False)])
def test_whether_the_observation_holds_what_is_achieved(env_id, observes):
    env = make_env(env_id) if "-" in env_id else build_named(env_id)
    assert GoalSpec.from_env(env).observes_goal is observes


@pytest.mark.parametrize(
    ("read", "keys"),
    [
        (lambda info: info["cost"], {"cost"}),
        (lambda info: info.get("cost", 0.0), {"cost"}),
        (lambda info: info.pop("cost"), {"cost"}),
        (lambda info: "cost" in info, {"cost"}),
        (lambda info: dict(info)["cost"], {"cost", "time"}),
        (lambda info: {**info}["cost"], {"cost", "time"}),
        (lambda info: dict(info.items())["cost"], {"cost", "time"}),
        (lambda info: [*info.values()], {"cost", "time"}),
    ],
)
def test_however_info_is_read_it_is_noted(read, keys):
    info = probe.Reading({"cost": 1.0, "time": 2, "name": "left"})
    read(info)
    assert info.keys_read == keys
