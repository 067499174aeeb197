"""Teleoperation in a real browser, as a person would use it."""

import numpy as np
import pytest

from headstart.demos.storage import load_demos

TO_GOAL = """
window.steer = setInterval(() => {
  const state = JSON.parse(document.body.dataset.state);
  const limit = (value) => Math.max(-1, Math.min(1, value));
  const way = state.desired.map((place, axis) => limit((place - state.hand[axis]) * 5));
  window.pad.connected = true;
  window.pad.axes = [way[0], -way[1], 0, 0];
}, 20);
"""


def record(page):
    """Go to the goal with the gamepad, and press its button for success."""
    takes = page.page.locator("#takes li").count()
    page.page.evaluate(TO_GOAL)
    page.until(lambda state: state["scene"] == takes and state["is_success"])
    page.page.evaluate("pad.buttons[3].pressed = true")
    page.page.wait_for_selector(f"#take-{takes}")
    page.page.evaluate(
        "clearInterval(steer); pad.connected = false; pad.buttons[3].pressed = false"
    )


def test_keys_move_the_hand_and_undo_puts_it_back(teleop):
    page = teleop()
    start = page.state["hand"]
    with page.held("ArrowLeft"):
        page.until(lambda state: state["steps"] > 30)
    moved = page.state
    assert moved["hand"][0] < start[0]
    assert moved["hand"][1] == start[1]
    page.page.keyboard.press("z")
    undone = page.until(lambda state: state["mode"] == "waiting")
    assert undone["undone"] == 25
    page.page.keyboard.press("z")
    page.until(lambda state: state["undone"] > 25)
    page.page.keyboard.press("r")
    page.until(lambda state: state["hand"] == start and state["steps"] == 0)


@pytest.mark.parametrize("task", [None])
def test_without_a_hand_keys_move_the_first_sliders(teleop):
    page = teleop()
    assert page.page.locator("#sliders input").count() == 2
    start = np.array(page.state["achieved"])
    with page.held("ArrowUp"):
        moved = page.until(lambda state: state["steps"] > 5)["achieved"]
    assert moved[0] == start[0]
    assert moved[1] > start[1]


def test_a_window_in_the_background_is_a_hand_at_rest(teleop):
    page = teleop()
    page.page.keyboard.down("ArrowUp")
    page.until(lambda state: state["steps"] > 3)
    page.page.evaluate("dispatchEvent(new Event('blur'))")
    steps = page.until(lambda state: state["steps"] > 10)["steps"]
    place = page.until(lambda state: state["steps"] > steps + 5)["hand"]
    assert page.until(lambda state: state["steps"] > steps + 15)["hand"] == place


def test_a_gamepad_records_and_what_is_dropped_leaves_the_file(teleop):
    page = teleop()
    record(page)
    record(page)
    assert [episode.success for episode in load_demos(teleop.out)] == [True, True]
    box = page.page.locator("#take-0 input")
    box.uncheck()
    page.until(lambda state: state["kept"] == 1)
    assert load_demos(teleop.out).header["episode_indices"] == [1]
    box.check()
    page.until(lambda state: state["kept"] == 2)
    assert page.page.locator("#takes img").first.evaluate("image => image.naturalWidth") > 50


def test_a_pad_under_a_finger_moves_the_hand_while_it_is_held(teleop):
    page = teleop()
    start = np.array(page.state["hand"])
    box = page.page.locator("#plane").bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 1)
    moved = page.until(lambda state: state["steps"] > 5)["hand"]
    page.page.mouse.up()
    assert moved[1] > start[1]
    assert moved[0] == start[0]


def test_a_headset_moves_the_hand_while_its_controller_is_squeezed(teleop, headset):
    page = teleop(headset)
    page.page.locator("#headset").click()
    start = page.state["hand"]

    def put(x, y, z):
        # Two frames, so that the page has seen it.
        page.page.evaluate(
            """async (place) => {
              controller.position.set(...place);
              for (let frame = 0; frame < 3; frame += 1)
                await new Promise((seen) => headset.activeSession.requestAnimationFrame(seen));
            }""",
            [x, y, z],
        )

    page.page.wait_for_function("headset.activeSession?.inputSources.length")
    put(0.0, 1.0, 0.0)
    page.page.evaluate("controller.updateButtonValue('squeeze', 1)")
    put(0.0, 1.0, 0.0)
    put(-0.3, 1.0, -0.1)
    reached = page.until(lambda state: abs(state["hand"][0] - start[0] + 0.3) < 1e-3)["hand"]
    np.testing.assert_allclose(np.subtract(reached, start), [-0.3, 0.1], atol=1e-3)
    page.page.evaluate("controller.updateButtonValue('squeeze', 0)")
    put(-0.3, 1.0, -0.1)
    put(9.0, 1.0, 0.0)
    page.until(lambda state: state["steps"] > 12)
    np.testing.assert_allclose(page.state["hand"], reached, atol=1e-3)
    # The picture on the wall was drawn, without a complaint of OpenGL.
    assert page.page.evaluate("headset.activeSession.renderState.baseLayer.context.getError()") == 0


def test_a_lost_connection_pauses_and_comes_back_with_all_episodes(teleop):
    page = teleop()
    record(page)
    with page.held("ArrowUp"):
        steps = page.until(lambda state: state["steps"] > 3)["steps"]
        (client,) = teleop.server._clients.values()
        teleop.server._call(client.connection.transport.abort)
        page.page.wait_for_selector("#banner:not([hidden])")
    page.page.wait_for_selector("#banner", state="hidden")
    state = page.until(lambda state: state["is_pilot"] and state["mode"] == "paused")
    assert state["steps"] >= steps
    assert page.page.locator("#takes li").count() == 1
    page.page.keyboard.press("Space")
    page.until(lambda state: state["mode"] == "running")


def test_of_two_pages_one_steers_until_it_leaves(teleop):
    pilot, watcher = teleop(), teleop()
    assert not watcher.state["is_pilot"]
    start = watcher.state["hand"]
    with watcher.held("ArrowUp"), pilot.held("ArrowDown"):
        watcher.until(lambda state: state["steps"] > 5)
    assert watcher.state["hand"][1] < start[1]
    watcher.page.keyboard.press("n")
    assert watcher.page.locator("[data-do=undo]").is_disabled()
    pilot.page.close()
    watcher.page.locator("#take").click()
    watcher.until(lambda state: state["is_pilot"] and state["scene"] == 0)
    watcher.page.keyboard.press("n")
    watcher.until(lambda state: state["scene"] == 1)
