"""What is printed as the next command, and in Python where no command can do it."""

import re
import shlex
from dataclasses import replace

import gymnasium as gym
import pytest
from envs import passed
from small_runs import SMALL, Diary, weights_of

import headstart
from headstart.cli.main import main
from headstart.cli.running import explain_failure
from headstart.data.strategies import final
from headstart.errors import InputError, RunError
from headstart.runs.resume import resume
from headstart.runs.train import train

pytestmark = [pytest.mark.usefixtures("forked_collectors")]

SHORT = replace(SMALL, env_steps=60)
MODULE = """
import gymnasium as gym
from headstart.envs.toy import PointReach
class Beside(PointReach): pass
gym.register("Beside-v0", Beside, max_episode_steps=5)
"""
# fmt: off
OPTIONS = [
    "--env-steps", "60", "--evaluation.episodes", "2", "--agent.hidden-sizes", "8", "8",
    "--warm-start.episodes", "2", "--warm-start.critic-updates", "5", "--cycle.updates", "2",
    "--batch-size", "16", "--collectors", "0",
]
# fmt: on


class Stopping(Diary):
    """Interrupts a run, as Ctrl-C does."""

    def progressed(self, progress):
        if progress.env_steps:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("env", ["beside_it:Beside-v0", "beside_it:Beside,max_episode_steps=5"])
def test_the_commands_that_training_prints_work_as_they_are_printed(
    tmp_path, monkeypatch, capsys, env
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "beside_it.py").write_text(MODULE)
    out = "runs ü/it's one"
    main(["train", env, "--out", out, *OPTIONS])
    printed = re.search(r"^next: +headstart (.*)$", capsys.readouterr().out, re.MULTILINE)[1]
    words = shlex.split(printed)
    assert words == ["evaluate", out, "--env", env, "--episodes", "500"]
    main([*words[:-1], "2", "--collectors", "0"])
    assert capsys.readouterr().out.startswith(f"{env}: 2 greedy episodes")
    with pytest.raises(SystemExit):
        main(["train", env, "--out", out])
    printed = re.search("or continue with: headstart (.*)$", capsys.readouterr().err.strip())[1]
    main([*shlex.split(printed), "--env-steps", "80", "--collectors", "0"])
    assert "after 80 env steps" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "options", "strategy", "arguments"),
    [
        ("PointReach-v0", {}, final, ", goal_strategy=..."),
        ("Sized-v0,size=0.3", {}, None, ""),
        (passed.Sized, {"max_episode_steps": 5}, None, ""),
        (passed.sized, {}, None, ", env=..."),
        (lambda: passed.sized(), {}, None, ", env=..."),
        (gym.make("Sized-v0"), {}, None, ""),
        (passed.Recorded(gym.make("Sized-v0")), {}, None, ", env=..."),
        (passed.sized(), {}, final, ", env=..., goal_strategy=..."),
    ],
)
def test_an_interrupted_run_says_how_to_continue_it(tmp_path, env, options, strategy, arguments):
    out = tmp_path / "it's a run"
    with pytest.raises(KeyboardInterrupt) as caught:
        train(
            env,
            SHORT,
            env_kwargs=options,
            out=out,
            goal_strategy=strategy,
            observers=[Stopping()],
        )
    call = re.search(r"continue in Python: (headstart\.resume\(.*\))$", str(caught.value))[1]
    assert call == f"headstart.resume({str(out)!r}{arguments})"
    known = {"headstart": headstart, "env": env, "goal_strategy": strategy}
    result = eval(re.sub(r"(env|goal_strategy)=\.\.\.", r"\1=\1", call), known)
    straight = train(env, SHORT, env_kwargs=options, goal_strategy=strategy)
    assert (weights_of(result.policy) == weights_of(straight.policy)).all()


def test_what_a_run_was_trained_on_is_not_made_up(tmp_path, capsys):
    train(passed.sized(), SHORT, out=tmp_path / "run")
    with pytest.raises(InputError) as caught:
        resume(tmp_path / "run")
    assert "it is for 'envs.passed:Sized(...)', which does not say how to build it" in str(
        caught.value
    )
    for verb in ("evaluate", "resume", "play"):
        with pytest.raises(SystemExit) as stopped:
            main([verb, str(tmp_path / "run"), *(["--video", "a.mp4"] if verb == "play" else [])])
        assert stopped.value.code == 2
        assert "of a script or notebook, which no command can build" in capsys.readouterr().err


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_run_that_fails_says_whether_it_was_saved(tmp_path, checkpoint):
    (tmp_path / "config.json").write_text("{}")
    if checkpoint:
        (tmp_path / "checkpoints" / "00000003").mkdir(parents=True)
    with pytest.raises(RunError, match="diverged") as caught, explain_failure(tmp_path):
        raise RunError("diverged")
    assert ("up to its last checkpoint is in" in str(caught.value)) == checkpoint
    assert ("no checkpoint is in" in str(caught.value)) != checkpoint
    assert str(caught.value).endswith(f"continue with: headstart resume {tmp_path}")
