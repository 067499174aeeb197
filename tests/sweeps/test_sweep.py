"""``headstart sweep`` as a process, with real runs: killed, interrupted, failed, continued."""

import json
import os
import re
import signal

import pytest
from builders import point_policy
from forked_runs import FORKING
from kill_at import Moment
from killed_runs import SETTINGS, output_of
from outcomes import differences, outcome
from small_runs import POINT

from headstart.cli.main import main
from headstart.demos.storage import save_demos

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

COMMON = SETTINGS[2:]
GRID = ["--seeds", "10,3", "--grid", "agent.q-weight=1,0.1"]
NAMES = [f"agent.q-weight={weight}-seed{seed}" for weight in ("1", "0.1") for seed in (10, 3)]


def update(count, number):
    """The sweep is signalled by the first of its runs that comes to an update."""
    place, deed = "headstart.agents.ddpg:DDPG.update", ("forked_runs:signal_sweep", [int(number)])
    return Moment(place=place, when="after", count=count, deed=deed)


@pytest.fixture
def demo_file(tmp_path, point_demos):
    path = tmp_path / "demos.npz"
    save_demos(path, point_demos)
    return path


def runs_in(sweep):
    return {run["name"]: run for run in json.loads((sweep / "sweep.json").read_text())["runs"]}


@pytest.mark.slow
def test_a_sweep_that_is_killed_and_interrupted_ends_as_its_runs_alone(warm, demo_file, tmp_path):
    sweep, log = tmp_path / "sweep", tmp_path / "log"
    shared = [POINT, "--demos", demo_file, *COMMON]
    command = ["sweep", *shared, *GRID, "--cores", "1", "--out", sweep]
    killed = warm(*command, log=log, moments=[FORKING, update(6, signal.SIGKILL)])
    assert killed == -signal.SIGKILL
    assert not any(run["stage"] == "finished" for run in runs_in(sweep).values())
    # The first run has fewer updates left than that; it is finished, and the second interrupted.
    assert warm(*command, log=log, moments=[FORKING, update(16, signal.SIGINT)]) == 130
    *_, last = output_of(log).splitlines()
    typed = re.fullmatch(
        r"headstart: interrupted with 1 of 4 runs over, the rest saved; continue with: "
        r"(headstart sweep .*)",
        last,
    )
    assert typed[1].split()[2:5] == [POINT, "--demos", str(demo_file)]
    assert [run["stage"] for run in runs_in(sweep).values()] == [
        *("finished", "stopped", "waiting", "waiting")
    ]
    first = (sweep / "jobs" / f"{NAMES[0]}.log").read_bytes()
    assert warm(*command, log=log, moments=[FORKING]) == 0
    assert (sweep / "jobs" / f"{NAMES[0]}.log").read_bytes() == first
    assert list(runs_in(sweep)) == NAMES
    # Killed, interrupted, and neither.
    for name in (*NAMES[:2], NAMES[3]):
        weight, seed = re.search(r"=(.+)-seed(\d+)", name).groups()
        own = ["--agent.q-weight", weight, "--seed", seed, "--collectors", 0]
        assert warm("train", *shared, *own, "--out", tmp_path / name, log=log) == 0
        assert differences(outcome(sweep / name), outcome(tmp_path / name)) == []
        assert runs_in(sweep)[name]["stage"] == "finished"
    output_of(log)


@pytest.mark.slow
def test_a_failed_run_is_shown_kept_and_continued_when_asked_for(warm, tmp_path):
    sweep, log, policy = tmp_path / "sweep", tmp_path / "log", tmp_path / "first.safetensors"
    command = ["sweep", POINT, "--demos.find", "0", "--seeds", "0", "--env-steps", "120"]
    command += ["--agent.hidden-sizes", "8", "8", "--cycle.updates", "2", "--batch-size", "32"]
    command += ["--warm-start.critic-updates", "2", "--warm-start.episodes", "2", "--out", sweep]
    command += ["--evaluation.episodes", "2", "--grid", f"init-policy=None,{policy}"]
    # Of an actor with other layers.
    point_policy().save(policy)
    assert warm(*command, log=log, moments=[FORKING]) == 1
    fine, failed = runs_in(sweep).values()
    assert (fine["stage"], failed["stage"]) == ("finished", "failed")
    assert failed["error"].startswith(f"{policy}: ")
    printed = output_of(log)
    assert f"failed:  {failed['name']}: {failed['error']}; more in {sweep}/jobs/" in printed
    assert "1 of 2 runs failed; when the cause is fixed, continue them with: headstart " in printed
    (sweep / fine["name"] / "policies" / "best.safetensors").replace(policy)
    assert warm(*command, log=log, moments=[FORKING]) == 1
    assert warm(*command, "--retry-failed", log=log, moments=[FORKING]) == 0
    assert [run["stage"] for run in runs_in(sweep).values()] == ["finished", "finished"]


@pytest.mark.slow
def test_runs_are_processes_of_their_own_and_drawn_by_settings(tmp_path, capsys):
    """One real process, to which nothing was imported beforehand."""
    command = f"sweep {POINT} --demos.find 0 --seeds 4 --env-steps 90 --cycle.updates 1"
    settings = "--agent.hidden-sizes 8 8 --evaluation.episodes 1 --warm-start.critic-updates 1"
    more = ["--out", str(tmp_path / "sweep"), "--warm-start.episodes", "1"]
    main([*command.split(), *settings.split(), *more])
    printed = capsys.readouterr()
    assert "seed4: finished, 90 env steps" in printed.err
    assert printed.out.splitlines()[1].split()[:4] == ["all", "as", "given", "1"]
    main(["plot", str(tmp_path / "sweep"), "--out", str(tmp_path / "curves.png")])
    assert capsys.readouterr().out == f"{tmp_path}/curves.png\n"
