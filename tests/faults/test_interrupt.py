"""Ctrl-C, as the signal a terminal sends to the real command."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders import point_policy

from headstart.demos.record import collect_demos
from headstart.demos.storage import load_demos
from headstart.policy import load_policy

COUNTED = """
import os
import time
from pathlib import Path

import gymnasium as gym
from headstart.envs.toy import PointReach

class Counted(PointReach):
    resets = 0

    def reset(self, **options):
        Counted.resets += 1
        if Counted.resets == {resets}:
            Path("reached").touch()
            time.sleep({seconds})
        return super().reset(**options)

gym.register("Counted-v0", entry_point=Counted, max_episode_steps=5)
"""


def children_of(process_id: int) -> list[int]:
    path = f"/proc/{process_id}/task/{process_id}/children"
    with open(path, encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="reads /proc")
def test_an_interrupted_run_keeps_its_policies_and_leaves_no_process(tmp_path):
    command = (
        "train PointReach-v0 --out run --env-steps 10000000 --collectors 2 "
        "--evaluation.every 300 --evaluation.episodes 2 --warm-start.critic-updates 10"
    )
    run = subprocess.Popen(
        [sys.executable, "-m", "headstart", *command.split()],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in run.stderr:
        if "success" in line:
            break
    collectors = children_of(run.pid)
    assert len(collectors) == 2
    # As a terminal does it: to the whole group, collectors included.
    os.killpg(run.pid, signal.SIGINT)
    printed = run.stderr.read()
    assert run.wait() == 130
    last = printed.splitlines()[-1]
    assert re.fullmatch(
        r"headstart: interrupted; saved at \d+ env steps; continue with: headstart resume \S+/run",
        last,
    )
    assert "Traceback" not in printed
    assert load_policy(tmp_path / "run").metadata["env_id"] == "PointReach-v0"
    assert not any(os.path.exists(f"/proc/{collector}") for collector in collectors)


def collecting_until_stopped(directory, number, *, resets, collectors, seconds=0):
    """Signal a real `demos collect` once a process has reset its environment that often."""
    (directory / "counted.py").write_text(COUNTED.format(resets=resets, seconds=seconds))
    point_policy().save(directory / "policy.safetensors")
    command = (
        f"demos collect counted:Counted-v0 --policy policy.safetensors --keep-failures "
        f"--episodes 1000000 --seed 3 --collectors {collectors} --out demos.npz"
    )
    collecting = subprocess.Popen(
        [sys.executable, "-m", "headstart", *command.split()],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        while not (directory / "reached").exists():
            assert collecting.poll() is None, collecting.stderr.read()
            time.sleep(0.01)
        os.killpg(collecting.pid, number)
        printed, output = collecting.communicate()
    finally:
        collecting.kill()
    assert collecting.returncode == 130
    assert printed == ""
    return output


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("collectors", [0, 2])
def test_stopped_collecting_keeps_the_first_of_the_demonstrations(
    tmp_path, monkeypatch, number, collectors
):
    printed = collecting_until_stopped(tmp_path, number, resets=60, collectors=collectors)
    demos = load_demos(tmp_path / "demos.npz")
    kept = len(demos.episodes)
    assert printed == (
        f"headstart: interrupted; demos.npz holds the first {kept} of 1000000 demonstrations\n"
    )
    assert kept > 20
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    undisturbed = collect_demos(
        "counted:Counted-v0",
        load_policy(Path("policy.safetensors")),
        episodes=kept,
        seed=3,
        keep_failures=True,
    )
    assert demos.episodes == undisturbed.episodes
    assert demos.header["episode_indices"] == undisturbed.header["episode_indices"]


def test_collecting_that_is_stopped_before_its_first_demonstration_writes_nothing(tmp_path):
    # Two resets are those of the probe.
    printed = collecting_until_stopped(
        tmp_path, signal.SIGINT, resets=3, collectors=0, seconds=3600
    )
    assert printed == (
        "headstart: interrupted before the first of 1000000 demonstrations; "
        "nothing is written to demos.npz\n"
    )
    assert not list(tmp_path.glob("*demos.npz*"))
