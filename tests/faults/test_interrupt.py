"""Ctrl-C, as the signal a terminal sends to the real command."""

import os
import signal
import subprocess
import sys

import pytest

from headstart.policy import load_policy


def children_of(process_id: int) -> list[int]:
    path = f"/proc/{process_id}/task/{process_id}/children"
    with open(path, encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="reads /proc")
@pytest.mark.timeout(120)
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
    told = run.stderr.read()
    assert run.wait(timeout=30) == 130
    assert told.splitlines()[-1] == (
        "headstart: interrupted; the policies so far are in run/policies"
    )
    assert "Traceback" not in told
    assert load_policy(tmp_path / "run").metadata["env_id"] == "PointReach-v0"
    assert not any(os.path.exists(f"/proc/{collector}") for collector in collectors)
