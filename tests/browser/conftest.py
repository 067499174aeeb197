"""A real browser, and pages of a session that runs in a thread of the test's own process."""

import json
import shutil
import subprocess
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
IWER = "iwer@2.5.0"
# Meta's own emulation of its headsets.
HEADSET = """
window.headset = new IWER.XRDevice(IWER.metaQuest3);
headset.installRuntime({ forceInstall: true });
window.controller = headset.controllers.right;
"""


# Before those that a marker leaves out are left out.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


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


@pytest.fixture(scope="session")
def headset(tmp_path_factory):
    """A script that puts a headset on whoever opens a page."""
    npm, directory = shutil.which("npm"), tmp_path_factory.mktemp("npm")
    if npm is None:
        pytest.skip("there is no npm: apt-get install npm")
    install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", IWER]
    if subprocess.run(install, cwd=directory, capture_output=True).returncode:
        pytest.skip(f"npm cannot install {IWER} here")
    runtime = directory / "node_modules" / "iwer" / "build" / "iwer.min.js"
    return runtime.read_text() + HEADSET


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
def task():
    """What is declared of the toy task."""
    return HAND


@pytest.fixture
def teleop(chromium, tmp_path, task):
    """Start a session at the toy task, and return what opens pages of it."""
    stop = threading.Event()
    out = tmp_path / "demos.npz"
    plan = TeleopPlan(env="PointReach-v0,max_episode_steps=2000", out=out, task=task, draw=False)
    with PageServer(page_files(*PAGE), read_message) as server:
        thread = threading.Thread(target=teleoperate, args=(plan, server, stop.is_set))
        thread.start()
        context = chromium.new_context(viewport={"width": 1280, "height": 860})
        context.set_default_timeout(0)
        context.add_init_script(GAMEPAD)
        pages = []

        def open_page(*scripts):
            page = context.new_page()
            for script in scripts:
                page.add_init_script(script)
            pages.append(Page(page, server.link))
            return pages[-1]

        open_page.server, open_page.out = server, out
        yield open_page
        context.close()
        stop.set()
        thread.join()
    assert [fault for page in pages for fault in page.faults] == []
