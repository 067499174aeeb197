"""Stepping in during training, over a real socket, with runs on the disk."""

import json
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from cut_runs import BASE
from outcomes import differences, outcome
from page import HAND, join, say, words
from small_runs import POINT
from waiting import wait_until

from headstart.data.episode import CORRECTED, OWN
from headstart.demos.storage import load_demos
from headstart.runs.resume import resume
from headstart.runs.train import train
from headstart.web.server import PageServer
from headstart.web.steer.opening import open_steering
from headstart.web.teleop.messages import read_message

STEPS = 12
CONFIG = replace(
    BASE, env_steps=12 * STEPS, task=HAND, checkpoint=replace(BASE.checkpoint, seconds=0.0, keep=50)
)
ENV = f"{POINT},max_episode_steps={STEPS}"


def assert_same(one, other):
    assert differences(outcome(one), outcome(other)) == []


@contextmanager
def steered(directory):
    with (
        PageServer({}, read_message) as server,
        open_steering(ENV, server, directory, task=HAND, draw=False) as executor,
    ):
        yield server, executor


@contextmanager
def at_the_page(server, answer):
    """Sit at the page: call ``answer(page, state)`` at every message until the run is over."""
    ended = threading.Event()
    with join(server) as page:
        wait_until(lambda: server._clients)

        def sit():
            while not ended.is_set():
                message = words(page)
                if "state" in message:
                    answer(page, message["state"])

        thread = threading.Thread(target=sit, daemon=True)
        thread.start()
        yield
        ended.set()
        server.say({"state": {"mode": "over", "steps": 0}})
        thread.join()


def hurry(page, state):
    say(page, do="skip")


def push(page, state):
    """Steer the first steps of every episode, and then let go."""
    if state["steps"] < 4:
        say(page, number=1, move=[0.5, -1.0], reach=[], grip=None, sliders=[])
    else:
        say(page, number=2, move=[0.0, 0.0], reach=[], grip=None, sliders=[])
        say(page, do="skip")


def go_back(run, episodes):
    """Leave of a run no checkpoint but the first one with so many training episodes."""
    checkpoints = run / "checkpoints"
    for path in sorted(path for path in checkpoints.iterdir() if path.name.isdigit()):
        trainer = json.loads((path / "state.json").read_text())["trainer"]
        if trainer["progress"]["episodes"] > episodes:
            shutil.rmtree(path)
        else:
            (checkpoints / "LATEST").write_text(path.name)
    assert trainer["progress"]["episodes"] > episodes


@pytest.fixture(scope="module")
def plain(tmp_path_factory, point_demos):
    directory = tmp_path_factory.mktemp("runs") / "plain"
    train(ENV, CONFIG, demos=point_demos, out=directory)
    return directory


def test_with_nobody_at_the_page_a_run_is_the_same_to_the_bit(plain, point_demos, tmp_path):
    with steered(tmp_path / "run") as (_, executor):
        train(ENV, CONFIG, demos=point_demos, out=tmp_path / "run", executor=executor)
    assert_same(plain, tmp_path / "run")


def test_who_only_looks_on_changes_nothing_either(plain, point_demos, tmp_path, caplog):
    with steered(tmp_path / "run") as (server, executor), at_the_page(server, hurry):
        train(ENV, CONFIG, demos=point_demos, out=tmp_path / "run", executor=executor)
    assert_same(plain, tmp_path / "run")
    assert not (tmp_path / "run" / "steered").exists()
    assert "runs unseen" not in caplog.text


@pytest.mark.slow
def test_what_is_steered_is_kept_and_a_resumed_run_has_it_again(plain, point_demos, tmp_path):
    run = tmp_path / "run"
    with steered(run) as (server, executor), at_the_page(server, push):
        train(ENV, CONFIG, demos=point_demos, out=run, executor=executor)
    files = sorted((run / "steered").iterdir())
    assert len(files) >= 3
    demos = load_demos(files[0])
    (episode,) = demos.episodes
    mine = episode.sources == CORRECTED
    assert mine.any()
    assert (episode.sources[~mine] == OWN).all()
    np.testing.assert_allclose(episode.actions[mine], [[0.5, -1.0]] * mine.sum())
    wanted = np.array(demos.header["policy_actions"])
    assert wanted.shape == episode.actions.shape
    assert not np.allclose(wanted[mine], episode.actions[mine])
    assert "agent" in differences(outcome(plain), outcome(run))

    cut = tmp_path / "cut"
    shutil.copytree(run, cut)
    go_back(cut, episodes=6)
    resume(cut)
    assert_same(run, cut)
