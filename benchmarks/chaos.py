"""Kills the real command with SIGKILL at random moments, goes on, and compares the final bytes.

    python benchmarks/chaos.py --kills 100

Runs of FetchPickAndPlace-v4 with demonstrations, evaluations, and checkpoints as often as can be
are killed again and again, each start after a time and with a number of collectors drawn at random,
until one reaches its end. What is left then must be what a run leaves that was never killed:
policies, metrics, networks, optimisers, replay. After every kill all files of the run are read, and
none may be damaged. Then the filming of a policy is killed; a video must be whole or absent.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np
from machine import machine

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from outcomes import differences, find_damage, half_written, outcome

ENV_ID = "FetchPickAndPlace-v4"
RESULTS = Path(__file__).parent / "results" / "chaos.json"
COLLECTORS = (0, 1, 2, 4)
# A start imports for some seconds before it trains; the longest lives a little longer than that.
SHORTEST, LONGEST = 4.0, 12.0
# fmt: off
SETTINGS = [
    "--env-steps", "3000", "--batch-size", "64", "--agent.hidden-sizes", "64", "64",
    "--replay-capacity", "2500", "--warm-start.bc-updates", "500", "--warm-start.critic-updates",
    "300", "--evaluation.every", "500", "--evaluation.episodes", "10", "--policy-every", "700",
    "--resets.probability", "0.2", "--checkpoint.seconds", "0",
]
# fmt: on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--ray", action="store_true", help="kill parts of a Ray cluster instead")
    arguments = parser.parse_args()
    if arguments.ray:
        # Here: it uses this module.
        from chaos_ray import main as kill_on_ray

        kill_on_ray(arguments.kills, arguments.seed)
        return
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory(dir=".", prefix=".chaos-") as scratch:
        place = Path(scratch)
        demos = place / "demos.npz"
        headstart("demos", "collect", ENV_ID, "--episodes", "20", "--out", demos)
        headstart(*command(place / "whole", demos), "--collectors", "2")
        expected = outcome(place / "whole")
        runs: list[dict[str, Any]] = []
        while sum(run["kills"] for run in runs) < arguments.kills:
            runs.append(killed_run(place / f"run-{len(runs)}", demos, rng))
            different = differences(outcome(place / f"run-{len(runs) - 1}"), expected)
            runs[-1]["different"] = different
            print(json.dumps(runs[-1]), flush=True)
        videos = killed_videos(place / "whole", arguments.kills // 10, rng)
    result = {
        "command": f"python benchmarks/chaos.py --kills {arguments.kills}",
        "env_id": ENV_ID,
        "machine": machine(),
        "versions": {name: version(name) for name in ("headstart", "torch", "mujoco")},
        "kills": sum(run["kills"] for run in runs),
        "kills_amid_a_write": sum(run["amid_a_write"] for run in runs),
        "damaged_files": sum(run["damaged"] for run in runs),
        "runs": len(runs),
        "runs_with_the_same_bytes": sum(not run["different"] for run in runs),
        "each": runs,
        "videos": videos,
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def command(directory: Path, demos: Path) -> list[str | Path]:
    """Return what begins a run, or goes on with it."""
    if (directory / "config.json").exists():
        return ["resume", directory]
    return ["train", ENV_ID, "--demos", demos, "--out", directory, *SETTINGS]


def killed_run(directory: Path, demos: Path, rng: np.random.Generator) -> dict[str, Any]:
    """Kill a run again and again until it reaches its end; return what was seen on the way."""
    seen = {"kills": 0, "amid_a_write": 0, "damaged": 0}
    while True:
        seconds = rng.uniform(SHORTEST, LONGEST)
        collectors = str(rng.choice(COLLECTORS))
        if survives(seconds, *command(directory, demos), "--collectors", collectors):
            return seen
        seen["kills"] += 1
        seen["amid_a_write"] += half_written(directory)
        seen["damaged"] += len(find_damage(directory))


def killed_videos(run: Path, kills: int, rng: np.random.Generator) -> dict[str, int]:
    """Kill the filming of a policy so often; return what became of the videos."""
    seen = {"kills": 0, "damaged": 0}
    video = run.with_suffix(".mp4")
    while seen["kills"] < kills:
        seconds = rng.uniform(SHORTEST / 2, LONGEST)
        seen["kills"] += not survives(seconds, "play", run, "--episodes", "4", "--video", video,
                                     "--force")  # fmt: skip
        if video.exists():
            seen["damaged"] += sum(1 for _ in imageio.get_reader(video)) < 4 * 51
            video.unlink()
    return seen


def survives(seconds: float, *arguments: str | Path) -> bool:
    """Start the command, kill it after some seconds, and return whether it ended before that."""
    line = command_line(arguments)
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _, told = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return False
    if process.returncode != 0:
        raise SystemExit(f"{line} failed:\n{told.decode(errors='replace')}")
    return True


def headstart(*arguments: str | Path) -> None:
    """Run a command that must succeed."""
    begun = time.perf_counter()
    subprocess.run(command_line(arguments), check=True, capture_output=True)
    print(f"{arguments[0]}: {time.perf_counter() - begun:.1f} s", flush=True)


def command_line(arguments: tuple[str | Path, ...]) -> list[str]:
    """Return the words of a command."""
    return [sys.executable, "-m", "headstart", *map(str, arguments)]


if __name__ == "__main__":
    main()
