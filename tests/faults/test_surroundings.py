"""Another process, a clock that jumps, and a terminal that is narrow, dumb, closed or gone."""

import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest
from builders import is_one_line
from kill_at import Moment
from killed_runs import command_for, output_of
from outcomes import differences, outcome
from waiting import wait_until

import headstart

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

UPDATE = "headstart.agents.ddpg:DDPG.update"


def at_the_start(function, *arguments):
    """Have a function called before the run begins."""
    place = "headstart.runs.audience:TrainingDisplay"
    return Moment(place=place, when="before", count=1, deed=(function, list(arguments)))


def test_a_second_process_on_a_run_is_refused_until_the_first_is_dead(
    warm, demo_file, tmp_path, undisturbed
):
    run, log, refused = tmp_path / "run", tmp_path / "log", tmp_path / "refused"
    hang = Moment(place=UPDATE, when="after", count=6, deed=("time:sleep", [3600]))
    flag = Moment(place=UPDATE, when="after", count=6, deed=("os:mkdir", [str(tmp_path / "there")]))
    first = warm.start(*command_for(run, demo_file), log=log, moments=[flag, hang])
    wait_until((tmp_path / "there").exists)
    before = (run / "metrics.jsonl").read_bytes()
    assert warm("resume", run, "--collectors", 0, log=refused) == 2
    message = output_of(refused).rstrip("\n")
    assert is_one_line(message)
    assert f"process {first} is working on this run; stop it first" in message
    assert (run / "metrics.jsonl").read_bytes() == before
    os.kill(first, signal.SIGKILL)
    assert warm.wait(first) == -signal.SIGKILL
    assert warm(*command_for(run, demo_file), log=log) == 0
    assert differences(outcome(run), undisturbed) == []


def test_a_clock_that_jumps_changes_nothing(warm, demo_file, tmp_path, undisturbed):
    run, log = tmp_path / "run", tmp_path / "log"
    jumping = at_the_start("unreliable:jump")
    stop = Moment(place=UPDATE, when="after", count=9, number=signal.SIGTERM)
    assert warm(*command_for(run, demo_file), log=log, moments=[jumping, stop]) == 130
    assert warm(*command_for(run, demo_file), log=log, moments=[jumping]) == 0
    output_of(log)
    assert differences(outcome(run), undisturbed) == []


def test_durations_are_never_taken_from_the_wall_clock():
    source = Path(headstart.__file__).parent
    clock = re.compile(r"\btime\.time\b|\bdatetime\.(now|today|utcnow)\b|from time import")
    files = [path for path in source.rglob("*.py") if clock.search(path.read_text())]
    users = {str(path.relative_to(source)) for path in files}
    # It says when something was written, which nothing is computed from.
    assert users == {"runs/tensorboard_file.py", "web/teleop/takes.py"}


@pytest.mark.slow
def test_standard_output_and_error_may_be_closed(warm, demo_file, tmp_path, undisturbed):
    run = tmp_path / "run"
    stop = Moment(place=UPDATE, when="after", count=9, number=signal.SIGTERM)
    assert warm(*command_for(run, demo_file), log=None, moments=[stop]) == 130
    assert warm(*command_for(run, demo_file, collectors=1), log=None) == 0
    assert differences(outcome(run), undisturbed) == []


@pytest.mark.slow
def test_the_real_command_runs_on_when_nobody_reads_it(demo_file, tmp_path, undisturbed):
    run = tmp_path / "run"
    code = f"; echo $? > {tmp_path}/code; }} 2>&1 | head -1"
    command = shlex.join([sys.executable, "-m", "headstart"])
    arguments = shlex.join(map(str, command_for(run, demo_file)))
    ended = subprocess.run(
        ["sh", "-c", f"{{ {command} {arguments} {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == f"run directory: {run}\n"
    assert ended.stderr == ""
    assert (tmp_path / "code").read_text() == "0\n"
    assert differences(outcome(run), undisturbed) == []


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("stream", ["1", "2"])
def test_results_that_cannot_be_written_are_reported_after_the_run(
    warm, demo_file, tmp_path, undisturbed, stream
):
    run, log = tmp_path / "run", tmp_path / "log"
    full = at_the_start("unreliable:send_to_full_disk", int(stream))
    code = warm(*command_for(run, demo_file), log=log, moments=[full])
    assert code == (1 if stream == "1" else 0)
    printed = output_of(log)
    if stream == "1":
        last = printed.splitlines()[-1]
        assert last == "headstart: standard output cannot be written (No space left on device)"
    assert differences(outcome(run), undisturbed) == []


class Terminal:
    """A terminal of so many columns, and what is shown on it."""

    def __init__(self, columns):
        self._screen, self._keyboard = pty.openpty()
        fcntl.ioctl(self._keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.path, self._shown = os.ttyname(self._keyboard), []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def shown(self):
        """Return what was shown until now, and close."""
        os.close(self._keyboard)
        self._reader.join()
        return b"".join(self._shown).decode()

    def _read(self):
        while True:
            try:
                self._shown.append(os.read(self._screen, 4096))
            except OSError:
                return


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xterm-256color", "dumb"])
def test_a_terminal_may_be_narrow_or_dumb(warm, demo_file, tmp_path, kind):
    run, terminal = tmp_path / "run", Terminal(columns=20)
    stop = Moment(place=UPDATE, when="after", count=18, number=signal.SIGTERM)
    environment = {"TERM": kind, "COLUMNS": ""}
    command = command_for(run, demo_file)
    code = warm(*command, log=terminal.path, moments=[stop], environment=environment)
    shown = terminal.shown()
    assert code == 130, shown
    assert "Traceback" not in shown
    # In one piece, for anyone who wants to copy it.
    assert f"continue with: headstart resume {run}" in shown
    assert ("\x1b[?25l" in shown) == (kind != "dumb")
    # What hid the cursor shows it again.
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")


@pytest.mark.slow
def test_metrics_of_tensorboard_may_fail_from_the_start_and_on_the_way(
    warm, demo_file, tmp_path, undisturbed
):
    run, log = tmp_path / "run", tmp_path / "log"
    where = str(run / "tensorboard")
    deeds = [("os:mknod", [where]), ("shutil:rmtree", [where])]
    moments = [Moment(place=UPDATE, when="before", count=2, deed=deed) for deed in deeds]
    stop = Moment(place=UPDATE, when="after", count=12, number=signal.SIGTERM)
    assert warm(*command_for(run, demo_file), log=log, moments=[*moments, stop]) == 130
    assert warm(*command_for(run, demo_file), log=log) == 0
    # Once for each of the two starts.
    assert output_of(log).count("cannot be written (") == 2
    assert Path(where).is_file()
    assert differences(outcome(run), undisturbed) == []
