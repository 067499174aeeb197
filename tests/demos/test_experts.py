import pickle
from collections.abc import Iterator

import gymnasium
import gymnasium_robotics
import numpy as np
import pytest

from headstart.demos.experts import EXPERTS, Expert, expert_for
from headstart.errors import InputError

EPISODE_STEPS = 50

gymnasium.register_envs(gymnasium_robotics)


def make(env_id: str) -> gymnasium.Env:
    # Longer than the 50 steps of the task, so that a test can disturb the expert first.
    return gymnasium.make(env_id, max_episode_steps=150, disable_env_checker=True)


@pytest.fixture(scope="module")
def reach() -> Iterator[gymnasium.Env]:
    env = make("FetchReach-v4")
    yield env
    env.close()


@pytest.fixture(scope="module")
def pick_and_place() -> Iterator[gymnasium.Env]:
    env = make("FetchPickAndPlace-v4")
    yield env
    env.close()


def follow(env, expert: Expert, observation, *, num_steps=EPISODE_STEPS, noise=0.0, rng=None):
    """Let the expert act, with Gaussian noise on top; return the observation and the success."""
    is_success = False
    for _ in range(num_steps):
        action = expert(observation)
        assert action.shape == env.action_space.shape
        assert action.dtype == np.float32
        assert env.action_space.contains(action)
        if noise:
            noisy = action + rng.normal(0.0, noise, size=4)
            action = np.clip(noisy, -1.0, 1.0).astype(np.float32)
        observation, _, _, _, info = env.step(action)
        is_success = bool(info["is_success"])
    return observation, is_success


def successes(env, expert: Expert, seeds, *, noise=0.0) -> list[bool]:
    """Whether each episode ends, at its last step, in success."""
    outcomes = []
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        rng = np.random.default_rng(seed)
        outcomes.append(follow(env, expert, observation, noise=noise, rng=rng)[1])
    return outcomes


def test_fetch_reach_ends_at_the_goal(reach):
    assert all(successes(reach, expert_for("FetchReach-v4"), range(10)))


def test_fetch_pick_and_place_ends_with_the_block_at_the_goal(pick_and_place):
    assert all(successes(pick_and_place, expert_for("FetchPickAndPlace-v4"), range(40)))


def test_noise_does_not_stop_the_experts(reach, pick_and_place):
    seeds = range(100, 110)
    assert all(successes(reach, expert_for("FetchReach-v4"), seeds, noise=0.2))
    assert all(successes(pick_and_place, expert_for("FetchPickAndPlace-v4"), seeds, noise=0.1))
    assert sum(successes(pick_and_place, expert_for("FetchPickAndPlace-v4"), seeds, noise=0.2)) >= 9


@pytest.mark.parametrize("carry_steps", [1, 3, 6])
def test_a_dropped_block_is_fetched_again(pick_and_place, carry_steps):
    env, expert = pick_and_place, expert_for("FetchPickAndPlace-v4")
    observation = reset_to_high_goal(env)
    while observation["achieved_goal"][2] < 0.435:  # The block rests at 0.425 on the table.
        observation, _ = follow(env, expert, observation, num_steps=1)
    observation, is_success = follow(env, expert, observation, num_steps=carry_steps)
    assert not is_success

    held_height = observation["achieved_goal"][2]
    for _ in range(6):
        action = np.array([0.0, 0.0, 0.5, 1.0], dtype=np.float32)
        observation, *_ = env.step(action)
    assert observation["achieved_goal"][2] < held_height - 0.005

    assert follow(env, expert, observation)[1]


def reset_to_high_goal(env):
    for seed in range(100):
        observation, _ = env.reset(seed=seed)
        if observation["desired_goal"][2] > 0.75:
            return observation
    raise AssertionError("no seed below 100 has a goal high in the air")


def test_closed_fingers_beside_the_block_do_not_push_it_away(pick_and_place):
    env, expert = pick_and_place, expert_for("FetchPickAndPlace-v4")
    for seed in range(5):
        observation, _ = env.reset(seed=seed)
        # Fingers open sideways with a force that shoots a block beside them across the table.
        beside = observation["achieved_goal"] + np.array([0.0, 0.055, 0.0])
        for height in (0.1, 0.0):
            for _ in range(12):
                way = beside + np.array([0.0, 0.0, height]) - observation["observation"][:3]
                action = np.append(np.clip(10.0 * way, -1.0, 1.0), -1.0).astype(np.float32)
                observation, *_ = env.step(action)
        before = observation["achieved_goal"]
        observation, _ = follow(env, expert, observation, num_steps=4)
        assert np.linalg.norm(observation["achieved_goal"] - before) < 0.01
        assert follow(env, expert, observation)[1]


def test_the_action_follows_from_the_observation_alone(pick_and_place):
    expert = expert_for("FetchPickAndPlace-v4")
    first, _ = pick_and_place.reset(seed=0)
    copies = {key: value.copy() for key, value in first.items()}
    action = expert(first)
    later, _ = follow(pick_and_place, expert, first, num_steps=20)
    expert(later)
    np.testing.assert_array_equal(expert(first), action)
    for key, value in copies.items():
        np.testing.assert_array_equal(first[key], value)


@pytest.mark.parametrize("task", sorted(EXPERTS))
def test_every_name_of_a_task_has_the_same_expert(task):
    expert = expert_for(task)
    assert expert is EXPERTS[task]
    for env_id in (f"{task}-v4", f"{task}Dense-v4", f"{task}Dense", f"{task}-v2"):
        assert expert_for(env_id) is expert


@pytest.mark.parametrize("task", sorted(EXPERTS))
def test_experts_can_be_pickled(task):
    assert pickle.loads(pickle.dumps(EXPERTS[task])) is EXPERTS[task]


def test_unknown_environment_is_named_with_the_known_ones():
    with pytest.raises(InputError) as caught:
        expert_for("HandReach-v3")
    message = str(caught.value)
    assert "\n" not in message
    for name in ("HandReach-v3", "FetchReach", "FetchPickAndPlace"):
        assert name in message


def test_arguments_of_the_environment_do_not_hide_its_expert():
    assert expert_for("FetchReach-v4,max_episode_steps=20") is expert_for("FetchReach-v4")
