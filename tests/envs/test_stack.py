"""FetchStack: towers of blocks, with the arm and the physics of Fetch."""

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from builders import is_one_line
from gymnasium.utils.env_checker import check_env as check_with_gymnasium

from headstart.envs.check import check_env
from headstart.envs.components import component_inputs
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.interface import GOAL_KEYS
from headstart.envs.layout import find_layout
from headstart.envs.make import make_env
from headstart.envs.snapshot import require_restorable
from headstart.envs.stack.course import Course, is_placed, sparse_reward, step_reward
from headstart.envs.stack.env import FetchStack
from headstart.envs.stack.scenes import APART, FROM_TOWER
from headstart.envs.symmetry_check import mirror_defect
from headstart.envs.task import TaskConfig
from headstart.envs.task_facts import find_components, find_mirror
from headstart.errors import InputError

REST = np.zeros(4, np.float32)
CLOSE = np.array([0.0, 0.0, 0.0, -1.0], np.float32)


@pytest.fixture(scope="module")
def three():
    env = make_env("FetchStack3-v0")
    yield env
    env.close()


def places(observation, key="achieved_goal"):
    return observation[key].reshape(-1, 3)


def put_blocks(env, blocks):
    """Put the blocks at rest at ``blocks``, and return the first step's answer."""
    task = env.unwrapped
    for number, place in enumerate(blocks):
        joint = task.data.joint(f"object{number}:joint")
        joint.qpos[:3], joint.qvel[:] = place, 0.0
    return env.step(REST)


def test_importing_headstart_imports_no_gymnasium():
    program = "import sys, headstart; sys.exit('gymnasium' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_importing_headstart_after_gymnasium_registers_it_without_a_simulator():
    program = (
        "import sys, gymnasium, headstart; gymnasium.spec('FetchStack3-v0'); "
        "sys.exit('mujoco' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("variant", ["", "Step"])
def test_it_is_registered_with_fifty_steps_a_block(count, variant):
    assert gym.spec(f"FetchStack{count}{variant}-v0").max_episode_steps == 50 * count


def test_another_number_of_blocks_is_refused_with_what_there_is():
    with pytest.raises(InputError, match=r"FetchStack9.*did you mean FetchStack8-v0") as error:
        make_env("FetchStack9-v0")
    assert is_one_line(str(error.value))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_blocks": 0}, r"num_blocks must lie in \[1, 8\], got 0"),
        ({"num_blocks": 9}, r"num_blocks must lie in \[1, 8\], got 9"),
        ({"reward_type": "dense"}, "reward_type must be sparse or step, got 'dense'"),
        ({"stacked": 2}, r"stacked must be random or lie in \[0, 1\], got 2"),
    ],
)
def test_arguments_out_of_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        FetchStack(**{"num_blocks": 2, **options})


@pytest.mark.parametrize("reward", [is_placed, sparse_reward, step_reward])
def test_a_batch_is_judged_as_its_rows_are(reward):
    rng = np.random.default_rng(0)
    desired = rng.uniform(0.4, 1.5, (200, 9))
    achieved = desired + rng.normal(0.0, 0.025, (200, 9))
    rows = [reward(*row) for row in zip(achieved, desired, strict=True)]
    np.testing.assert_array_equal(reward(achieved, desired), rows)
    deep = reward(achieved.reshape(20, 10, 9), desired.reshape(20, 10, 9))
    np.testing.assert_array_equal(deep.reshape(200, *deep.shape[2:]), rows)


def test_rewards_count_blocks():
    goal = np.array([1.3, 0.7, 0.425, 1.3, 0.7, 0.475, 1.3, 0.7, 0.525])
    level_too_low = goal - [0, 0, 0, 0, 0, 0, 0, 0, 0.05]
    two_away = goal + np.array([0.1, 0, 0, 0, 0.041, 0, 0, 0, 0.039])
    achieved = np.stack([goal, level_too_low, two_away])
    assert sparse_reward(achieved, np.stack([goal] * 3)).tolist() == [0.0, -1.0, -1.0]
    assert step_reward(achieved, np.stack([goal] * 3)).tolist() == [0.0, -1.0, -2.0]


def test_one_block_moves_as_in_pick_and_place():
    ours, upstream = make_env("FetchStack1-v0"), make_env("FetchPickAndPlace-v4")
    observation, _ = upstream.reset(seed=1)
    ours.reset(seed=0)
    for name in ("qpos", "qvel"):
        getattr(ours.unwrapped.data, name)[:] = getattr(upstream.unwrapped.data, name)
    rng = np.random.default_rng(0)
    for _ in range(30):
        action = rng.uniform(-1.0, 1.0, 4).astype(np.float32)
        observation, found = upstream.step(action)[0], ours.step(action)[0]
        # hand, block, block - hand, fingers, angles, velocities: upstream has another order.
        there = observation["observation"]
        order = [0, 1, 2, 9, 10, 20, 21, 22, 23, 24, 3, 4, 5, 6, 7, 8, *range(11, 20)]
        np.testing.assert_allclose(found["observation"], there[order], atol=1e-6)
        np.testing.assert_allclose(found["achieved_goal"], observation["achieved_goal"], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["FetchStack2-v0", "FetchStack3Step-v0"])
def test_the_checkers_find_nothing(env_id):
    report = check_env(env_id)
    assert (report.problems, report.advice) == ((), ())
    assert report.restores_states
    assert report.ends_at_goal is False
    # It would open a window for render_mode="human".
    check_with_gymnasium(make_env(env_id).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("count", [1, 3])
def test_what_it_declares_of_itself_holds(count):
    env = make_env(f"FetchStack{count}-v0")
    assert mirror_defect(env, find_mirror(env, TaskConfig())[0]) is None
    layout, origin = find_layout(env, TaskConfig())
    assert (layout, origin) == (env.unwrapped.state_layout, "declared")
    observation = env.reset(seed=0)[0]
    components, _ = find_components(env, TaskConfig())
    assert [each.name for each in components] == [f"block {number}" for number in range(count)]
    for number, component in enumerate(components):
        place = observation["achieved_goal"][component.start : component.stop]
        first = layout.positions[number + 1]
        np.testing.assert_array_equal(observation["observation"][first : first + 3], place)
        offset = observation["observation"][first + 3 : first + 6]
        np.testing.assert_allclose(place - observation["observation"][:3], offset)


@pytest.mark.parametrize("count", [3, 8])
def test_blocks_are_scattered_with_room_for_the_hand(count):
    env = make_env(f"FetchStack{count}-v0")
    for seed in range(30):
        observation, _ = env.reset(seed=seed)
        blocks, tower = places(observation), places(observation, "desired_goal")
        np.testing.assert_allclose(tower[:, 2], 0.425 + 0.05 * np.arange(count))
        assert np.ptp(tower[:, :2], axis=0).max() == 0.0
        gaps = np.linalg.norm(blocks[:, None] - blocks, axis=2)[np.triu_indices(count, 1)]
        assert gaps.min(initial=1.0) >= APART - 1e-9
        assert np.linalg.norm(blocks[:, :2] - tower[0, :2], axis=1).min() >= FROM_TOWER - 1e-9
        rested = places(env.step(REST)[0])
        assert np.abs(rested - blocks).max() < 1e-3


@pytest.mark.parametrize("stacked", [1, 3, 5])
def test_blocks_stand_in_the_tower_from_the_start(stacked):
    env = make_env(f"FetchStack6-v0,stacked={stacked}")
    for seed in range(10):
        env.reset(seed=seed)
        for _ in range(5):
            *_, info = env.step(REST)
        assert info["num_placed"] == stacked


def test_a_random_number_of_blocks_stands_in_the_tower():
    env = make_env("FetchStack3-v0,stacked=random")
    found = set()
    for seed in range(20):
        env.reset(seed=seed)
        found.add(env.step(REST)[4]["num_placed"])
    assert found == {0, 1, 2}


def test_a_state_with_a_tower_is_restored_to_the_bit(three):
    three.reset(seed=2, options={"stacked": 2})
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1.0, 1.0, (25, 4)).astype(np.float32)
    for action in actions[:10]:
        three.step(action)
    snapshot = require_restorable(three).save_state()
    ahead = [three.step(action)[0]["observation"] for action in actions[10:]]
    other = make_env("FetchStack3-v0")
    other.reset(seed=5)
    require_restorable(other).restore_state(snapshot)
    again = [other.step(action)[0] for action in actions[10:]]
    np.testing.assert_array_equal([state["observation"] for state in again], ahead)
    np.testing.assert_array_equal(again[-1]["desired_goal"], three.unwrapped.goal)


def test_a_state_of_another_number_of_blocks_is_refused(three):
    other = make_env("FetchStack2-v0")
    other.reset(seed=0)
    three.reset(seed=0)
    with pytest.raises(InputError, match="another environment or version") as error:
        require_restorable(three).restore_state(require_restorable(other).save_state())
    assert is_one_line(str(error.value))


def test_a_goal_may_be_given(three):
    goal = np.array([1.3, 0.7, 0.425, 1.4, 0.8, 0.425, 1.4, 0.8, 0.475])
    observation, _ = three.reset(seed=0, options={"desired_goal": goal})
    np.testing.assert_array_equal(observation["desired_goal"], goal)
    np.testing.assert_array_equal(three.step(REST)[0]["desired_goal"], goal)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"desired_goal": [1.3, 0.7, 0.425] * 2 + [1.3, 0.7, 2.0]}, "of block 2 must lie in the"),
        ({"desired_goal": [1.3, 0.7, 0.425] * 2 + [1.3, 0.7, np.nan]}, "of block 2 must lie in"),
        ({"desired_goal": [1.3, 0.7, 0.425]}, "three numbers a block, got"),
        ({"stacked": 3}, "must be random or lie in"),
        ({"desired_goal": ["a"] * 9}, "desired_goal must be numbers"),
        ({"goal": 1}, "reset takes the options desired_goal and stacked, got 'goal'"),
    ],
)
def test_options_of_a_reset_that_make_no_sense_are_refused(three, options, message):
    with pytest.raises(InputError, match=message) as error:
        three.reset(seed=0, options=options)
    assert is_one_line(str(error.value))


def test_an_actor_sees_as_much_of_five_blocks_as_of_two():
    specs = [GoalSpec.from_env(make_env(f"FetchStack{count}-v0")) for count in (2, 5)]
    two, five = map(component_inputs, specs)
    assert two.of(five) == five
    observation, _ = make_env("FetchStack5-v0").reset(seed=0)
    seen = five(np.concatenate([observation[name] for name in GOAL_KEYS]).astype(np.float32))
    offset = observation["achieved_goal"][:3] - observation["observation"][:3]
    assert seen.shape == (len(two),)
    for axis in range(3):
        assert np.isclose(seen, offset[axis], atol=1e-6).any()


@pytest.mark.parametrize(
    ("places", "failure"),
    [
        ([(0.0, 0.425)], "block 0 not grasped"),
        ([(0.0, 0.425), (0.1, 0.425)], "block 0 not grasped"),
        ([(0.0, 0.425), (0.1, 0.5), (0.1, 0.425)], "block 0 dropped"),
        ([(0.3, 0.425), (0.0, 0.425)], "block 0 knocked over"),
        ([(0.1, 0.6)], "block 0 still held"),
        ([(0.3, 0.425)], "block 1 not grasped"),
    ],
)
def test_a_failure_is_that_of_the_first_block_that_is_not_placed(places, failure):
    course, goals = Course(2), np.array([[0.3, 0.0, 0.425], [0.3, 0.0, 0.475]])
    for x, z in places:
        blocks = np.array([[x, 0.0, z], [0.5, 0.0, 0.425]])
        found = course.failure(blocks, goals, hand=np.array([0.1, 0.0, 0.6]))
    assert found == failure
    assert course.failure(goals, goals, hand=np.zeros(3)) == ""


def test_strict_success_needs_the_hand_away_and_blocks_at_rest(three):
    tower = np.array([[1.25, 0.6, 0.425], [1.25, 0.6, 0.475], [1.25, 0.6, 0.525]])
    observation, _ = three.reset(seed=0, options={"desired_goal": tower.ravel()})
    for _ in range(3):
        *_, info = put_blocks(three, tower)
    assert info == {"is_success": True, "strict_success": True, "num_placed": 3, "failure": ""}
    # The hand holds the highest block in its place.
    hand = observation["observation"][:3]
    goal = np.tile(hand, 3) - [0, 0, 0.1, 0, 0, 0.05, 0, 0, 0]  # The hand starts above the table.
    three.unwrapped.goal = goal
    for _ in range(4):
        observation, *_, info = put_blocks(three, goal.reshape(3, 3))
    held = three.step(CLOSE)
    assert (held[4]["is_success"], held[4]["strict_success"]) == (True, False)
    # A block that slides, with the hand far away.
    three.reset(seed=0, options={"desired_goal": tower.ravel()})
    put_blocks(three, tower)
    three.unwrapped.data.joint("object2:joint").qvel[0] = 0.9
    *_, info = three.step(REST)
    assert (info["is_success"], info["strict_success"]) == (True, False)


@pytest.mark.parametrize("action", [[0.0, 0.0, np.nan, 0.0], [0.0, 0.0, 0.0]])
def test_actions_that_are_none_are_refused(three, action):
    three.reset(seed=0)
    with pytest.raises(InputError, match="four finite numbers"):
        three.step(np.array(action))


def test_rewards_in_bulk_are_those_of_steps():
    env = make_env("FetchStack2Step-v0")
    observation, _ = env.reset(seed=0, options={"stacked": 1})
    reward = GoalReward(make_env("FetchStack2Step-v0"))
    observation, paid, *_ = env.step(REST)
    rewards, ends = reward(observation["achieved_goal"][None], observation["desired_goal"][None])
    assert (paid, rewards[0], ends[0]) == (-1.0, -1.0, 0.0)
