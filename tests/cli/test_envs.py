"""``headstart envs check``: what it prints, and what it exits with."""

import json

import pytest

from headstart.cli.main import main
from headstart.envs.check import check_env


def check(name, *options):
    """Run the command on an environment of ``envs.defective``."""
    main(["envs", "check", f"envs.defective:{name}-v0", *options])


def test_a_sound_environment_is_described_in_lines(capsys):
    main(["envs", "check", "PointReach-v0"])
    printed = capsys.readouterr()
    *lines, speed, problems = printed.out.splitlines()
    assert lines == [
        "PointReach-v0",
        "  observation       2 numbers",
        "  goal              2 numbers",
        "  action            2 numbers in [-1, 1]",
        "  time limit        30 steps",
        "  reward of a step  from -1 to 0 (detected)",
        "  success           shown by info['is_success']",
        "  ends at the goal  not known: the first episode that reaches its goal shows it",
        "  rewards in bulk   yes",
        "  reads of info     nothing (detected)",
        "  layout            nothing found that an actor could do without",
        "  perhaps           positions 0; may be shifted along axes 0-1; training uses that once "
        "it is declared",
        "  to declare it     --task.positions 0 --task.goal-positions 0 --task.shift-axes 0 1",
        "  restores states   yes",
    ]
    assert speed.startswith("  speed             ")
    assert speed.endswith(" steps/s on one core")
    assert problems == "  problems          none found"
    assert printed.err == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ZeroOne", "  reward of a step  from 0 to 1 (detected)"),
        ("ZeroOne", "  success           shown by info['success']"),
        ("Silent", "  success           shown by the reward of the goal itself"),
        ("Dense", "  reward of a step  from no bound to 0 (detected)"),
        ("Ending", "  ends at the goal  yes (declared)"),
        ("Force", "  reads of info     force (detected)"),
        ("OneGoal", "  rewards in bulk   no, row by row"),
        ("Reach", "  restores states   yes"),
        ("Lopsided", "  action            2 numbers in [-2, 5] and [-0.1, 0.3]"),
    ],
)
def test_what_is_special_is_printed(name, line, capsys):
    check(name)
    assert line in capsys.readouterr().out.splitlines()


def test_arguments_follow_the_id(capsys):
    main(["envs", "check", "BitFlip-v0,num_bits=4,max_episode_steps=6"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "BitFlip-v0,num_bits=4,max_episode_steps=6"
    assert "  goal              4 numbers, a few steps away" in lines
    assert "  time limit        6 steps" in lines


def test_states_that_cannot_be_restored_are_information_and_exit_with_0(capsys):
    main(["envs", "check", "BitFlip-v0"])
    lines = capsys.readouterr().out.splitlines()
    assert (
        "  restores states   no: it lacks the methods save_state() and restore_state(state, "
        "desired_goal), and is not a MuJoCo task with `model`, `data` and `goal`"
    ) in lines
    assert lines[-1] == "  problems          none found"


def test_states_that_are_restored_wrong_exit_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        check("Forgetful")
    assert stopped.value.code == 2
    *_, restores, _, problem = capsys.readouterr().out.splitlines()
    assert restores.startswith("  restores states   no: ")
    assert "the same actions lead elsewhere from a restored state" in problem


def test_problems_are_printed_and_exit_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        check("Costly")
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    name, problem = printed.out.splitlines()
    assert name == "envs.defective:Costly-v0"
    assert problem.startswith("  problems          compute_reward disagrees with step")
    assert printed.err == ""


def test_each_problem_has_its_line(capsys):
    with pytest.raises(SystemExit):
        main(["envs", "check", "envs.habits:Dice-v0"])
    lines = [line for line in capsys.readouterr().out.splitlines() if "  problems  " in line]
    assert len(lines) == len(check_env("envs.habits:Dice-v0").problems) == 2


def test_advice_alone_exits_with_0(capsys):
    check("OneGoal")
    lines = capsys.readouterr().out.splitlines()
    assert "  problems          none found" in lines
    assert lines[-1].startswith("  advice            compute_reward takes one goal at a time")


def test_json_is_one_object_with_all_that_was_found(capsys):
    check("Dense", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["env_id"] == "envs.defective:Dense-v0"
    assert found["problems"] == found["advice"] == []
    assert found["success"] == "info['is_success']"
    assert found["steps_per_second"] > 0.0
    assert found["restores_states"] is True
    expected = {
        "env_id": "Dense-v0",
        "observation_dim": 2,
        "goal_dim": 2,
        "action_low": [-1.0, -1.0],
        "action_high": [1.0, 1.0],
        "max_episode_steps": 30,
        # What has no bound is null: JSON has no infinity.
        "reward_range": [None, 0.0],
        "terminates": None,
        "vectorized": True,
        "reward_info_keys": [],
    }
    assert found["spec"] == {**found["spec"], **expected}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env_id", "options"),
    [
        ("envs.habits:Obstacle-v0", ["--task.unexplained-reward", "add"]),
        ("envs.habits:Obstacle-v0", ["--task.unexplained-reward", "ignore"]),
        ("envs.habits:OldRange-v0", ["--task.reward-range", "-1", "0"]),
        ("envs.defective:EndsDenied-v0", ["--task.success-terminates", "True"]),
    ],
)
def test_what_the_environment_does_not_say_is_declared(env_id, options, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["envs", "check", env_id])
    assert stopped.value.code == 2
    capsys.readouterr()
    main(["envs", "check", env_id, *options])
    assert "  problems          none found" in capsys.readouterr().out.splitlines()


def test_json_lists_problems_and_exits_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        check("Costly", "--json")
    assert stopped.value.code == 2
    found = json.loads(capsys.readouterr().out)
    assert found["spec"] is None
    assert len(found["problems"]) == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["envs.defective:Nested-v0"], "Nested-v0: desired_goal must be a flat vector"),
        (["envs.defective:ImageGoal-v0"], "ImageGoal-v0: achieved_goal must be a flat vector"),
        (["envs.defective:Buttons-v0"], "Buttons-v0: actions must be continuous and bounded"),
        (["envs.defective:Unbounded-v0"], "Unbounded-v0: actions must be continuous and bounded"),
        (["envs.defective:Endless-v0"], "Endless-v0 has no time limit: append one to the id"),
        (["envs.defective:NotANumber-v0"], "NotANumber-v0: observation[0] is nan"),
        (["envs.defective:Misshapen-v0"], "Misshapen-v0: observation has shape (3,)"),
        (["envs.defective:Fails-v0"], "envs.defective:Fails-v0: it cannot be built, reset or st"),
        (["envs.defective:Fails-v0", "--json"], "RuntimeError: the motor is off (defective.py"),
        (["CartPole-v1"], "CartPole-v1 is not a goal environment"),
        (["PointReech-v0"], "did you mean PointReach-v0"),
        (["no_such_module:Task-v0"], "no_such_module"),
        (["PointReach-v0,size"], "'size' is not an argument, which is name=value"),
        (["PointReach-v0,size=3"], "does not take these arguments"),
        ([], "ENV"),
        (["PointReach-v0", "--steps", "3"], "unknown option '--steps'"),
    ],
)
def test_what_cannot_be_tried_is_one_line_and_exit_code_2(arguments, expected, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["envs", "check", *arguments])
    captured = capsys.readouterr()
    assert stopped.value.code == 2
    assert captured.err.startswith("headstart: ")
    assert expected in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize("arguments", [["envs", "--help"], ["envs", "check", "--help"]])
def test_the_verb_explains_itself(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0
    assert "headstart envs" in capsys.readouterr().out


def test_arguments_of_the_environment_stay_with_the_policy(tmp_path, capsys):
    """What a run was trained on is what its policy is judged on."""
    env_id, run = "PointReach-v0,max_episode_steps=7", tmp_path / "run"
    small = "--env-steps 14 --warm-start.episodes 1 --warm-start.critic-updates 0 --collectors 0"
    main(["train", env_id, *small.split(), "--out", str(run)])
    capsys.readouterr()
    main(["evaluate", str(run), "--episodes", "2", "--collectors", "0", "--json"])
    assert json.loads(capsys.readouterr().out)["env_id"] == env_id


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layout"),
    [
        (
            "FetchPush-v4",
            "velocities 14-24; positions 0, 3; of which the hand's 0; angles 11-13; "
            "may be shifted along axes 0-1; hand moved by actions 0-2, 0.033 a unit (known)",
        ),
        ("PointMaze_UMaze-v3", "velocities 2-3; positions 0 (known)"),
        ("BitFlip-v0", "nothing found that an actor could do without"),
    ],
)
def test_what_the_entries_of_a_state_mean_is_reported(capsys, name, layout):
    main(["envs", "check", name])
    lines = capsys.readouterr().out.splitlines()
    (printed,) = [line for line in lines if line.startswith("  layout  ")]
    assert printed.removeprefix("  layout").strip() == layout


def test_what_is_printed_can_be_declared(capsys):
    main(["envs", "check", "PointReach-v0"])
    lines = capsys.readouterr().out.splitlines()
    (printed,) = [line for line in lines if line.startswith("  to declare it")]
    options = printed.removeprefix("  to declare it").split()
    main(["envs", "check", "PointReach-v0", *options])
    lines = capsys.readouterr().out.splitlines()
    assert printed in lines
    assert "  layout            positions 0; may be shifted along axes 0-1 (declared)" in lines


@pytest.mark.slow
def test_every_fact_is_printed_with_where_it_comes_from(capsys):
    options = (
        "--task.goal-components 1 1 --task.goal-component-names x y "
        "--task.goal-regions.coordinate 0 --task.goal-regions.above right "
        "--task.state-mirror.observation 1 --task.state-mirror.goal 1 --task.state-mirror.action 1 "
        "--task.reward-range -1 0 --task.success-terminates False"
    )
    main(["envs", "check", "PointReach-v0", *options.split()])
    lines = capsys.readouterr().out.splitlines()
    for line in (
        "  reward of a step  from -1 to 0 (declared)",
        "  ends at the goal  no (declared)",
        "  components        x 0; y 1 (declared)",
        "  regions           right where entry 0 of the goal is above 0, else below (declared)",
        "  mirror            half of each batch; random actions move both alike (declared)",
    ):
        assert line in lines
    main(["envs", "check", "FetchPickAndPlace-v4", "--json"])
    described = json.loads(capsys.readouterr().out)["spec"]
    assert described["regions"]["above"] == "air"
    assert described["camera"]["distance"] == 1.45
    assert described["origins"]["mirror"] == described["origins"]["layout"] == "known"


def test_a_mirror_that_is_none_is_a_problem(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["envs", "check", "PointReach-v0", "--task.state-mirror.observation", "1"])
    assert ended.value.code == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("  mirror            not used: it ")]
    (problem,) = [line for line in lines if line.startswith("  problems")]
    assert problem.endswith("correct its state_mirror, or leave it out")
