"""Environments with the contracts of panda-gym and highway-env, from the first command to the last.

The packages themselves are run by ``benchmarks/third_party.py``.
"""

import json
import shlex

import pytest

from headstart.cli.main import main
from headstart.demos.storage import load_demos

PANDA = "envs.third_party:PandaLike-v0"
PARKING = "envs.third_party:ParkingLike-v0"
LIMITED = f"{PARKING},max_episode_steps=30"
SHORT = (
    "--env-steps 400 --evaluation.every 400 --evaluation.episodes 3 --agent.hidden-sizes 32 32 "
    "--warm-start.bc-updates 20 --warm-start.episodes 4 --warm-start.critic-updates 20 "
    "--cycle.updates-per-step 0.5 --batch-size 64 --collectors 0"
)


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Runs commands in a directory of its own, and returns exit code, output and error."""
    monkeypatch.chdir(tmp_path)

    def command(text):
        code = 0
        try:
            main(shlex.split(text))
        except SystemExit as stopped:
            code = stopped.code
        return code, *capfd.readouterr()

    return command


@pytest.mark.slow
def test_panda_gym(run):
    code, out, _ = run(f"envs check {PANDA}")
    assert code == 0
    assert "  ends at the goal  yes" in out
    assert "  restores states   no: restore_state(state_id) takes other arguments" in out
    assert "  problems          none found" in out
    code, out, _ = run(f"envs check {PANDA} --json")
    assert (code, json.loads(out)["ends_at_goal"]) == (0, True)

    code, _, err = run(f"train {PANDA} --out first {SHORT}")
    assert code == 0
    assert "reaching the goal ends an episode, as one showed" in err
    code, out, _ = run(f"evaluate first --env {PANDA} --episodes 20 --collectors 0 --json")
    assert code == 0
    assert json.loads(out)["success_rate"] > 2 * json.loads(out)["floor"]["success_rate"]

    collect = f"demos collect {PANDA} --policy first --episodes 5 --keep-failures --collectors 0"
    assert run(f"{collect} --out demos.npz")[0] == 0
    assert {demo.snapshots.shape[1] for demo in load_demos("demos.npz").episodes} == {0}
    code, _, err = run(f"train {PANDA} --demos demos.npz --resets.probability 0.1 --out no {SHORT}")
    assert code == 2
    assert "the state of PandaLike-v0 cannot be restored: restore_state(state_id)" in err
    assert run(f"train {PANDA} --demos demos.npz --out second {SHORT}")[0] == 0
    assert run(f"evaluate second --env {PANDA} --episodes 5 --collectors 0")[0] == 0


@pytest.mark.slow
def test_highway_env(run):
    code, _, err = run(f"envs check {PARKING}")
    assert code == 2
    assert f"append one to the id, as in {PARKING},max_episode_steps=100" in err
    code, out, _ = run(f"envs check {LIMITED} --json")
    (problem,) = json.loads(out)["problems"]
    assert code == 2
    assert "--task.unexplained-reward add or ignore" in problem
    code, _, err = run(f"train {LIMITED} --out refused {SHORT}")
    # 2 if one of the first episodes collides, else 1.
    assert code in (1, 2)
    assert "pass --task.unexplained-reward add" in err

    declared = "--task.unexplained-reward add"
    assert run(f"envs check {LIMITED} {declared}")[0] == 0
    assert run(f"train {LIMITED} {declared} --out first {SHORT}")[0] == 0
    collect = f"demos collect {LIMITED} --policy first --episodes 5 --keep-failures --collectors 0"
    assert run(f"{collect} --out demos.npz")[0] == 0
    assert run(f"train {LIMITED} {declared} --demos demos.npz --out second {SHORT}")[0] == 0
    code, out, _ = run(f"evaluate second --env {LIMITED} --episodes 10 --collectors 0 --json")
    assert (code, json.loads(out)["episodes"]) == (0, 10)
