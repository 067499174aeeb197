"""Goals that are Dicts: flat vectors of components, and the kitchen among them."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from headstart import GoalReward, GoalSpec, InputError, TaskConfig, check_env
from headstart.envs.kitchen import PaidForGoals
from headstart.envs.make import env_source, make_env
from headstart.envs.toy import PointReach
from headstart.training.evaluation import evaluate

LIMIT = {"max_episode_steps": 30}


class Nested(PointReach):
    """A point whose goal is a Dict of its coordinates."""

    def __init__(self):
        super().__init__()
        axis = spaces.Box(-1.0, 1.0, (1,), np.float64)
        goal = spaces.Dict({"x": axis, "y": axis})
        parts = {"achieved_goal": goal, "desired_goal": goal}
        self.observation_space = spaces.Dict({**self.observation_space.spaces, **parts})

    def step(self, action):
        self._position = np.clip(self._position + self.step_size * np.asarray(action), -1.0, 1.0)
        observation = self._observe()
        goals = observation["achieved_goal"], observation["desired_goal"]
        reward = float(self.compute_reward(*goals, {}))
        return observation, reward, False, False, {"is_success": reward == 0.0}

    def compute_reward(self, achieved_goal, desired_goal, info):
        assert isinstance(achieved_goal, dict)
        ways = [achieved_goal[name] - desired_goal[name] for name in ("x", "y")]
        distance = np.linalg.norm(np.concatenate(ways, axis=-1), axis=-1)
        return -np.asarray(distance > self.threshold, np.float64)

    def _observe(self):
        flat = super()._observe()
        goals = {
            key: dict(zip(("x", "y"), np.split(flat[key], 2), strict=True))
            for key in ("achieved_goal", "desired_goal")
        }
        return {**flat, **goals}


def test_the_vectors_of_a_nested_goal_become_components():
    env, plain = make_env(Nested, **LIMIT), make_env("PointReach-v0")
    spec = GoalSpec.from_env(env)
    assert [(it.name, it.start, it.stop) for it in spec.components] == [("x", 0, 1), ("y", 1, 2)]
    assert (spec.goal_dim, spec.vectorized, spec.terminates) == (2, True, None)
    state, expected = env.reset(seed=3)[0], plain.reset(seed=3)[0]
    for key, value in expected.items():
        np.testing.assert_array_equal(state[key], value)
    goals = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 200, 2)).astype(np.float32)
    rewards, _ = GoalReward(env, spec)(*goals)
    np.testing.assert_array_equal(rewards, GoalReward(plain)(*goals)[0])
    assert 0 < (rewards == 0.0).sum() < 200


def test_a_nested_task_is_sound_and_learned_from_like_any_other():
    assert check_env(Nested, env_kwargs=LIMIT).problems == ()

    def expert(state):
        return np.clip(10.0 * (state["desired_goal"] - state["achieved_goal"]), -1.0, 1.0)

    assert evaluate(expert, Nested, env_kwargs=LIMIT, episodes=10).success_rate == 1.0


def test_goals_of_other_kinds_are_still_refused():
    class Deeper(Nested):
        def __init__(self):
            super().__init__()
            goal = spaces.Dict({"x": self.observation_space["desired_goal"]})
            parts = {"achieved_goal": goal, "desired_goal": goal}
            self.observation_space = spaces.Dict({**self.observation_space.spaces, **parts})

    with pytest.raises(InputError, match=r"achieved_goal must be a flat vector \(Box\)"):
        make_env(Deeper, **LIMIT)


@pytest.fixture(scope="module")
def kitchen():
    return make_env("FrankaKitchen-v1")


@pytest.mark.slow
def test_the_kitchen_is_paid_for_every_task_that_is_done(kitchen):
    spec = GoalSpec.from_env(kitchen)
    assert (spec.goal_dim, spec.reward_range, spec.terminates) == (17, (0.0, 7.0), True)
    assert spec.vectorized
    assert spec.vectorized_ends
    tasks = [component.name for component in spec.components]
    assert {*tasks} == {*kitchen.unwrapped.goal}
    goal = kitchen.reset(seed=0)[0]["desired_goal"]
    rows = np.repeat(goal[None], 8, axis=0)
    for row, component in zip(rows, spec.components, strict=False):
        row[component.entries] += 1.0
    rows[6, spec.components[0].entries] += 1.0
    reward, terminated = GoalReward(kitchen, spec)(rows.astype(np.float32), rows[7:].repeat(8, 0))
    np.testing.assert_array_equal(reward, [6.0] * 6 + [5.0, 7.0])
    np.testing.assert_array_equal(terminated, [0.0] * 7 + [1.0])
    # At the start of an episode, with all tasks on its list, upstream says the same of one goal.
    nested = [[kitchen._nest(goals) for goals in (row, rows[7])] for row in rows]
    assert reward.tolist() == [kitchen.unwrapped.compute_reward(*pair, {}) for pair in nested]


def test_a_task_of_the_kitchen_stays_paid_and_the_last_one_ends_the_episode(kitchen):
    kitchen.reset(seed=0)
    still = np.zeros(9, np.float32)
    task = kitchen.unwrapped
    task.goal = {**task.goal, "microwave": task.data.qpos[[22]].copy()}
    paid = [kitchen.step(still)[1] for _ in range(3)]
    assert paid == [1.0, 1.0, 1.0]
    achieved = task._get_obs(np.zeros(18))["achieved_goal"]
    task.goal = {name: place.copy() for name, place in achieved.items()}
    _, reward, terminated, _, info = kitchen.step(still)
    assert (reward, terminated, info["is_success"]) == (7.0, True, True)


@pytest.mark.slow
def test_the_kitchen_is_built_again_and_no_object_is_wrapped_twice():
    source = env_source(make_env("FrankaKitchen-v1"))
    assert source.name == "FrankaKitchen-v1"
    again = make_env(source)
    found = [layer for layer in wrappers(again) if isinstance(layer, PaidForGoals)]
    assert len(found) == 1
    endless = GoalSpec.from_env(
        make_env("FrankaKitchen-v1", terminate_on_tasks_completed=False), TaskConfig()
    )
    assert endless.terminates is False


def wrappers(env):
    while isinstance(env, gym.Wrapper):
        yield env
        env = env.env
