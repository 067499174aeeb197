"""What is declared of a hand, and whether it is so."""

import pytest
from builders import is_one_line
from carrying import Carrying, layout

from headstart import InputError, StateLayout, TaskConfig, check_env
from headstart.envs.layout import declaration, find_layout
from headstart.envs.looks.hand import misdeclared
from headstart.envs.make import make_env

STEPS = {"max_episode_steps": 40}


@pytest.fixture
def env():
    return make_env(Carrying, **STEPS)


def test_a_right_declaration_is_sound(env):
    report = check_env(env)
    assert report.problems == ()
    assert report.spec.layout == layout(1)


def test_only_one_way_may_be_barred(env):
    """The hand cannot move below the table, on which it starts here."""
    env.unwrapped.reset = lambda **_: _low(env.unwrapped)
    assert not list(misdeclared(env, layout(1)))


def _low(carrying):
    Carrying.reset(carrying, seed=0)
    carrying.hand[2] = 0.0
    return carrying._observe(), {}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"hand_actions": (1, 0, 2)}, ["action 1 .*moves it by \\(0, 0.05, 0\\)", "action 0"]),
        ({"hand_steps": (0.05, 0.05, -0.05)}, ["action 2 .*by -0.05 .*\\(0, 0, 0.05\\)"]),
        ({"hand_steps": (0.05, 0.2, 0.05)}, ["action 1 .*by 0.2 .*\\(0, 0.05, 0\\)"]),
        ({"hand": 4}, ["action 0", "action 1", "action 2"]),
        ({"hand_steps": (0.04, 0.06, 0.05)}, []),
    ],
)  # fmt: skip
def test_a_hand_that_goes_elsewhere_is_a_problem(env, changes, found):
    problems = list(misdeclared(env, layout(1, **changes)))
    assert len(problems) == len(found)
    for problem, expected in zip(problems, found, strict=True):
        with pytest.raises(InputError, match=expected):
            raise InputError(problem)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"hand_actions": (0, 1)}, "must name 3 entries of the action, .* got 0 1"),
        ({"hand_actions": (0, 1, 1)}, "hand_actions of its layout names an entry twice"),
        ({"hand_actions": (0, 1, 7)}, "names entry 7, and its action has 4 entries"),
        ({"hand_steps": (0.05,)}, "must say of each of hand_actions how far .* got 0.05"),
        ({"hand_steps": (0.05, 0.0, 0.05)}, "must say of each of hand_actions"),
        ({"gripper_action": 9}, "gripper_action of its layout names entry 9"),
        ({"gripper_action": 2}, "gripper_action of its layout is one of hand_actions, 2"),
    ],
)
def test_an_incomplete_declaration_is_refused(env, task, message):
    with pytest.raises(InputError, match=message) as refused:
        find_layout(env, TaskConfig(**task))
    assert is_one_line(str(refused.value))


def test_actions_of_a_hand_need_the_hand():
    class Handless(Carrying):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.state_layout = layout(1, hand=None)

    with pytest.raises(InputError, match="hand_actions of its layout need hand"):
        find_layout(make_env(Handless, **STEPS), TaskConfig())


def test_a_hand_can_be_declared_from_outside():
    class Silent(Carrying):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.state_layout = StateLayout()

    declared = layout(1)
    task = TaskConfig(
        positions=declared.positions,
        goal_positions=declared.goal_positions,
        hand=declared.hand,
        shift_axes=declared.shift_axes,
        hand_actions=declared.hand_actions,
        hand_steps=declared.hand_steps,
        gripper_action=declared.gripper_action,
    )
    assert find_layout(make_env(Silent, **STEPS), task) == (declared, "declared")
    assert declaration(declared)[-3:] == [
        "--task.hand-actions 0 1 2",
        "--task.hand-steps 0.05 0.05 0.05",
        "--task.gripper-action 3",
    ]
