"""The expert of FetchStack: towers of any number of blocks, let go and left alone."""

import numpy as np
import pytest

from headstart.demos.experts import expert_for
from headstart.demos.experts.fetch_stack import fetch_stack
from headstart.demos.experts.fetch_stack_room import Room
from headstart.demos.reading import read_demos
from headstart.demos.record import collect_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.errors import InputError

MOST_STEPS_PER_BLOCK = 32


def build_tower(env, seed, **options):
    """Run an episode; return its last ``info`` and the step of the first strict success."""
    observation, _ = env.reset(seed=seed, options=options)
    first, steps, ended = None, 0, False
    while not ended:
        observation, _, _, ended, info = env.step(fetch_stack(observation))
        steps += 1
        first = steps if first is None and info["strict_success"] else first
    return info, first


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 3])
def test_towers_are_built_let_go_and_left(count):
    env = make_env(f"FetchStack{count}-v0")
    for seed in range(4):
        info, first = build_tower(env, seed)
        assert info == {
            "is_success": True,
            "strict_success": True,
            "num_placed": count,
            "failure": "",
        }
        assert first <= MOST_STEPS_PER_BLOCK * count


def test_a_tower_that_is_begun_is_finished():
    info, first = build_tower(make_env("FetchStack4-v0"), 1, stacked=2)
    assert info["strict_success"]
    assert first <= 2 * MOST_STEPS_PER_BLOCK


def test_a_tower_that_falls_is_built_again():
    env = make_env("FetchStack2-v0,max_episode_steps=200")
    observation, _ = env.reset(seed=0)
    for _ in range(60):
        observation, *_, info = env.step(fetch_stack(observation))
    assert info["num_placed"] == 2
    base = env.unwrapped.data.joint("object0:joint").qpos
    env.unwrapped.data.joint("object1:joint").qpos[:3] = base[:3] + np.array([0.0, 0.12, 0.0])
    env.unwrapped.data.joint("object0:joint").qpos[0] -= 0.12
    for _ in range(100):
        observation, *_, info = env.step(fetch_stack(observation))
    assert info["strict_success"]


def test_a_block_is_not_taken_from_under_others_for_a_centimetre_or_two():
    env = make_env("FetchStack3-v0")
    observation, _ = env.reset(seed=0, options={"stacked": 2})
    tower = observation["desired_goal"].reshape(-1, 3)
    for number in range(2):
        env.unwrapped.data.joint(f"object{number}:joint").qpos[:2] = tower[number, :2] + 0.01
    info, ended = {}, False
    while not ended:
        observation, _, _, ended, info = env.step(fetch_stack(observation))
        assert np.linalg.norm(observation["achieved_goal"][:3] - tower[0]) < 0.02
    assert info["strict_success"]


def test_the_action_follows_from_the_observation_alone():
    env = make_env("FetchStack2-v0")
    observation, _ = env.reset(seed=0)
    seen = []
    for _ in range(60):
        seen.append((observation, fetch_stack(observation)))
        observation, *_ = env.step(seen[-1][1])
    for before, action in reversed(seen):
        np.testing.assert_array_equal(fetch_stack(before), action)


def test_actions_are_in_bounds_whatever_is_observed():
    rng = np.random.default_rng(0)
    for _ in range(200):
        count = int(rng.integers(1, 9))
        scale = rng.choice([0.0, 0.01, 0.1, 1.0])
        observation = {
            "observation": rng.normal(0.0, scale, 10 + 15 * count),
            "desired_goal": rng.normal(0.0, scale, 3 * count),
        }
        action = fetch_stack(observation)
        assert (action.shape, action.dtype) == ((4,), np.float32)
        assert (np.abs(action) <= 1.0).all()


@pytest.mark.parametrize(
    "name", ["FetchStack1-v0", "FetchStack8Step-v0", "FetchStack3-v0,stacked=1"]
)
def test_every_number_of_blocks_has_it(name):
    assert expert_for(name) is fetch_stack


@pytest.mark.parametrize("name", ["FetchStack9-v0", "FetchStack0-v0", "FetchStack33-v0"])
def test_other_numbers_have_none(name):
    with pytest.raises(InputError, match="no scripted expert"):
        expert_for(name)


BLOCK = np.array([1.3, 0.7, 0.425])


@pytest.mark.parametrize("away", [[0.1, 0.0, 0.0], [0.0, 0.15, 0.1], [0.0, 0.0, 0.05]])
def test_a_block_that_stands_alone_is_taken_in_the_middle(away):
    alone = Room.beside(BLOCK, (BLOCK + away)[None])
    assert alone == Room(shift=0.0, half_width=0.05, funnel=0.02)


def test_the_hand_moves_aside_for_a_neighbour():
    room = Room.beside(BLOCK, (BLOCK + np.array([0.0, 0.08, 0.0]))[None])
    assert room.half_width == 0.05
    # The finger on this side, 14 mm thick, ends before the neighbour begins, 55 mm away.
    assert room.shift > -0.02
    assert room.shift + room.half_width + 0.014 < 0.055


def test_the_hand_opens_less_between_two_neighbours():
    others = BLOCK + np.array([[0.0, 0.085, 0.0], [0.0, -0.085, 0.0]])
    room = Room.beside(BLOCK, others)
    assert room.shift == pytest.approx(0.0, abs=1e-9)
    assert 0.03 < room.half_width < 0.085 - 0.025 - 0.014


def test_the_palm_stays_clear_of_a_tower():
    tower = BLOCK + np.array([[0.06, 0.09, 0.05 * level] for level in range(3)])
    room = Room.beside(BLOCK, tower)
    # The palm is 63 mm wide to each side, and wider along x than the fingers.
    assert room.shift + 0.063 < 0.09 - 0.025
    assert Room.beside(BLOCK, tower[:1]).shift == 0.0


def test_demonstrations_of_another_number_of_blocks_are_refused():
    env = make_env("FetchStack2-v0")
    demos = collect_demos("FetchStack1-v0", fetch_stack, episodes=1)
    assert demos.episodes[0].success
    spec = GoalSpec.from_env(env)
    with pytest.raises(InputError, match="FetchStack1-v0") as error:
        read_demos(demos, spec, GoalReward(env, spec))
    assert "\n" not in str(error.value)
