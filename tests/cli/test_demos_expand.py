"""``headstart demos expand``."""

import pytest

from headstart import collect_demos, expert_for, save_demos
from headstart.cli.main import main
from headstart.demos.storage import load_demos


@pytest.fixture
def one(tmp_path):
    path = tmp_path / "one.npz"
    demos = collect_demos("FetchReach-v4", expert_for("FetchReach-v4"), episodes=1)
    save_demos(path, demos)
    return path


def run(one, *options, out="more.npz"):
    path = one.parent / out
    main(["demos", "expand", str(one), "--episodes", "4", "--collectors", "0", "--out", str(path),
          *options])  # fmt: skip
    return path


def test_what_it_has_cost_is_printed_and_in_the_file(one, capsys):
    out = run(one)
    demos = load_demos(out)
    assert len(demos.episodes) == 4
    steps = demos.header["expansion"]["env_steps"]
    assert f"4 of 4 attempts succeeded, {steps} env steps in all" in capsys.readouterr().out
    main(["demos", "inspect", str(out)])
    printed = capsys.readouterr().out
    assert (
        f"expansion          {steps} env steps, 0 of them in branches; 4 of 4 attempts" in printed
    )
    assert "expanded from demonstrations of fetch_reach, no noise, with snapshots" in printed


def test_nothing_is_written_over(one, capsys):
    out = run(one, "--no-snapshots")
    with pytest.raises(SystemExit, match="2"):
        run(one)
    assert "--force" in capsys.readouterr().err
    run(one, "--force", "--speed", "2")
    assert load_demos(out).header["expansion"]["speed"] == 2.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task.hand-steps", "1", "1", "1"], "declared to move the hand by 1 a unit"),
        (["--env", "PointReach-v0"], "it is of 'FetchReach-v4', not of PointReach-v0"),
        (["--speed", "fast"], "--speed: must be a number, got fast"),
    ],
)
def test_what_cannot_be_expanded_says_why(one, options, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(one, *options)
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (one.parent / "more.npz").exists()


def test_a_file_that_is_missing_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        run(tmp_path / "one.npz")
    assert f"{tmp_path / 'one.npz'}: no such file" in capsys.readouterr().err
