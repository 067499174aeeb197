"""SIGINT and SIGTERM end a run where it can be resumed from; a second one ends it at once."""

import os
import re
import shlex
import signal
from pathlib import Path

import pytest
from envs.faulty import tokens
from kill_at import Moment
from killed_runs import SETTINGS, command_for
from outcomes import differences, find_damage, outcome
from waiting import wait_until

from headstart.runs.checkpoint_files import newest_run

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/task"), reason="forks, and reads /proc"
)

DDPG = "headstart.agents.ddpg:DDPG"
TRAINING = "headstart.training"
INT, TERM = signal.SIGINT, signal.SIGTERM
MOMENTS = {
    "cloning": (f"{DDPG}.clone", "before", 30, INT),
    "teaching the critics": (f"{DDPG}.update_critics", "after", 20, TERM),
    "learning": (f"{DDPG}.update", "before", 9, TERM),
    "evaluating": (f"{TRAINING}.trainer:each_trial", "before", 2, INT),
    "writing a checkpoint": ("pathlib:Path.write_bytes", "during", 26, TERM),
}
FAULTY_SETTINGS = [
    *("--env-steps", "300", "--batch-size", "16", "--agent.hidden-sizes", "16", "--seed", "4"),
    *("--warm-start.episodes", "2", "--warm-start.critic-updates", "10", "--cycle.updates", "4"),
    *("--cycle.episodes", "2", "--evaluation.every", "100", "--evaluation.episodes", "2"),
    *("--checkpoint.seconds", "0"),
]


def resume_as_printed(warm, printed, log):
    """Type in the command that an interrupted run names in its last line."""
    command = shlex.split(printed.splitlines()[-1].rpartition("with: ")[2])
    assert command[:2] == ["headstart", "resume"]
    return warm(*command[1:], "--collectors", 0, log=log)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_stopped_says_how_to_continue_and_then_ends_the_same(
    warm, demo_file, tmp_path, undisturbed, moment
):
    run, log = tmp_path / "run", tmp_path / "log"
    place, when, count, number = MOMENTS[moment]
    stop = Moment(place=place, when=when, count=count, number=number)
    assert warm(*command_for(run, demo_file), log=log, moments=[stop]) == 130
    printed = log.read_text()
    assert "stopping as soon as it can be resumed; again to quit at once" in printed
    assert re.fullmatch(
        r"headstart: interrupted; saved at \d+ env steps; continue with: headstart resume \S+/run",
        printed.splitlines()[-1],
    )
    assert "Traceback" not in printed
    assert find_damage(run) == []
    assert resume_as_printed(warm, printed, log) == 0
    assert differences(outcome(run), undisturbed) == []


def test_what_was_learned_until_the_signal_is_saved_by_it(warm, demo_file, tmp_path):
    run, log = tmp_path / "run", tmp_path / "log"
    settings = [*SETTINGS[:-1], "1e9"]
    command = command_for(run, demo_file, settings=settings)
    stop = Moment(place=f"{DDPG}.update", when="after", count=9, number=TERM)
    assert warm(*command, log=log, moments=[stop]) == 130
    # The third cycle was at its first update; it was finished.
    assert "saved at 240 env steps" in log.read_text()
    assert newest_run(run).rows == (run / "metrics.jsonl").read_bytes() != b""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second"), [(INT, INT), (TERM, INT)], ids=["SIGINT", "SIGTERM first"]
)
def test_a_second_signal_ends_the_run_at_once(
    warm, demo_file, tmp_path, undisturbed, first, second
):
    run, log, too_late = tmp_path / "run", tmp_path / "log", tmp_path / "too late"
    clone = {"place": f"{DDPG}.clone", "when": "before"}
    moments = [
        Moment(**clone, count=60, number=first),
        Moment(**clone, count=70, number=second),
        Moment(**clone, count=71, deed=("os:mkdir", [str(too_late)])),
    ]
    assert warm(*command_for(run, demo_file), log=log, moments=moments) == 130
    assert not too_late.exists()
    printed = log.read_text()
    last = f"interrupted; from the last checkpoint, continue with: headstart resume {run}"
    assert printed.splitlines()[-1] == f"headstart: {last}"
    assert "Traceback" not in printed
    assert resume_as_printed(warm, printed, log) == 0
    assert differences(outcome(run), undisturbed) == []


@pytest.mark.slow
def test_a_command_that_is_started_to_ignore_ctrl_c_ignores_it(
    warm, demo_file, tmp_path, undisturbed
):
    run, log = tmp_path / "run", tmp_path / "log"
    update = {"place": f"{DDPG}.update", "when": "before"}
    stop = Moment(**update, count=12, number=TERM)
    moments = [*(Moment(**update, count=count, number=INT) for count in (2, 4)), stop]
    assert warm(*command_for(run, demo_file), log=log, moments=moments, ignored=[INT]) == 130
    printed = log.read_text()
    assert printed.count("stopping as soon as") == 1
    assert "saved at 240 env steps" in printed
    assert resume_as_printed(warm, printed, log) == 0
    assert differences(outcome(run), undisturbed) == []


def processes_with(text):
    """The processes that were started with a text in their environment, as collectors are."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


class Hanging:
    """A run whose environment hangs from a moment on, here or in a collector."""

    def __init__(self, warm, directory, collectors):
        self.directory, self.log = directory / "run", directory / "log"
        self.tokens = tokens(directory / "tokens", 0)
        self.env_id = f"envs.faulty:Faulty-v0,kind=hang,tokens={self.tokens}"
        # What is asked for then hangs, and is waited for in the next cycle, evaluated or not.
        deeds = {
            "_ask": ("os:mknod", self.tokens / "0"),
            "_store": ("os:mkdir", directory / "due"),
        }
        self.process = warm.start(
            *("train", self.env_id, "--out", self.directory, "--collectors", collectors),
            *FAULTY_SETTINGS,
            log=self.log,
            environment={"RUN_OF_THIS_TEST": str(self.tokens)},
            moments=[
                Moment(
                    place=f"{TRAINING}.trainer:Trainer.{name}",
                    when="before",
                    count=4,
                    deed=(function, [str(path)]),
                )
                for name, (function, path) in deeds.items()
            ],
        )
        wait_until(lambda: (directory / "due").exists() and not list(self.tokens.iterdir()))

    def printed(self):
        return self.log.read_text() if self.log.exists() else ""

    def signal(self, number):
        os.kill(self.process, number)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "collectors"), [(INT, 0), (TERM, 2)], ids=["SIGINT", "SIGTERM and collectors"]
)
def test_a_second_signal_ends_a_run_that_hangs_and_its_collectors(
    warm, tmp_path, number, collectors
):
    run = Hanging(warm, tmp_path, collectors)
    assert len(processes_with(str(run.tokens))) == collectors
    run.signal(number)
    wait_until(lambda: "stopping as soon as" in run.printed())
    run.signal(number)
    # It hangs for an hour, which is longer than a test may take.
    assert warm.wait(run.process) == 130
    assert processes_with(str(run.tokens)) == []
    assert "Traceback" not in run.printed()
    assert find_damage(run.directory) == []
    command = ["resume", run.directory, "--env", run.env_id, "--collectors", 0]
    assert warm(*command, log=run.log) == 0


def test_a_collector_that_hangs_ends_with_a_run_that_is_killed(warm, tmp_path):
    run = Hanging(warm, tmp_path, collectors=1)
    run.signal(signal.SIGKILL)
    assert warm.wait(run.process) == -signal.SIGKILL
    wait_until(lambda: processes_with(str(run.tokens)) == [])
