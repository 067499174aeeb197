"""Disks that are full, broken or read-only, and directories that vanish: training continues."""

import errno
import os
import re
import shlex
import signal
import subprocess

import pytest
from builders import is_one_line
from kill_at import Moment
from killed_runs import command_for, output_of
from outcomes import differences, find_damage, outcome
from refusals import refusals

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

UPDATE = "headstart.agents.ddpg:DDPG.update"
GROWING = "headstart.runs.growing_file:GrowingFile"
# What is refused, with what, from which call to which, during it or before it. All begin after the
# run has begun and end before it ends.
REFUSED = {
    "full": ("os:fsync", errno.ENOSPC, 40, 48, "before"),
    "over quota": ("pathlib:Path.write_bytes", errno.EDQUOT, 20, 28, "during"),
    "broken": ("os:replace", errno.EIO, 12, 20, "before"),
    "read-only": ("os:mkdir", errno.EROFS, 20, 28, "before"),
    "without rename": ("os:rename", errno.EPERM, 4, 12, "before"),
    "not growing": (f"{GROWING}._write_after", errno.ENOSPC, 1, 2, "before"),
}


@pytest.mark.slow
@pytest.mark.parametrize("refused", REFUSED)
def test_a_disk_that_refuses_for_a_while_changes_nothing_in_the_end(
    warm, demo_file, tmp_path, undisturbed, refused
):
    run, log = tmp_path / "run", tmp_path / "log"
    moments = refusals(*REFUSED[refused])
    assert warm(*command_for(run, demo_file), log=log, moments=moments) == 0
    printed, reason = output_of(log), os.strerror(REFUSED[refused][1])
    begun = re.findall(r"^(\S+).* cannot be written \((.*)\); training continues", printed, re.M)
    # Once each: the checkpoints, the policies, the two files of metrics.
    assert 1 <= len(begun) == len(set(begun)) <= 4
    assert {why for _, why in begun} == {reason}
    assert printed.count("written again") == len(begun)
    assert find_damage(run) == []
    assert differences(outcome(run), undisturbed) == []


@pytest.mark.slow
def test_a_disk_that_refuses_to_the_end_is_reported_and_the_run_can_be_resumed_later(
    warm, demo_file, tmp_path, undisturbed
):
    run, log = tmp_path / "run", tmp_path / "log"
    moments = refusals("os:fsync", errno.ENOSPC, 60, 100_000)
    assert warm(*command_for(run, demo_file), log=log, moments=moments) == 1
    *_, what, what_now = output_of(log).splitlines()
    assert what == (
        f"headstart: {run}/policies: policies could not be written (No space left on device)"
    )
    assert what_now.endswith(f"continue with: headstart resume {run}")
    assert find_damage(run) == []
    assert warm(*command_for(run, demo_file), log=log) == 0
    assert differences(outcome(run), undisturbed) == []


@pytest.mark.slow
@pytest.mark.parametrize("saved", [True, False])
def test_stopping_a_run_says_what_could_not_be_saved(warm, demo_file, tmp_path, undisturbed, saved):
    run, log = tmp_path / "run", tmp_path / "log"
    stop = Moment(place=UPDATE, when="after", count=9, number=signal.SIGINT)
    moments = [*refusals("os:fsync", errno.EDQUOT, 100 if saved else 12, 100_000), stop]
    assert warm(*command_for(run, demo_file), log=log, moments=moments) == 130
    last = output_of(log).splitlines()[-1]
    state = r"not saved now \(%s\), last at \d+ env steps" if saved else r"not saved \(%s\)"
    message = state % re.escape(os.strerror(errno.EDQUOT))
    assert re.search(f"interrupted; {message}; continue with: headstart resume {run}", last), last
    assert warm(*command_for(run, demo_file), log=log) == 0
    assert differences(outcome(run), undisturbed) == []


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"cannot mount a disk here: {error}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("freed", [True, False])
def test_a_disk_that_really_fills_up(warm, demo_file, tmp_path, undisturbed, small_disk, freed):
    run, log, filler = small_disk / "run", tmp_path / "log", str(small_disk / "filler")
    fill = Moment(place=UPDATE, when="after", count=6, deed=("refusals:fill", [filler]))
    free = Moment(place=UPDATE, when="after", count=16, deed=("os:unlink", [filler]))
    moments = [fill, free] if freed else [fill]
    assert warm(*command_for(run, demo_file), log=log, moments=moments) == (0 if freed else 1)
    printed = output_of(log)
    assert printed.count("checkpoints cannot be written (No space left on device)") == 1
    assert find_damage(run) == []
    if not freed:
        assert "policies could not be written (No space left on device)" in printed
        os.unlink(filler)
        assert warm(*command_for(run, demo_file), log=log) == 0
    assert differences(outcome(run), undisturbed) == []


@pytest.mark.slow
def test_a_read_only_disk_is_refused_before_any_work(warm, demo_file, tmp_path, small_disk):
    run, log = small_disk / "run", tmp_path / "log"
    stop = Moment(place=UPDATE, when="after", count=2)
    assert warm(*command_for(run, demo_file), log=log, moments=[stop]) == -signal.SIGKILL
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    for command in (
        command_for(run, demo_file),
        command_for(small_disk / "other", demo_file),
    ):
        log.unlink()
        assert warm(*command, log=log) == 2
        printed = output_of(log)
        assert is_one_line(printed.rstrip("\n"))
        assert "Read-only file system" in printed
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert find_damage(run) == []
    assert warm(*command_for(run, demo_file), log=log) == 0


@pytest.mark.slow
@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_a_directory_that_vanishes_is_written_again(warm, demo_file, tmp_path, undisturbed, how):
    run, moved, log = tmp_path / "run", tmp_path / "moved", tmp_path / "log"
    deeds = {
        "deleted": ("shutil:rmtree", [str(run)]),
        "moved": ("os:rename", [str(run), str(moved)]),
    }
    vanish = Moment(place=UPDATE, when="after", count=6, deed=deeds[how])
    assert warm(*command_for(run, demo_file), log=log, moments=[vanish]) == 0
    assert output_of(log).count(f"{run} was deleted or moved; it is written again") == 1
    assert find_damage(run) == []
    # Of the policies before it, only the best and the latest are still known.
    lost = [name for name in differences(outcome(run), undisturbed) if name[0].isdigit()]
    assert len(lost) == 1
    assert differences(outcome(run), undisturbed) == lost
    if how == "moved":
        assert warm("resume", moved, "--collectors", 0, log=log) == 0
        assert differences(outcome(moved), undisturbed) == []


@pytest.mark.slow
def test_a_run_never_writes_into_another_one_that_took_its_place(
    warm, demo_file, tmp_path, undisturbed
):
    run, other, log = tmp_path / "run", tmp_path / "other", tmp_path / "log"
    assert warm(*command_for(other, demo_file), log=log) == 0
    deeds = [("os:rename", [str(other), str(run)]), ("shutil:rmtree", [str(run)])]
    moments = [Moment(place=UPDATE, when="after", count=6, deed=deed) for deed in deeds]
    before = contents(other)
    # The one that is armed first is done first after the call.
    assert warm(*command_for(run, demo_file), log=log, moments=moments[::-1]) == 1
    assert "another run has taken its place" in output_of(log)
    assert contents(run) == before


def contents(directory):
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["-a 'quoted' $HOME \\ \"name\" ü 🤖", "機" * 85], ids=["odd", "long"]
)
def test_a_run_may_be_called_anything(warm, demo_file, tmp_path, name):
    run, log = tmp_path / name, tmp_path / "log"
    stop = Moment(place=UPDATE, when="after", count=9, number=signal.SIGTERM)
    assert warm(*command_for(run, demo_file), log=log, moments=[stop]) == 130
    command = shlex.split(output_of(log).splitlines()[-1].rpartition("with: ")[2])
    assert command == ["headstart", "resume", str(run)]
    assert warm(*command[1:], "--collectors", 0, "--env-steps", 300, log=log) == 0
    assert find_damage(run) == []


@pytest.mark.parametrize("name", ["n" * 256, "n/" * 2100])
def test_a_name_that_is_too_long_is_refused(warm, tmp_path, name):
    log = tmp_path / "log"
    command = ["train", "PointReach-v0", "--out", f"{tmp_path}/{name}", "--collectors", 0]
    assert warm(*command, log=log) == 2
    assert is_one_line(log.read_text().rstrip("\n"))
    assert "File name too long" in log.read_text()
