"""A real browser, and pages of a session that runs in a thread of the test's own process."""

import json
import shutil
import threading
from contextlib import contextmanager

import pytest
from page import HAND
from waiting import wait_until

from headstart.web.server import PageServer, page_files
from headstart.web.teleop.messages import read_message
from headstart.web.teleop.run import PAGE, TeleopPlan, teleoperate

GAMEPAD = """
const button = () => ({ pressed: false, touched: false, value: 0 });
window.pad = { id: "stub", index: 0, connected: false, mapping: "standard", timestamp: 0,
               axes: [0, 0, 0, 0], buttons: Array.from({ length: 17 }, button) };
navigator.getGamepads = () => [window.pad];
"""
HEADSET = """
window.controller = { squeeze: false, frames: 0, place: { x: 0, y: 1, z: 0 } };
const pressed = (is) => ({ pressed: is });
const source = { handedness: "right", gripSpace: {}, get gamepad() {
  return { buttons: [pressed(false), pressed(controller.squeeze)] }; } };
const frame = { getViewerPose: () => null,
                getPose: () => ({ transform: { position: { ...controller.place } } }) };
window.XRWebGLLayer = class {};
Object.defineProperty(navigator, "xr", { value: {
  isSessionSupported: async () => true,
  requestSession: async () => ({
    inputSources: [source], addEventListener() {}, updateRenderState() {},
    requestReferenceSpace: async () => ({}),
    requestAnimationFrame(call) { controller.frames += 1; setTimeout(call, 20, 0, frame); },
  }) } });
"""


def pytest_collection_modifyitems(items):
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("processes")


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, driven by Playwright."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no browser: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


class Page:
    """An open page."""

    def __init__(self, page, link):
        self.page = page
        self.faults = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(link)
        page.wait_for_selector("body[data-state]")

    @property
    def state(self):
        return json.loads(self.page.evaluate("document.body.dataset.state"))

    def until(self, true):
        """Wait until something is true of the state, and return it."""
        wait_until(lambda: true(self.state))
        return self.state

    @contextmanager
    def held(self, key):
        self.page.keyboard.down(key)
        yield
        self.page.keyboard.up(key)


@pytest.fixture
def teleop(chromium, tmp_path):
    """Start a session at the toy task, and return what opens pages of it."""
    stop = threading.Event()
    out = tmp_path / "demos.npz"
    plan = TeleopPlan(env="PointReach-v0,max_episode_steps=2000", out=out, task=HAND, draw=False)
    with PageServer(page_files(*PAGE), read_message) as server:
        thread = threading.Thread(target=teleoperate, args=(plan, server, stop.is_set))
        thread.start()
        context = chromium.new_context(viewport={"width": 1280, "height": 860})
        context.set_default_timeout(0)
        context.add_init_script(GAMEPAD + HEADSET)
        pages = []

        def open_page():
            pages.append(Page(context.new_page(), server.link))
            return pages[-1]

        open_page.server, open_page.out = server, out
        yield open_page
        context.close()
        stop.set()
        thread.join()
    assert [fault for page in pages for fault in page.faults] == []
