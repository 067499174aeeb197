import pickle
from collections.abc import Iterator

import gymnasium
import gymnasium_robotics
import numpy as np
import pytest

from headstart.demos.experts import EXPERTS, Expert, expert_for
from headstart.demos.experts.fetch_slide import braking_way
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


@pytest.fixture(scope="module")
def push() -> Iterator[gymnasium.Env]:
    env = make("FetchPush-v4")
    yield env
    env.close()


@pytest.fixture(scope="module")
def slide() -> Iterator[gymnasium.Env]:
    env = make("FetchSlide-v4")
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


@pytest.mark.slow
def test_fetch_reach_ends_at_the_goal(reach):
    assert all(successes(reach, expert_for("FetchReach-v4"), range(10)))


def test_fetch_pick_and_place_ends_with_the_block_at_the_goal(pick_and_place):
    assert all(successes(pick_and_place, expert_for("FetchPickAndPlace-v4"), range(20)))


@pytest.mark.slow
def test_fetch_push_ends_with_the_block_at_the_goal(push):
    assert sum(successes(push, expert_for("FetchPush-v4"), range(30))) >= 28


@pytest.mark.slow
def test_fetch_slide_ends_with_the_puck_at_the_goal(slide):
    # The goals of the others are at the far end of the table, up to which the hardest strikes get.
    assert sum(successes(slide, expert_for("FetchSlide-v4"), range(30))) >= 25


@pytest.mark.slow
def test_noise_does_not_stop_the_experts(reach, pick_and_place, push):
    seeds = range(100, 110)
    assert all(successes(reach, expert_for("FetchReach-v4"), seeds, noise=0.2))
    assert all(successes(pick_and_place, expert_for("FetchPickAndPlace-v4"), seeds, noise=0.1))
    assert sum(successes(pick_and_place, expert_for("FetchPickAndPlace-v4"), seeds, noise=0.2)) >= 9
    assert sum(successes(push, expert_for("FetchPush-v4"), seeds, noise=0.1)) >= 9


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


@pytest.mark.slow
def test_fetch_push_pushes_on_a_block_that_was_turned_and_moved(push):
    expert = expert_for("FetchPush-v4")
    again = []
    for seed in range(10):
        observation, _ = push.reset(seed=seed)
        observation, _ = follow(push, expert, observation, num_steps=25)
        position, velocity = object_state(push)
        position[:2] += np.array([-0.03, -0.06])  # Towards the middle of the table.
        position[3:7] = np.array([np.cos(0.2), 0.0, 0.0, np.sin(0.2)])
        velocity[:] = 0.0
        observation, *_ = push.step(np.zeros(4, dtype=np.float32))
        again.append(follow(push, expert, observation, num_steps=75)[1])
    # Fingers that come down on the edge of a turned block can tip it over.
    assert sum(again) >= 9


@pytest.mark.slow
def test_fetch_slide_strikes_again_a_puck_that_stops_short(slide):
    expert = expert_for("FetchSlide-v4")
    again = []
    for seed in range(25):
        observation, _ = slide.reset(seed=seed)
        if not 1.45 < observation["desired_goal"][0] < 1.6:
            continue  # The hand gets there itself, or a second strike does not.
        _, velocity = object_state(slide)
        hand = slide.unwrapped.data.site("robot0:grip").xpos
        while velocity[0] < 0.3 or hand[2] > 0.44:  # Dragged, or not struck yet.
            observation, _ = follow(slide, expert, observation, num_steps=1)
        velocity[:] = 0.0
        observation, *_ = slide.step(np.zeros(4, dtype=np.float32))
        before = np.linalg.norm(observation["achieved_goal"] - observation["desired_goal"])
        assert before > 0.05
        again.append(follow(slide, expert, observation, num_steps=75)[1])
    assert len(again) >= 8
    # It lies close in front of a hand that is still moving, and a stretched arm strikes softly.
    assert sum(again) >= len(again) // 2


def object_state(env):
    """Position and velocity of the object, as views that can be written."""
    joint = env.unwrapped.data.joint("object0:joint")
    return joint.qpos, joint.qvel


@pytest.mark.parametrize("velocity", [(0.8, 0.0), (0.8, 0.2), (0.5, -0.5), (-0.2, 0.6)])
def test_the_way_of_a_sliding_puck_is_known(slide, velocity):
    slide.reset(seed=0)
    for _ in range(8):  # Out of the way.
        slide.step(np.array([-1.0, 0.0, 1.0, 0.0], dtype=np.float32))
    position, speed = object_state(slide)
    position[:2] = start = np.array([1.1, 0.75])
    speed[:2] = velocity
    for _ in range(40):
        slide.step(np.zeros(4, dtype=np.float32))
    way = braking_way(np.array(velocity))
    np.testing.assert_allclose(position[:2] - start, way, atol=0.015)


@pytest.mark.parametrize("task", ["FetchPickAndPlace", "FetchPush", "FetchSlide"])
def test_the_action_follows_from_the_observation_alone(task, request):
    names = {"FetchPickAndPlace": "pick_and_place", "FetchPush": "push", "FetchSlide": "slide"}
    env, expert = request.getfixturevalue(names[task]), EXPERTS[task]
    seen = []
    observation, _ = env.reset(seed=0)
    for _ in range(EPISODE_STEPS):
        copies = {key: value.copy() for key, value in observation.items()}
        seen.append((copies, expert(observation)))
        for key, value in copies.items():
            np.testing.assert_array_equal(observation[key], value)
        observation, *_ = env.step(seen[-1][1])
    for copies, action in reversed(seen):
        np.testing.assert_array_equal(expert(copies), action)


@pytest.mark.parametrize("task", sorted(EXPERTS))
def test_actions_are_in_bounds_whatever_is_observed(task):
    rng = np.random.default_rng(0)
    for _ in range(300):
        state = rng.normal(0.0, rng.choice([0.0, 0.01, 1.0]), size=25)
        observation = {
            "observation": state,
            "achieved_goal": state[3:6] if "Reach" not in task else state[:3],
            "desired_goal": rng.normal(0.0, rng.choice([0.0, 0.1, 1.0]), size=3),
        }
        action = EXPERTS[task](observation)
        assert action.shape == (4,)
        assert action.dtype == np.float32
        assert (np.abs(action) <= 1.0).all()


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
    others = ("--policy DIR", "collect_demos(env, function, episodes=N)")
    for name in ("HandReach-v3", "FetchReach", "FetchPickAndPlace", *others):
        assert name in message


def test_arguments_of_the_environment_do_not_hide_its_expert():
    assert expert_for("FetchReach-v4,max_episode_steps=20") is expert_for("FetchReach-v4")
