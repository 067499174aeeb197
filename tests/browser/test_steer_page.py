"""Stepping in during training, in a real browser."""

import threading

import pytest
from builders import point_policy
from conftest import GAMEPAD, Page
from page import HAND
from waiting import wait_until

from headstart.data.episode import CORRECTED
from headstart.rollout.job import ROLLOUT, EpisodeJob
from headstart.web.server import PageServer, page_files
from headstart.web.steer.opening import open_steering
from headstart.web.teleop.messages import read_message
from headstart.web.teleop.run import PAGE

ENV = "PointReach-v0,max_episode_steps=2000"


@pytest.fixture
def steering(chromium, tmp_path):
    """An open page, and a function that runs a training episode before it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(0)
    context.add_init_script(GAMEPAD)
    with (
        PageServer(page_files(*PAGE), read_message) as server,
        open_steering(ENV, server, tmp_path, task=HAND, draw=False) as executor,
    ):
        episodes = []
        job = EpisodeJob(point_policy(), 0, ROLLOUT, 0)

        def run():
            # Asked in the thread of the training: whether somebody is there.
            wait_until(executor._cockpit.is_manned)
            (pending,) = executor.submit([job])
            episodes.append(pending.result())

        thread = threading.Thread(target=run)
        thread.start()
        page = Page(context.new_page(), server.link)
        yield page, thread, episodes
        context.close()
        thread.join()
    assert page.faults == []


def test_taking_the_stick_overrides_and_letting_go_returns_it(steering):
    page, thread, episodes = steering
    page.until(lambda state: state["mode"] == "policy" and state["steps"] > 3)
    with page.held("ArrowLeft"):
        page.until(lambda state: state["mode"] == "you")
        taken = page.state["steps"]
        page.until(lambda state: state["steps"] > taken + 8)
    assert page.page.locator("#role").inner_text() == "you may step in"
    page.until(lambda state: state["mode"] == "policy")
    left = page.state["steps"]
    page.page.evaluate("pad.connected = true; pad.axes = [0, -1, 0, 0]")
    page.until(lambda state: state["mode"] == "you")
    page.page.evaluate("pad.connected = false")
    page.until(lambda state: state["mode"] == "policy" and state["steps"] > left + 3)
    page.page.keyboard.press("n")
    thread.join()
    (episode,) = episodes
    is_mine = episode.sources == CORRECTED
    assert not is_mine[:4].any()
    assert not is_mine[-1]
    # The keyboard's direction and then the gamepad's, at the page's usual speed.
    steered = episode.actions[is_mine].astype(float).round(2).tolist()
    turned = steered.index([0.0, 0.4])
    assert steered == [[-0.4, 0.0]] * turned + [[0.0, 0.4]] * (len(steered) - turned)
    assert turned > 8


def test_a_state_that_comes_before_the_greeting_waits_for_it(chromium):
    hello = {"kind": "steer", "env": ENV, "dim": 2, "has_gripper": False, "ghost": None}
    state = {"mode": "policy", "steps": 1, "note": "", "pilot": 1, "kept": 0, "assist": 0.0}
    faults, page = [], chromium.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    with PageServer(page_files(*PAGE), read_message) as server:
        page.goto(server.link)
        wait_until(lambda: server._clients)
        server.say({"state": state})
        server.say({"hello": {**hello, "sliders": [], "can_undo": False, "you": 1}})
        server.say({"state": state})
        page.wait_for_selector("body[data-state]")
        page.close()
    assert faults == []
