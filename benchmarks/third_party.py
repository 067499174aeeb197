"""Environments of other packages from the first command to the last, as users run them.

    pip install panda-gym==3.0.7 highway-env==1.12.1
    python benchmarks/third_party.py

Each is checked, trained in without demonstrations, evaluated; its policy demonstrates, and another
one is trained from that and evaluated. Every command must exit as it is written here; the results
hold what each of them printed and took.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from machine import machine

from headstart.runs.record import PACKAGES

OTHERS = ("panda-gym", "pybullet", "highway-env")
RESULTS = Path(__file__).parent / "results" / "third-party.json"
REACH = "panda_gym:PandaReach-v3"
STACK = "panda_gym:PandaStack-v3,rebuild_each_episode=false"
PARKING = "highway_env:parking-v0"
LIMITED = f"{PARKING},max_episode_steps=100"
# A collision costs 5, which step alone knows.
ADD = ["--task.unexplained-reward", "add"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parking-steps", type=int, default=2000, help="env steps (2000)")
    parking_steps = parser.parse_args().parking_steps
    result: dict[str, Any] = {
        "command": f"python benchmarks/third_party.py --parking-steps {parking_steps}",
        "versions": {name: version(name) for name in (*PACKAGES, *OTHERS)},
        "machine": machine(),
        "environments": [],
    }
    result["environments"].append(reach())
    result["environments"].append(stack())
    result["environments"].append(parking(parking_steps))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")


def reach() -> dict[str, Any]:
    """PandaReach: ends at its goal without saying so, prints, saves states of another kind."""
    with tempfile.TemporaryDirectory() as directory:
        session = Session(REACH, Path(directory))
        session.check(REACH)
        session.learn(env_steps=2000, options=[], keep=["--episodes", "20"], episodes=100)
        snapshots = ["--demos", "demos.npz", "--resets.probability", "0.2", "--out", "refused"]
        session.run("train", REACH, *snapshots, expected=2)
    return session.result


def stack() -> dict[str, Any]:
    """PandaStack: an episode depends on what ran before it."""
    with tempfile.TemporaryDirectory() as directory:
        session = Session(STACK, Path(directory))
        session.check(STACK, expected=2)
    return session.result


def parking(env_steps: int) -> dict[str, Any]:
    """Parking: no time limit, and a collision costs what compute_reward does not know."""
    with tempfile.TemporaryDirectory() as directory:
        session = Session(LIMITED, Path(directory))
        session.run("envs", "check", PARKING, expected=2)
        session.check(LIMITED, expected=2)
        # 2 if one of the first episodes collides, else 1.
        session.run("train", LIMITED, "--env-steps", "3000", "--out", "refused", expected=(1, 2))
        session.check(LIMITED, *ADD)
        keep = ["--episodes", "5", "--keep-failures"]
        options = [*ADD, "--evaluation.episodes", "10"]
        session.learn(env_steps=env_steps, options=options, keep=keep, episodes=20)
    return session.result


class Session:
    """Commands in one directory, one after the other."""

    def __init__(self, env_id: str, directory: Path) -> None:
        self._env_id, self._directory = env_id, directory
        self.result: dict[str, Any] = {"env_id": env_id, "commands": []}

    def check(self, *arguments: str, expected: int = 0) -> None:
        """Check an environment, as text and as JSON."""
        self.run("envs", "check", *arguments, expected=expected)
        printed = self.run("envs", "check", *arguments, "--json", expected=expected)
        self.result["check"] = json.loads(printed)

    def learn(self, env_steps: int, options: list[str], keep: list[str], episodes: int) -> None:
        """Train without demonstrations and from those of the policy, and evaluate both."""
        steps = ["--env-steps", str(env_steps)]
        self.run("train", self._env_id, *options, *steps, "--out", "first")
        self.result["without_demos"] = self._evaluate("first", episodes)
        demos = ["--policy", "first", *keep, "--out", "demos.npz"]
        self.run("demos", "collect", self._env_id, *demos)
        printed = self.run("demos", "inspect", "demos.npz", "--json")
        self.result["demos_success_rate"] = json.loads(printed)["success_rate"]
        more = ["--demos", "demos.npz", *options, *steps, "--out", "second"]
        self.run("train", self._env_id, *more)
        self.result["with_demos"] = self._evaluate("second", episodes)
        self.result["env_steps"] = env_steps

    def _evaluate(self, run: str, episodes: int) -> dict[str, Any]:
        arguments = [run, "--env", self._env_id, "--episodes", str(episodes), "--json"]
        result: dict[str, Any] = json.loads(self.run("evaluate", *arguments))
        return result

    def run(self, *arguments: str, expected: int | tuple[int, ...] = 0) -> str:
        """Run one command of ``headstart`` and return its standard output."""
        begun = time.monotonic()
        printed = subprocess.run(
            [sys.executable, "-m", "headstart", *arguments],
            cwd=self._directory,
            capture_output=True,
            text=True,
        )
        last = [line for line in printed.stderr.splitlines() if line.startswith("headstart: ")]
        command = {
            "command": " ".join(["headstart", *arguments]),
            "exit_code": printed.returncode,
            "seconds": round(time.monotonic() - begun, 1),
            "error": last[-1] if last else None,
        }
        print(command, flush=True)
        self.result["commands"].append(command)
        if printed.returncode not in (expected if isinstance(expected, tuple) else (expected,)):
            raise SystemExit(f"expected exit code {expected}\n{printed.stdout}\n{printed.stderr}")
        return printed.stdout


if __name__ == "__main__":
    main()
