"""Pictures a second, processor and latency of ``headstart teleop``, and one demonstration by it.

    python benchmarks/teleop.py            # pictures, processor, latency: on a quiet machine
    python benchmarks/teleop.py --learn    # and a policy of the one demonstration

Without ``--learn`` the file of results keeps what was learned before. A scripted pilot sits in a
real browser: it reads what the page is told and moves a gamepad that is stubbed, until the block is
at its goal. Needs chromium, and playwright of the extra ``dev``.
"""

import argparse
import contextlib
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from machine import machine
from playwright.sync_api import Page, sync_playwright
from websockets.sync.client import connect

RESULTS = Path(__file__).parent / "results" / "teleop.json"
ENV = "FetchPickAndPlace-v4"
SECONDS = 8.0

STUBS = """
window.pictures = 0;
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...all) {
  window.pictures += this.canvas.id === "view-0";
  return draw.apply(this, all);
};
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
    parser.add_argument("--learn", action="store_true", help="expand it, and train from that")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    load_average = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory:
        demo = arguments.demo or Path(directory) / "one.npz"
        command = ["teleop", ENV, "--out", str(demo), "--force", "--port", "0"]
        server = subprocess.Popen(
            [sys.executable, "-m", "headstart", *command], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        link = server.stdout.readline().split()[1]
        found: dict[str, Any] = {"key_to_picture_arrived_ms": round(arrive(link), 1)}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.add_init_script(STUBS)
            page.goto(link)
            page.wait_for_selector("body[data-state]")
            found |= watch(page, server.pid)
            page.keyboard.press("r")
            found |= record(page)
            page.locator("#end").click()
            server.wait()
            browser.close()
        if arguments.learn:
            found["learned"] = {"demonstration": found["demonstration"]}
            found["learned"] |= learn(demo, Path(directory))
    before = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    result = {
        "command": "python benchmarks/teleop.py",
        "machine": {**machine(), "load_average": load_average},
        "versions": {name: version(name) for name in ("mujoco", "websockets", "pillow")},
        "env": ENV,
        "picture": "480x480 and 240x240",
        "learned": before.get("learned"),
        **found,
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def arrive(link: str, turns: int = 60) -> float:
    """Return the median ms from a key to the picture that shows it, at a socket."""
    address = urlsplit(link)
    found: list[float] = []
    origin = f"http://{address.netloc}"
    with connect(
        f"ws://{address.netloc}/socket?{address.query}", origin=origin, proxy=None
    ) as page:
        rng, number = np.random.default_rng(0), 0
        while len(found) < turns:
            number += 1
            move = [0.4 if number % 2 else -0.4, 0.0, 0.0]
            stick = {"number": number, "move": move, "reach": [], "grip": None, "sliders": []}
            turned, following = time.perf_counter(), rng.uniform(0.12, 0.25)
            spoke, is_shown = 0.0, False
            while not is_shown or time.perf_counter() - turned < following:
                if time.perf_counter() - spoke > 0.08:
                    spoke = time.perf_counter()
                    page.send(json.dumps(stick))
                with contextlib.suppress(TimeoutError):
                    message = page.recv(timeout=0.005)
                    if not isinstance(message, bytes):
                        continue
                    picture, view, heard = struct.unpack_from("<IBI", message)
                    page.send(json.dumps({"seen": picture}))
                    if not is_shown and view == 0 and heard == number:
                        found.append(1e3 * (time.perf_counter() - turned))
                        is_shown = True
    return statistics.median(found)


def learn(demo: Path, directory: Path) -> dict[str, Any]:
    """Make a hundred demonstrations of the one, and a policy of these; five hundred episodes."""
    many, run = str(directory / "many.npz"), str(directory / "run")
    commands = {
        "expanded": ["demos", "expand", str(demo), "--episodes", "100", "--out", many],
        "trained": ["train", ENV, "--demos", many, "--out", run],
        "evaluated": ["evaluate", run, "--episodes", "500", "--json"],
    }
    found: dict[str, Any] = {"command": "python benchmarks/teleop.py --learn"}
    for name, command in commands.items():
        call = [sys.executable, "-m", "headstart", *command]
        printed = subprocess.run(call, capture_output=True, check=True, text=True)
        found[name] = (printed.stdout or printed.stderr).strip().replace(str(directory), "")
    return {**found, "evaluated": json.loads(found["evaluated"])}


def record(page: Page) -> dict[str, Any]:
    """Let the pilot bring the block to its goal."""
    page.evaluate("pad.connected = true")
    page.evaluate(PILOT)
    while not page.evaluate("isDone"):
        time.sleep(0.1)
    return {"demonstration": page.locator("#take-0 span").inner_text()}


def watch(page: Page, process: int) -> dict[str, Any]:
    """Count pictures and processor seconds while keys move the hand to and fro."""
    # The scene is paused since the socket of ``arrive`` left.
    page.keyboard.press("Space")
    page.evaluate(SWING)
    time.sleep(1.0)
    pictures, processor, began = page.evaluate("pictures"), seconds(process), time.monotonic()
    time.sleep(SECONDS)
    passed = time.monotonic() - began
    page.evaluate("swing = false")
    return {
        "pictures_per_second": round((page.evaluate("pictures") - pictures) / passed, 1),
        "cores": round((seconds(process) - processor) / passed, 2),
        "key_to_picture_ms": int(page.locator("#latency").inner_text().split()[0]),
    }


def seconds(process: int) -> float:
    """Return what a process has taken of the processor so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
