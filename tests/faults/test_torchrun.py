"""Several processes on one run: the bits of one, however many there are and whatever ends them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.numpy
import torch
from kill_at import Moment
from outcomes import differences, outcome
from ranks import log_of, together
from small_runs import POINT

from headstart.runs.checkpoint_files import newest_run
from headstart.runs.record import read_record

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks"),
    pytest.mark.skipif(not torch.distributed.is_available(), reason="torch has no distributed"),
]

# fmt: off
SETTINGS = [
    "--seed", "10", "--env-steps", "240", "--batch-size", "16", "--replay-capacity", "150",
    "--agent.hidden-sizes", "16", "16", "--agent.actor-delay", "2", "--agent.q-filter-from", "10",
    "--evaluation.every", "90", "--evaluation.episodes", "3", "--warm-start.bc-updates", "50",
    "--warm-start.episodes", "3", "--warm-start.critic-updates", "20", "--cycle.updates", "3",
    "--resets.probability", "0.3", "--checkpoint.seconds", "0", "--collectors", "0",
]
# fmt: on
SHARDED, PER_PROCESS = ["--learner.shards", "4"], ["--learner.mode", "per-process"]


def train(directory, demo_file, *more):
    mode = [] if "per-process" in more else SHARDED
    return ["train", POINT, "--demos", demo_file, "--out", directory, *SETTINGS, *mode, *more]


@pytest.fixture(scope="module")
def alone(warm, demo_file, tmp_path_factory):
    """The outcome of one process."""
    directory = tmp_path_factory.mktemp("alone") / "run"
    assert warm(*train(directory, demo_file), log=directory.with_suffix(".log")) == 0
    return outcome(directory)


@pytest.mark.parametrize("size", [2, 4])
def test_processes_that_share_the_shards_leave_what_one_leaves(
    warm, demo_file, tmp_path, alone, size
):
    run, log = tmp_path / "run", tmp_path / "log"
    assert together(warm, size, *train(run, demo_file), log=log) == [0] * size
    assert differences(outcome(run), alone) == []
    told = [log_of(log, rank).read_text() for rank in range(size)]
    assert "success rate" in told[0]
    assert told[1:] == [""] * (size - 1)


@pytest.mark.parametrize("struck", [0, 1])
def test_a_process_that_is_killed_takes_the_others_along_and_all_go_on(
    warm, demo_file, tmp_path, alone, struck
):
    run, log = tmp_path / "run", tmp_path / "log"
    kill = Moment(place="headstart.agents.ddpg:DDPG.update", when="before", count=8)
    codes = together(warm, 2, *train(run, demo_file), log=log, moments={struck: [kill]})
    assert codes[struck] == -signal.SIGKILL
    assert codes[1 - struck] == 1
    told = log_of(log, 1 - struck).read_text()
    assert "another process of this run has ended" in told
    assert "Traceback" not in told
    assert together(warm, 2, *train(run, demo_file), log=log, restarts=1) == [0, 0]
    assert differences(outcome(run), alone) == []


def test_torchrun_starts_a_run_again_whose_process_was_killed(demo_file, tmp_path, alone):
    run, support = tmp_path / "run", Path(__file__).parents[1] / "support"
    command = ["--standalone", "--nproc-per-node", 2, "--max-restarts", 1, "killed_rank.py"]
    started = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *map(str, command)]
        + [str(word) for word in train(run, demo_file)],
        cwd=support,
        capture_output=True,
        text=True,
    )
    assert started.returncode == 0, started.stderr
    assert started.stdout.count("success rate") == 1
    assert "SIGKILL" in started.stderr or "-9" in started.stderr
    assert differences(outcome(run), alone) == []


def test_a_signal_to_one_process_stops_all_of_them_where_the_run_is_saved(
    warm, demo_file, tmp_path, alone
):
    run, log = tmp_path / "run", tmp_path / "log"
    update = {"place": "headstart.agents.ddpg:DDPG.update", "when": "before"}
    # torchrun passes on what processes get from elsewhere too.
    stop = [Moment(**update, count=count, number=signal.SIGTERM) for count in (4, 5)]
    assert together(warm, 2, *train(run, demo_file), log=log, moments={1: stop}) == [130, 130]
    assert "headstart: interrupted; saved at 210 env steps; continue with" in log.read_text()
    assert log_of(log, 1).read_text() == ""
    # One process goes on with what two have begun.
    assert warm("resume", run, "--collectors", 0, log=log) == 0
    assert differences(outcome(run), alone) == []


@pytest.mark.parametrize(
    ("differently", "said"),
    [
        (["--seed", "11"], "process 1 differs from process 0: seed is 11 there and 10 here"),
        (["--demos.num-episodes", "2"], "demos.num_episodes is 2 there and None here"),
        (["--demos", "OTHER"], "number of demonstrations is 6 there and 3 here"),
        (["--learner.shards", "2"], "learner.shards is 2 there and 4 here"),
    ],
)
def test_processes_that_are_not_asked_for_the_same_are_named_before_the_first_step(
    warm, demo_file, tmp_path, differently, said
):
    run, log = tmp_path / "run", tmp_path / "log"
    more = [demo_file if word == "OTHER" else word for word in differently]
    codes = together(warm, 2, *train(run, demo_file), log=log, differently={1: more})
    assert codes == [2, 2]
    (line,) = log.read_text().splitlines()[-1:]
    assert line.startswith("headstart: process 1 differs from process 0: ")
    assert said in line
    assert log_of(log, 1).read_text() == ""
    assert not run.exists()


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (3, "3 processes cannot share learner.shards 4: it must be a multiple of 3"),
        (2, "already holds files; choose another --out"),
    ],
)
def test_what_is_refused_is_said_once(warm, demo_file, tmp_path, size, said):
    run, log = tmp_path / "run", tmp_path / "log"
    (run / "something").mkdir(parents=True)
    assert together(warm, size, *train(run, demo_file), log=log) == [2] * size
    assert said in log.read_text()
    assert [log_of(log, rank).read_text() for rank in range(1, size)] == [""] * (size - 1)


def test_processes_need_a_run_directory_and_are_not_steered(warm, demo_file, tmp_path):
    log = tmp_path / "log"
    assert together(warm, 1, "train", POINT, log=log) == [2]
    assert together(warm, 1, *train(tmp_path / "run", demo_file, "--steer"), log=log) == [2]
    told = log.read_text().splitlines()
    assert "under torchrun all processes need the directory of the run, --out DIR" in told[0]
    assert "--steer is for one process" in told[1]


@pytest.fixture(scope="module")
def apart(warm, demo_file, tmp_path_factory):
    """The run directory of two processes with a replay each."""
    directory = tmp_path_factory.mktemp("apart") / "run"
    log = directory.with_suffix(".log")
    assert together(warm, 2, *train(directory, demo_file, *PER_PROCESS), log=log) == [0, 0]
    return directory


def test_processes_with_a_replay_each_store_every_episode_once(apart, alone):
    saved = newest_run(apart)
    first, second = (json.loads(saved.files[name]) for name in ("state.json", "0001-own.json"))
    episodes = first["trainer"]["progress"]["episodes"]
    assert first["replay"]["num_added"] + second["replay"]["num_added"] == episodes > 2
    assert first["streams"]["replay"] != second["streams"]["replay"]
    rows = [part["rows"] for part in map(safetensors.numpy.load, saved.parts.values())]
    starts = {row.tobytes() for part in rows for row in part[:1]}
    assert len(starts) == len(rows)
    # Two episodes a cycle for each, and as many updates as one process makes of its own two.
    assert episodes - 3 == 4 * first["trainer"]["progress"]["updates"] // 3
    assert read_record(apart).config.learner.processes == 2


@pytest.mark.parametrize("struck", [0, 1])
def test_processes_with_a_replay_each_go_on_from_what_the_first_has_saved(
    warm, demo_file, tmp_path, apart, struck
):
    run, log = tmp_path / "run", tmp_path / "log"
    command = train(run, demo_file, *PER_PROCESS)
    kill = Moment(place="headstart.agents.ddpg:DDPG.update", when="before", count=5)
    codes = together(warm, 2, *command, log=log, moments={struck: [kill]})
    assert codes[struck] == -signal.SIGKILL
    assert together(warm, 2, *command, log=log, restarts=1) == [0, 0]
    assert differences(outcome(run), outcome(apart)) == []
    own = [newest_run(each).files["0001-own.json"] for each in (run, apart)]
    assert own[0] == own[1]


def test_a_run_of_two_processes_with_a_replay_each_is_not_that_of_another_number(
    warm, tmp_path, apart
):
    log = tmp_path / "log"
    assert warm("resume", apart, "--env-steps", 300, "--collectors", 0, log=log) == 2
    assert "the run is that of 2 processes, each with its own replay" in log.read_text()


def test_processes_that_begin_with_other_networks_do_not_go_on(
    warm, demo_file, tmp_path, apart, alone
):
    policies = (outcome(apart)["latest.safetensors"], alone["latest.safetensors"])
    for rank, policy in enumerate(policies):
        (tmp_path / str(rank)).mkdir()
        (tmp_path / str(rank) / "policy.safetensors").write_bytes(policy)
    command = train(tmp_path / "run", demo_file, "--init-policy", "policy.safetensors")
    places = {rank: tmp_path / str(rank) for rank in range(2)}
    log = tmp_path / "log"
    assert together(warm, 2, *command, log=log, places=places) == [1, 1]
    assert "process 1 holds other networks than process 0" in log.read_text()
