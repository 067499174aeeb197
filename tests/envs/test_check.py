"""``check_env``: each defect is found, named in words, and reported with what to do about it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import is_one_line
from envs.habits import HABITS
from envs.old import REFUSALS
from envs.reports import report

from headstart.data.layout import StateLayout
from headstart.envs.check import check_env
from headstart.envs.layout import find_layout
from headstart.envs.make import make_env
from headstart.envs.task import TaskConfig
from headstart.envs.toy import PointReach
from headstart.errors import InputError
from headstart.runs.preparation import prepare_run
from headstart.training.config import TrainConfig

SOUND = [
    "Reach", "ZeroOne", "Levels", "Dense", "Silent", "GridReward", "Ending", "NeverEnds",
    "Falling", "Force", "Declared", "Lopsided", "LopsidedDouble", "CliffReach", "Weighted",
    "StopsSilently", "FallingSilently",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_said_against_a_sound_environment(name):
    found = report(name)
    assert found.problems == ()
    assert found.advice == ()
    assert found.spec is not None
    assert found.steps_per_second > 0.0


def spec_in_training(env_id):
    """What a run knows of an environment."""
    with prepare_run(env_id, TrainConfig(), None, 0, None, ()) as (trainer, _):
        return trainer.spec


@pytest.mark.parametrize("env_id", ["PointReach-v0", "BitFlip-v0"])
def test_nothing_is_said_against_the_toy_environments(env_id):
    found = check_env(env_id)
    assert (found.problems, found.advice) == ((), ())
    assert found.spec == spec_in_training(env_id)


PROBLEMS = [
    ("FalseMirror", "in its mirror: ", "correct its state_mirror, or leave it out"),
    ("Costly", "compute_reward disagrees with step in", "let step return compute_reward("),
    ("OwnGoal", "compute_reward answers the same question differently in another episode",
     "let it depend on its arguments alone"),
    ("OwnEnd", "compute_terminated answers the same question differently in another episode",
     "let it depend on its arguments alone"),
    ("Nudging", "compute_reward or compute_terminated changes the environment",
     "makes the episode continue differently"),
    ("Scribbling", "compute_reward writes to the goals that it is given", "let it work on copies"),
    ("Unseeded", "two episodes with the same seed and actions differ", "self.np_random"),
    ("Tired", "an episode depends on what ran before it: with the same seed and actions, ",
     "let reset set back all that step changes"),
    ("GoalJumps", "the goal changes within an episode, at step 5", "set a new goal in reset alone"),
    ("SaysItEnds", "compute_terminated says that an episode ended which step continued",
     "let step return compute_terminated("),
    ("EndsUnsaid", "step ends an episode at its goal where compute_terminated says that it con",
     "let compute_terminated return True"),
    ("GoesOn", "success_terminates is declared, and step continues", "leave it out"),
    ("EndsDenied", "success_terminates is False, and step ends an episode in success",
     "set it to True"),
    ("DenseEnding", "an episode ended in success below the best reward",
     "add compute_terminated(achieved_goal, desired_goal, info) in its place"),
    ("DenseSilent", "nothing says whether a step reached the goal", "return info['is_success']"),
    ("Flatterer", "info['is_success'] calls", "steps a success that are not paid the reward of"),
    ("ForceVector", "reads info['forces'], which step gives as an array of shape (2,)",
     "hindsight keeps one number of each step"),
    ("Phase", "reads info['phase'], which step gives as 'work'", "one number of each step"),
    ("ForceAtTimes", "reads info['force'], which step does not always give", "of each step"),
    ("Understated", "lies outside of the declared reward_range (-0.5, 0)", "declare one"),
    ("RewardVector", "what compute_reward returns for one goal is an array of shape (2,)",
     "it must be one finite number"),
    ("RewardNotANumber", "what compute_reward returns for one goal is nan", "one finite number"),
    ("RewardFails", "the environment fails: KeyError: 'no_such_key'", "(defective.py, line "),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "problem", "repair"), PROBLEMS)
def test_a_defect_is_reported_with_what_to_do(name, problem, repair):
    found = report(name)
    assert any(problem in expected and repair in expected for expected in found.problems), (
        found.problems
    )
    assert all(is_one_line(expected) for expected in found.problems)
    # One defect is not reported in many ways; a reward that fails shows up twice.
    assert len(found.problems) <= 2


ADVICE = [
    ("IdleComponent", "the reward is the same wherever the component 'y' of a goal is"),
    ("EmptyRegion", "none of the goals of 103 episodes lies in the region 'above'"),
    ("OneGoal", "compute_reward takes one goal at a time"),
    ("OneNorm", "compute_reward takes one goal at a time"),
    ("ForceAtGoal", "compute_reward takes one goal at a time"),
    ("Constant", "all rewards seen are 0, at the goal too"),
    ("Overshot", "achieving the goal exactly is not the best reward seen"),
    (
        "HoldThree",
        "steps are paid the reward of the goal and are not a success, by info['is_succes",
    ),
    ("Always", "all of 390 steps with random actions are a success: there is nothing to learn"),
    ("StopsLate", "an episode ended only some steps after it had reached its goal"),
    ("EndsDense", "an episode ended at its goal, where the reward is not the best one"),
    (
        "EndsAtTimes",
        "some episodes end at their goal and others continue: values are learned as if",
    ),
    ("TimedOut", "step returns terminated at the time limit of 30 steps, where nothing ended"),
    (
        "SameStart",
        "all of 103 resets with different seeds begin in the same state with the same goal",
    ),
    (
        "Signed",
        "reset takes no seeds from 2**31 on (OverflowError: Python int too large to convert",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "expected"), ADVICE)
def test_what_makes_learning_slower_is_advice_and_no_problem(name, expected):
    found = report(name)
    assert found.problems == ()
    (advice,) = found.advice
    assert expected in advice
    assert is_one_line(advice)


REFUSED = [
    ("NotANumber", "NotANumber-v0: observation[0] is nan; reset and step must return finite"),
    ("NotAGoal", "NotAGoal-v0: desired_goal[0] is nan"),
    ("Misshapen", "Misshapen-v0: observation has shape (3,), the observation space says (2,)"),
    ("WideGoal", "WideGoal-v0: desired_goal has shape (3,), the observation space says (2,)"),
    ("Lacking", "Lacking-v0: the observation lacks desired_goal, which its space promises"),
    ("StepVector", "StepVector-v0: the reward of step is an array of shape (2,)"),
    ("Fails", "it cannot be built, reset or stepped: RuntimeError: the motor is off (defective.py"),
    ("Unbuilt", "it cannot be built, reset or stepped: AssertionError: no message (defective.py"),
    ("Nested", "Nested-v0: desired_goal must be a flat vector (Box), got Dict("),
    ("ImageGoal", "ImageGoal-v0: achieved_goal must be a flat vector (Box), got Box(0, 255, (8, "),
    ("OtherWidths", "achieved_goal (2,) and desired_goal (3,) must have the same shape"),
    ("Buttons", "Buttons-v0: actions must be continuous and bounded (Box), got Discrete(4)"),
    ("ManyButtons", "ManyButtons-v0: actions must be continuous and bounded (Box), got Multi"),
    ("Unbounded", "Unbounded-v0: actions must be continuous and bounded (Box), got Box(-inf"),
    (
        "Endless",
        "Endless-v0 has no time limit: append one to the id, as in envs.defective:Endless-v0,max_e",
    ),
]


@pytest.mark.parametrize(("name", "expected"), REFUSED)
def test_what_cannot_be_tried_is_refused_by_name(name, expected):
    with pytest.raises(InputError) as caught:
        report(name)
    assert expected in str(caught.value)
    assert f"{name}-v0" in str(caught.value)
    assert is_one_line(str(caught.value))


@pytest.mark.parametrize("name", ["WholeNumbers", "ActionMatrix", "FixedAction"])
def test_actions_that_cannot_be_learned_are_refused_by_name(name):
    with pytest.raises(InputError, match=f"^{name}-v0: actions must .* got Box") as caught:
        make_env(f"envs.defective:{name}-v0")
    assert is_one_line(str(caught.value))


def test_a_report_says_what_training_would_know():
    found = report("Force")
    assert found.env_id == "envs.defective:Force-v0"
    assert found.success == "info['is_success']"
    assert found.spec == replace(spec_in_training(found.env_id), env_id="Force-v0")
    assert report("ZeroOne").success == "info['success']"
    assert report("Silent").success == "the reward of the goal itself"
    assert report("Costly").spec is None


def test_two_checks_find_the_same():
    first, second = report("OwnGoal"), report.__wrapped__("OwnGoal")
    assert (first.problems, first.spec) == (second.problems, second.spec)


@pytest.mark.slow
def test_what_is_wrong_with_an_old_maze_is_found():
    problems = " ".join(check_env("AntMaze_UMaze-v3").problems)
    assert "the goal changes within an episode" in problems
    assert "compute_reward disagrees with step" in problems


NOT_RESTORED = [
    ("Forgetful", "the same actions lead elsewhere from a restored state"),
    ("Growing", "save_state() returned shape (4,) at the start and (5,)"),
]
PAGE = Path(__file__).parents[2] / "docs" / "environments.md"


def read_messages():
    """The messages of the documentation's table, as patterns: dots stand for anything."""
    section = PAGE.read_text().partition("### What it says")[2].partition("\n## ")[0]
    messages = re.findall(r"^\| `(.+?)`(?: \(advice\))? \|", section, flags=re.M)
    return [re.escape(message).replace(r"\.\.\.", ".+") for message in messages]


def messages_of(name):
    try:
        found = report(name)
    except InputError as error:
        return [str(error)]
    return [*found.problems, *found.advice]


@pytest.mark.slow
def test_every_documented_message_is_one_that_is_said():
    cases = [*PROBLEMS, *HABITS, *ADVICE, *REFUSED, *REFUSALS, *NOT_RESTORED]
    printed = [message for name, *_ in cases for message in messages_of(name)]
    assert len(read_messages()) > 20
    for pattern in read_messages():
        assert any(re.search(pattern, message) for message in printed), pattern


@pytest.mark.parametrize("name", [name for name, *_ in [*PROBLEMS, *HABITS, *ADVICE]])
def test_every_message_is_documented(name):
    for message in messages_of(name):
        assert any(re.search(pattern, message) for pattern in read_messages()), message


@pytest.mark.parametrize(("name", "expected"), NOT_RESTORED)
def test_states_that_are_not_restored_are_a_problem(name, expected):
    found = report(name)
    assert found.restores_states is False
    (problem,) = found.problems
    assert expected in problem
    assert is_one_line(problem)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env_id", "restores"),
    [
        ("PointReach-v0", True),
        ("BitFlip-v0", False),
        ("envs.defective:Unseeded-v0", None),
        ("FetchReach-v4", True),
    ],
)
def test_whether_states_are_restored_is_tried_where_nothing_else_is_wrong(env_id, restores):
    assert check_env(env_id).restores_states is restores


def test_a_reward_of_levels_shows_success_and_one_given_at_the_end_is_reported():
    assert report("LevelsSilent").problems == ()
    given_at_end = report("DenseToldAtEnd")
    assert (given_at_end.problems, given_at_end.success) == ((), "info['is_success']")


def test_arguments_of_the_environment_are_passed_on():
    assert check_env("BitFlip-v0", env_kwargs={"num_bits": 4}).spec.goal_dim == 4


def test_what_is_not_a_task_is_refused():
    with pytest.raises(InputError, match="task must be a TaskConfig"):
        check_env("PointReach-v0", {"velocities": (0,)})


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ({"velocities": 2}, "state_layout.velocities must be"),
        ({"velocities": ("2",)}, "state_layout.velocities must be"),
        ({"dim": 0}, "state_layout.dim must be at least 1"),
        ({"hand": "0"}, "state_layout.hand must be"),
    ],
)
def test_a_layout_of_other_types_is_refused(layout, expected):
    with pytest.raises(InputError, match=re.escape(expected)):
        StateLayout(**layout)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"positions": (0,), "shift_axes": (0,)}, None),
        ({"positions": (1,)}, "positions of its layout names 2 entries from 1 on"),
        ({"velocities": (0, 0)}, "names an entry twice"),
        ({"velocities": (2,)}, "velocities of its layout names entry 2"),
        ({"velocities": (0,), "positions": (0,)}, "a velocity in a position"),
        ({"hand": 0}, "a hand that is none of the positions"),
        ({"shift_axes": (0,)}, "axes of a frame without positions"),
    ],
)
def test_a_layout_that_contradicts_itself_is_refused(declared, expected):
    task = TaskConfig(**declared)
    if expected is None:
        assert find_layout(make_env("PointReach-v0"), task)[0].positions == (0,)
        return
    with pytest.raises(InputError, match=re.escape(expected)):
        find_layout(make_env("PointReach-v0"), task, "nothing")


@pytest.mark.parametrize("cost", [1.0, 0.05])
def test_a_cost_in_place_of_a_reward_is_a_problem(cost):
    class Cost(PointReach):
        def compute_reward(self, achieved_goal, desired_goal, info):
            return cost * np.linalg.norm(np.asarray(achieved_goal) - desired_goal, axis=-1)

        def step(self, action):
            state, reward, *ends, _ = super().step(action)
            return state, reward, *ends, {"is_success": bool(reward < 0.05 * cost)}

    (problem,) = check_env(Cost, env_kwargs={"max_episode_steps": 30}).problems
    assert problem.startswith("compute_reward pays less at goals than elsewhere")
