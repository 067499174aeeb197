"""The README's story as real processes on the real task: demonstrations in, a policy out."""

import json
import subprocess
import sys

import pytest


def headstart(directory, *arguments: str) -> str:
    command = [sys.executable, "-m", "headstart", *arguments]
    run = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.slow
def test_demonstrations_become_a_policy_that_picks_and_places(warm, tmp_path):
    env = "FetchPickAndPlace-v4"
    headstart(tmp_path, "demos", "collect", env, "--episodes", "100", "--out", "demos.npz")
    report = json.loads(headstart(tmp_path, "demos", "inspect", "demos.npz", "--json"))
    assert report["episodes"] == 100
    assert report["success_rate"] == 1.0
    assert report["problems"] == []
    # Half of the default's updates before the first step, and of its steps a tenth.
    warm_start = ("--warm-start.bc-updates", "1000", "--warm-start.critic-updates", "500")
    short = ("--env-steps", "1500", "--evaluation.episodes", "5", *warm_start)
    train = ("train", env, "--demos", "demos.npz", "--out", "run", *short)
    log = tmp_path / "log"
    assert warm(*train, log=log, directory=tmp_path) == 0, log.read_text()
    result = json.loads(headstart(tmp_path, "evaluate", "run", "--episodes", "40", "--json"))
    # 99% and more over 500 episodes and 5 seeds: benchmarks/results/pick-and-place-fast.json.
    assert result["success_rate"] >= 0.95
    assert result["floor"]["success_rate"] <= 0.1
    assert set(result["parts"]) == {"air", "table"}
