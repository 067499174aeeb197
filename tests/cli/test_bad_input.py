"""Bad input is reported in one line, exits with 2, and leaves nothing behind."""

import contextlib
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import point_expert, point_policy, random_policy

from headstart.cli.main import main
from headstart.demos.record import collect_demos
from headstart.demos.storage import DemoSet, save_demos


@pytest.fixture
def workplace(files, tmp_path, monkeypatch) -> Path:
    """A copy of the files, in which commands are run."""
    monkeypatch.chdir(shutil.copytree(files, tmp_path, dirs_exist_ok=True))
    return tmp_path


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A directory with a few good files, and files that are not what they are called."""
    directory = tmp_path_factory.mktemp("files")
    with contextlib.chdir(directory):
        write_files()
    return directory


def write_files() -> None:
    demos = collect_demos("PointReach-v0", point_expert, episodes=3)
    save_demos("demos.npz", demos)
    bare = [replace(ep, snapshots=np.zeros((len(ep) + 1, 0))) for ep in demos.episodes]
    save_demos("bare.npz", DemoSet("PointReach-v0", tuple(bare)))
    save_demos("other_env.npz", DemoSet("FetchReach-v4", demos.episodes))
    save_demos("other_width.npz", DemoSet("BitFlip-v0", demos.episodes))
    point_policy().save("policy.safetensors")
    rng = np.random.default_rng(0)
    random_policy(rng, observation_dim=9, goal_dim=2, action_dim=2).save("wide.safetensors")
    Path("text.npz").write_text("not an archive")
    Path("text.safetensors").write_text("not tensors")
    Path("run").mkdir()
    Path("folder.npz").mkdir()
    Path("video.mp4").mkdir()
    Path("run", "metrics.jsonl").write_text("")


CASES = [
    ("train FetchPikAndPlace-v4", "FetchPickAndPlace-v4"),
    ("train CartPole-v1", "not a goal environment"),
    ("train no_such_module:Task-v0", "no_such_module"),
    ("train PointReach-v0 --demos missing.npz", "missing.npz: no such file of demonstr"),
    ("train PointReach-v0 --demos no/such-v0", "no/such-v0: not in the local Minari store"),
    ("train PointReach-v0 --demos text.npz", "text.npz: not a file of demonstrations: it is text"),
    ("train PointReach-v0 --demos folder.npz", "folder.npz: not a Minari dataset"),
    ("train PointReach-v0 --demos", "--demos names no file"),
    ("train PointReach-v0 --demos demos.npz missing.npz", "missing.npz: no such file of demonstr"),
    ("train PointReach-v0 --demos demos.npz text.npz", "text.npz: not a file of demonstrations"),
    ("train PointReach-v0 --demos other_env.npz", "is of 'FetchReach-v4', not of PointReach-v0"),
    ("train PointReach-v0 --demos other_env.npz", "demos import other_env.npz --env PointReach-v0"),
    ("train BitFlip-v0 --demos other_width.npz", "observation width 2, BitFlip-v0 has 8"),
    ("train PointReach-v0 --demos demos.npz --demos.num-episodes 9", "holds 3 episodes"),
    ("train PointReach-v0 --demos demos.npz --demos.num-episodes 0", "at least 1, got 0"),
    ("train PointReach-v0 --demos demos.npz --demos.fraction 0.999", "256 of 256 rows"),
    ("train PointReach-v0 --demos demos.npz --demos.fraction 1.0", "demos.fraction"),
    (
        "train PointReach-v0 --preset slow",
        "unknown preset 'slow'; there are fast, nair2018, her, stack",
    ),
    ("train PointReach-v0 --preset hr", "unknown preset 'hr'; did you mean 'her'?"),
    ("train PointReach-v0 --config demos.npz", "demos.npz: it is a numpy archive"),
    ("train PointReach-v0 --config missing.json", "missing.json: no such file of settings"),
    ("train PointReach-v0 --agent.gamma 0.9", "--agent.gamma"),
    ("train PointReach-v0 --agent.discont 0.9", "--agent.discount"),
    ("train PointReach-v0 --agent.discount 1.5", "discount must lie in [0, 1), got 1.5"),
    ("train PointReach-v0 --env-steps many", "--env-steps"),
    ("train PointReach-v0 --collectors -1", "--collectors: must be at least 0, got -1"),
    ("train PointReach-v0 --out run --collectors 0", "run: already holds files"),
    ("train PointReach-v0 --out text.npz/run --collectors 0", "cannot be written"),
    ("demos collect HandReach-v3 --out new.npz", "no scripted expert"),
    ("demos collect FetchReach-v4 --episodes 0 --out new.npz", "at least 1, got 0"),
    ("demos collect FetchReach-v4 --out new.txt", "something.npz"),
    ("demos collect FetchReach-v4 --out nowhere/new.npz", "there is no directory nowhere"),
    ("demos collect FetchReach-v4 --out folder.npz", "folder.npz: is a directory"),
    ("demos collect FetchReach-v4 --seed -1 --out new.npz", "--seed: must be at least 0, got -1"),
    ("demos collect PointReach-v0 --policy wide.safetensors --out new.npz", "observation width 9"),
    (
        "demos collect FetchReach-v4 --noise -1 --out new.npz",
        "noise must lie in [0, 100.0], got -1",
    ),
    ("demos inspect text.npz", "not a headstart demo file"),
    ("demos play text.npz --video out.mp4", "not a headstart demo file"),
    ("demos play demos.npz", "no screen"),
    ("demos play demos.npz --video out.mp4 --episodes 0", "at least 1, got 0"),
    ("demos play demos.npz --video out.mp4 --first 3", "must lie in [0, 2], got 3"),
    ("demos play other_width.npz --video out.mp4", "observation width 2, BitFlip-v0 has 8"),
    ("demos play demos.npz --env BitFlip-v0 --video out.mp4", "demos.npz: it has observation wid"),
    ("demos play demos.npz --video out.avi", "something.mp4 or .gif"),
    ("demos play demos.npz --video video.mp4", "video.mp4: is a directory"),
    ("demos play bare.npz --video out.mp4", "3 of 3 demonstrations hold no snapshots"),
    ("demos import missing.npz --env PointReach-v0 --out new.npz", "missing.npz: no such file"),
    ("demos expand missing.npz --out demos.npz", "missing.npz: no such file"),
    ("demos import text.npz --env PointReach-v0 --out new.npz", "text.npz: not a file of demon"),
    ("demos import demos.npz --env BitFlip-v0 --out new.npz", "demos.npz: the demonstrations have"),
    ("demos import no/such-v0 --env PointReach-v0 --out new.npz", "no/such-v0"),
    ("demos import demos.npz --env PointReach-v0 --out new.txt", "something.npz"),
    ("demos import demos.npz --env PointReach-v0 --out folder.npz", "folder.npz: is a directory"),
    ("demos export missing.npz --minari a/b-v0", "missing.npz: no such demo file"),
    ("demos export demos.npz --lerobot run", "run: exists already; name a folder that is new or"),
    ("demos collect FetchReach-v4 --out /proc/x.npz", "nothing can be written in /proc"),
    ("demos find FetchReach-v4 --collectors -1 --out new.npz", "--collectors: must be at least 0"),
    (
        "demos find FetchStack2-v0 --collectors 0 --out new.npz",
        "train without (--demos.find 0), or",
    ),
    ("export policy.safetensors --out policy", "or give the format: --format onnx, c, hub"),
    ("export policy.safetensors --format hub --out /proc/hub", "nothing can be written in /proc"),
    ("demos export demos.npz --minari wrong", "wrong"),
    ("train PointReach-v0 --demos bare.npz --resets.probability 0.1", "hold no snapshots"),
    ("train PointReach-v0 --resets.probability 0.1", "must be 0 without demonstrations"),
    (
        "train PointReach-v0 --resets.goal final",
        "--resets.goal: must be one of achieved, desired, got f",
    ),
    ("train PointReach-v0 --env-steps 0", "env_steps must be at least 1"),
    ("evaluate missing", "missing: no such policy file"),
    ("evaluate text.safetensors", "not a headstart policy file"),
    ("evaluate demos.npz", "not a headstart policy file"),
    ("evaluate run", "run: not a run directory"),
    *(
        (command.format("long" * 75), "longlong")
        for command in (
            "evaluate {}",
            "play {} --video out.mp4",
            "plot {} --out curves.png",
            "resume {}",
            "train PointReach-v0 --demos {}",
            "demos inspect {}",
            "demos play {} --video out.mp4",
            "demos export {} --minari a/b-v0",
            "demos import {} --env PointReach-v0 --out new.npz",
            "demos import {}.npz --env PointReach-v0 --out new.npz",
        )
    ),
    ("evaluate policy.safetensors --episodes 0", "at least 1, got 0"),
    ("evaluate wide.safetensors", "observation width 9, PointReach-v0 has 2"),
    ("evaluate policy.safetensors --env FetchReach-v4", "observation width 2"),
    ("evaluate policy.safetensors --seeds 1", "unknown option '--seeds'"),
    ("evaluate policy.safetensors --seed -1", "--seed: must be at least 0, got -1"),
    ("play policy.safetensors --video out.mp4 --seed -1", "--seed: must be at least 0, got -1"),
    ("play policy.safetensors", "no screen"),
    ("play policy.safetensors --video out.avi", "out.avi"),
    ("play policy.safetensors --video nowhere/out.mp4", "there is no directory nowhere"),
    ("plot run --out curves.png", "run: not a run directory"),
    ("plot missing --out curves.png", "missing: no such directory"),
    ("resume missing", "missing: no such directory"),
    ("plot text.npz --out curves.png", "text.npz: not a run directory, it is a file"),
    ("resume text.npz", "text.npz: not a run directory, it is a file"),
    ("demos play demos.npz --first -1", "--first must lie in [0, 2], got -1"),
    ("demos collect PointReach-v0 --noise -inf --out new.npz", "noise must lie in [0, 100.0], got"),
    ("train PointReach-v0 --agent.hidden-sizes", "agent.hidden_sizes must hold at least one"),
    ("fly", "there is no verb 'fly'; it is one of demos, teleop, train, resume"),
    ("", "VERB"),
]


@pytest.mark.parametrize(("command", "expected"), CASES)
def test_bad_input_is_one_line_and_exit_code_2(workplace, monkeypatch, capsys, command, expected):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    before = sorted(workplace.rglob("*"))
    with pytest.raises(SystemExit) as stopped:
        main(shlex.split(command))
    captured = capsys.readouterr()
    assert stopped.value.code == 2
    assert expected in captured.err
    assert captured.err.startswith("headstart: ")
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert sorted(workplace.rglob("*")) == before


@pytest.mark.parametrize(
    ("env_id", "command"),
    [
        ("evil:Task-v0; rm -rf home", "demos play strange.npz --video out.mp4"),
        ("evil:Task-v0\n\x1b[31mred", "demos play strange.npz --video out.mp4"),
        ("Other-v0\n\x1b[31mred", "train PointReach-v0 --demos strange.npz"),
    ],
)
def test_a_name_in_a_file_neither_steers_the_terminal_nor_breaks_out_of_the_command(
    workplace, capsys, env_id, command
):
    demos = collect_demos("PointReach-v0", point_expert, episodes=1)
    save_demos("strange.npz", DemoSet(env_id, demos.episodes))
    with pytest.raises(SystemExit) as stopped:
        main(shlex.split(command))
    assert stopped.value.code == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert printed[:-1].isprintable()
    if "demos play" in command:
        shown = "".join(sign if sign.isprintable() else "?" for sign in env_id.replace("\n", " "))
        assert shlex.split(printed.partition("--env ")[2]) == [shown]


@pytest.mark.parametrize(
    ("env_id", "expected"),
    [
        ("PointReach-v0,x=" + "[" * 100_000, "a name of 100016 characters"),
        ("BitFlip-v0,num_bits=100000000000", "name it yourself"),
        ("BitFlip-v0,num_bits=" + "9" * 400, "name it yourself"),
        ("PointReach-v0,max_episode_steps=0", "does not take these arguments"),
        ("\ud800", "name it yourself"),
    ],
)
def test_an_untrusted_file_cannot_fill_the_memory_by_its_environment(
    workplace, capsys, env_id, expected
):
    policy = point_policy()
    policy.metadata["env_id"] = env_id
    policy.save("strange.safetensors")
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "strange.safetensors"])
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert expected in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        "evaluate 'an untrusted file.safetensors'",
        "evaluate 'an untrusted file.safetensors' --episodes 7 --seed 3 --no-floor --json",
        "play --video 'my video.mp4' 'an untrusted file.safetensors' --episodes 2",
        "demos play untrusted.npz --first 1 --video out.mp4",
        "demos export untrusted.npz --minari a/b-v0",
    ],
)
def test_an_untrusted_file_cannot_import_a_module(workplace, capsys, command):
    policy = point_policy()
    policy.metadata["env_id"] = "this:PointReach-v0"
    policy.save("an untrusted file.safetensors")
    demos = collect_demos("PointReach-v0", point_expert, episodes=2)
    save_demos("untrusted.npz", DemoSet("this:PointReach-v0", demos.episodes))
    for options in ([], ["--env", ""]):
        with pytest.raises(SystemExit) as stopped:
            main(shlex.split(command) + options)
        assert stopped.value.code == 2
        printed = capsys.readouterr().err
        assert "this" not in sys.modules
        # What the user typed, all of it, and the environment.
        complete = f"name it yourself: headstart {command} --env this:PointReach-v0\n"
        assert printed.endswith(complete) == (not options)


def test_help_and_wrong_options_do_not_wait_for_torch():
    program = """
import contextlib, sys
from headstart.cli.main import main
for command in sys.argv[1:]:
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(sys.stderr):
        main(command.split())
    print("torch" in sys.modules, command)
"""
    commands = [
        "train --help",
        "resume --help",
        "train ENV --agent.no 1",
        "resume DIR --env-steps x",
    ]
    commands += ["train ENV --demos missing.npz", "resume missing"]
    printed = subprocess.run(
        [sys.executable, "-c", program, *commands], capture_output=True, text=True
    )
    assert printed.stdout.splitlines() == [f"False {command}" for command in commands]
    assert printed.stderr.count("headstart: ") == 4
