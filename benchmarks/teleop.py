"""Pictures a second, processor and latency of ``headstart teleop``, and one demonstration by it.

    python benchmarks/teleop.py --demo one.npz

A scripted pilot sits in a real browser: it reads what the page is told and moves a gamepad that is
stubbed, until the block is at its goal. Needs chromium, and playwright of the extra ``dev``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from machine import machine
from playwright.sync_api import Page, sync_playwright

RESULTS = Path(__file__).parent / "results" / "teleop.json"
ENV = "FetchPickAndPlace-v4"
SECONDS = 8.0

STUBS = """
window.pictures = 0;
const decode = window.createImageBitmap;
window.createImageBitmap = (...all) => { window.pictures += 1; return decode(...all); };
window.pad = { id: "scripted pilot", index: 0, connected: false, mapping: "standard",
               axes: [0, 0, 0, 0],
               buttons: Array.from({ length: 17 }, () => ({ pressed: false })) };
navigator.getGamepads = () => [window.pad];
"""
PILOT = """
const told = (name) => JSON.parse(document.body.dataset[name]);
const limit = (value) => Math.max(-1, Math.min(1, value));
const minus = (one, other) => one.map((value, axis) => value - other[axis]);
const norm = (way) => Math.hypot(...way);
const axes = told("hello").axes;
let closedAt = null;
window.isDone = false;
window.pilot = setInterval(() => {
  const state = told("state");
  const press = (button, is) => { pad.buttons[button].pressed = is; };
  const offset = minus(state.achieved, state.hand);
  const isOver = norm(offset.slice(0, 2)) < 0.008;
  let way = isOver ? offset : [offset[0], offset[1], offset[2] + 0.06];
  press(7, false);
  if (!state.is_closed && norm(offset) < 0.008) { press(7, true); closedAt = state.steps; }
  if (state.is_closed && norm(offset) > 0.04) press(7, true);
  else if (state.is_closed) {
    way = state.steps < closedAt + 12 ? [0, 0, 0] : minus(state.desired, state.achieved);
  }
  const view = axes.map((axis) => limit(25 * axis.reduce((sum, x, i) => sum + x * way[i], 0)));
  pad.axes = [view[0], -view[1], 0, -view[2]];
  press(3, state.is_success && norm(minus(state.desired, state.achieved)) < 0.02);
  if (state.kept) { clearInterval(pilot); pad.connected = false; window.isDone = true; }
}, 40);
"""
# Arrow keys, left and right, at no fixed distance from the pictures.
SWING = """
const keys = ["ArrowLeft", "ArrowRight"];
const press = (kind, code) => document.body.dispatchEvent(
  new KeyboardEvent(kind, { code, bubbles: true }));
window.swing = true;
(function turn() {
  press("keyup", keys[0]);
  keys.reverse();
  if (!window.swing) return;
  press("keydown", keys[0]);
  setTimeout(turn, 120 + 130 * Math.random());
})();
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--demo", type=Path, help="where to keep the demonstration")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        demo = arguments.demo or Path(directory) / "one.npz"
        command = ["teleop", ENV, "--out", str(demo), "--force", "--port", "0"]
        server = subprocess.Popen(
            [sys.executable, "-m", "headstart", *command], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        link = server.stdout.readline().split()[1]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.add_init_script(STUBS)
            page.goto(link)
            page.wait_for_selector("body[data-state]")
            found = watch(page, server.pid)
            page.keyboard.press("r")
            found |= record(page)
            page.locator("#end").click()
            server.wait()
            browser.close()
    result = {
        "command": " ".join(["python benchmarks/teleop.py", *sys.argv[1:]]),
        "machine": {**machine(), "load_average": os.getloadavg()[0]},
        "versions": {name: version(name) for name in ("mujoco", "websockets", "pillow")},
        "env": ENV,
        "picture": "480x480 and 240x240",
        **found,
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def record(page: Page) -> dict[str, Any]:
    """Let the pilot bring the block to its goal."""
    page.evaluate("pad.connected = true")
    page.evaluate(PILOT)
    while not page.evaluate("isDone"):
        time.sleep(0.1)
    return {"demonstration": page.locator("#take-0 span").inner_text()}


def watch(page: Page, process: int) -> dict[str, Any]:
    """Count pictures and processor seconds while keys move the hand to and fro."""
    page.evaluate(SWING)
    time.sleep(1.0)
    pictures, processor, began = page.evaluate("pictures"), seconds(process), time.monotonic()
    time.sleep(SECONDS)
    passed = time.monotonic() - began
    page.evaluate("swing = false")
    return {
        "pictures_per_second": round((page.evaluate("pictures") - pictures) / 2 / passed, 1),
        "cores": round((seconds(process) - processor) / passed, 2),
        "key_to_picture_ms": int(page.locator("#latency").inner_text().split()[0]),
    }


def seconds(process: int) -> float:
    """Return what a process has taken of the processor so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
