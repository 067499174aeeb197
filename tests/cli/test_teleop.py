"""``headstart teleop``, without a browser."""

import os
import signal
import sys

import pytest
from page import join_link, say, words
from waiting import wait_until

from headstart.cli.main import main
from headstart.demos.storage import load_demos

HAND = [
    "--task.positions",
    "0",
    "--task.hand",
    "0",
    "--task.hand-actions",
    "0",
    "1",
    "--task.hand-steps",
    "0.1",
    "0.1",
]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--out x.txt", "must be called something.npz"),
        ("--out x.npz --episodes 0", "--episodes: must be at least 1, got 0"),
        ("--out x.npz --size 9", "--size must lie in [64, 1024], got 9"),
        ("--out x.npz --port 99999", "--port must lie in [0, 65535], got 99999"),
        ("--out x.npz --host 0.0.0.0", "others could read along; give --certificate FILE.pem"),
        ("--out x.npz --certificate none.pem", "none.pem: must be a PEM file"),
        ("--out x.npz --assist expert", "no scripted expert for this environment"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options, line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["teleop", "PointReach-v0", *options.split()])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1


def test_without_the_extra_its_name_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "websockets.asyncio.server", None)
    for name in [name for name in sys.modules if name.startswith("headstart.web.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SystemExit) as ended:
        main(["teleop", "PointReach-v0", "--out", str(tmp_path / "demos.npz")])
    assert ended.value.code == 2
    assert "websockets: run `pip install 'headstart[web]'`" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_loses_nothing_that_was_kept(warm, tmp_path):
    log, out = tmp_path / "log", tmp_path / "demos.npz"
    arguments = ["teleop", "PointReach-v0", "--out", out, "--port", 0, "--diagram", *HAND]
    process = warm.start(*arguments, log=log)
    wait_until(lambda: log.exists() and "\n" in log.read_text())
    link = log.read_text().split()[1]
    with join_link(link) as page:
        reached = 0
        while reached < 2:
            state = words(page).get("state")
            if state is None:
                continue
            reached = state["kept"]
            way = [
                (goal - hand) * 10
                for goal, hand in zip(state["desired"], state["hand"], strict=True)
            ]
            move = [max(-1.0, min(1.0, each)) for each in way]
            say(page, number=1, move=move, reach=[], grip=None, sliders=[])
            if state["is_success"]:
                say(page, do="success")
    os.kill(process, signal.SIGINT)
    assert warm.wait(process) == 130
    assert "interrupted; " in log.read_text()
    assert "holds 2 demonstrations" in log.read_text()
    assert [episode.success for episode in load_demos(out)] == [True, True]
