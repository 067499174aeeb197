"""``headstart doctor`` as a user runs it, on this machine as it is and with real faults."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import wait_until

COMMAND = [sys.executable, "-m", "headstart", "doctor"]


def doctor(*options, cwd, **variables):
    """Run the command; a variable that is ``None`` is not set."""
    environment = {**os.environ, "PYTHONSAFEPATH": "1", **variables}
    return subprocess.run(
        [*COMMAND, *options],
        cwd=cwd,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
    )


def checks_of(run):
    """Return what ``--json`` says of each thing, by its name."""
    return {check["name"]: check for check in json.loads(run.stdout)["checks"]}


def install(directory, name, version, *requirements):
    """Write what pip writes about a package, and no package; return where PYTHONPATH finds it."""
    metadata = directory / f"{name}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements)
    metadata.write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{needs}")
    return directory


@pytest.fixture(scope="session")
def healthy(tmp_path_factory):
    """A run with nothing wrong, and with less in the environment than any shell sets."""
    return doctor(cwd=tmp_path_factory.mktemp("healthy"), PATH="", HOME=None)


@pytest.fixture(scope="session")
def ill(tmp_path_factory):
    """A run on a machine with many faults, none of which hides another."""
    directory, place = tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("ill")
    needs = ("numpy>=99", "mujoco>=3.8.1,<3.12", "absent>=2", "broken", "hurt", "rich>=13")
    install(directory, "headstart", "0.0.1", *needs)
    install(directory, "mujoco", "3.12.0")
    install(directory, "broken", "1.0")
    (directory / "broken.py").write_text("import nothing_of_that_name")
    (directory / "hurt-1.0.dist-info").mkdir()
    (place / "mujoco.py").touch()
    return doctor(
        "--json",
        cwd=place,
        PYTHONPATH=str(directory),
        PYTHONSAFEPATH=None,
        MUJOCO_GL="nonsense",
        PYOPENGL_PLATFORM=None,
        IMAGEIO_FFMPEG_EXE="/bin/false",
        TMPDIR="/nonexistent",
    )


@pytest.mark.slow
def test_a_machine_that_runs_these_tests_is_ready(healthy):
    *lines, verdict = healthy.stdout.splitlines()
    assert healthy.returncode == 0, healthy.stdout
    assert verdict.startswith("ready")
    assert healthy.stderr == ""
    assert not [line for line in lines if line.startswith("problem")]


def test_all_that_is_promised_is_looked_at(healthy):
    names = {line[9:29].strip() for line in healthy.stdout.splitlines()[:-1]}
    promised = (
        "python headstart gymnasium gymnasium-robotics mujoco numpy torch threads gpu simulator "
        "opengl ffmpeg bfloat16 cores memory temporary_files directory file_locks disk"
    )
    assert {name.replace("_", " ") for name in promised.split()} <= names


@pytest.mark.slow
def test_problems_exit_with_1_and_json_is_one_object_all_the_same(ill):
    assert ill.returncode == 1
    assert ill.stderr == ""
    report = json.loads(ill.stdout)
    assert report["ready"] is False
    problems = {check["name"] for check in report["checks"] if check["status"] == "problem"}
    assert problems == {"numpy", "mujoco", "absent", "broken", "hurt", "simulator", "directory"}


@pytest.mark.parametrize(
    ("name", "status", "found", "repair"),
    [
        ("headstart", "advice", "but installed as 0.0.1", "run `pip install --editable .`"),
        ("mujoco", "problem", "3.12.0; headstart needs", 'run `pip install "mujoco>=3.8.1,<3.12"`'),
        ("mujoco", "problem", "gymnasium-robotics 1.4.2 cannot build", "run `pip install"),
        ("numpy", "problem", "; headstart needs >=99", 'run `pip install "numpy>=99"`'),
        ("absent", "problem", "not installed; headstart needs >=2", "run `pip install"),
        ("broken", "problem", "No module named 'nothing_of_that_name'", "run `pip install"),
        ("hurt", "problem", "damaged, its version cannot be read", "--force-reinstall"),
        ("simulator", "problem", "environment variable MUJOCO_GL", "run `unset MUJOCO_GL`"),
        ("opengl", "advice", "not tried without a simulator", "repair the simulator first"),
        ("ffmpeg", "advice", "'/bin/false'", "run `unset IMAGEIO_FFMPEG_EXE`"),
        ("temporary files", "advice", "TMPDIR=/nonexistent", "run `export TMPDIR="),
        ("directory", "problem", "collectors would take mujoco.py", "rename them"),
    ],
)
def test_each_fault_is_named_with_how_to_repair_it(name, status, found, repair, ill):
    check = checks_of(ill)[name]
    assert check["status"] == status
    assert found in check["found"]
    assert repair in check["repair"]


def test_what_is_fine_stays_fine_among_faults(ill):
    checks = checks_of(ill)
    assert {checks[name]["status"] for name in ("python", "rich", "disk")} == {"ok"}


@pytest.fixture
def gone(tmp_path):
    """A command line that deletes the directory that it works in, and runs the command there."""
    script = 'rm -r "$PWD" && exec "$@"'
    (tmp_path / "gone").mkdir()
    return ["sh", "-c", script, "sh", sys.executable, "-P", *COMMAND[1:]], tmp_path / "gone"


def test_in_a_deleted_directory_nothing_else_is_blamed(gone):
    command, place = gone
    run = subprocess.run([*command, "--json"], cwd=place, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (1, "")
    (check,) = json.loads(run.stdout)["checks"]
    assert (check["name"], check["status"]) == ("directory", "problem")
    assert check["found"] == f"{place} has been deleted"


def test_a_narrow_terminal_breaks_lines_but_not_what_is_to_be_typed(gone):
    command, place = gone
    output, terminal = pty.openpty()
    environment = {**os.environ, "COLUMNS": "20"}
    run = subprocess.run(command, cwd=place, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    lines = os.read(output, 10_000).decode().splitlines()
    os.close(output)
    assert run.returncode == 1
    assert lines[0] == "problem  directory"
    assert lines[-3:] == [
        "  has been deleted",
        "  go to a directory that is there with `cd`, and run this again",
        "not ready: 1 problem (directory)",
    ]


def test_an_interrupt_ends_it_at_once_with_all_it_started(tmp_path):
    install(tmp_path, "headstart", "0.1.0", "hanging")
    note = tmp_path / "pid"
    (tmp_path / "hanging.py").write_text(
        f"import os, pathlib, time\n"
        f"pathlib.Path({str(tmp_path)!r}, 'pid.tmp').write_text(str(os.getpid()))\n"
        f"os.rename({f'{note}.tmp'!r}, {str(note)!r})\n"
        f"time.sleep(3600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen(
        COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_until(lambda: note.exists() or process.poll() is not None)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate()
    assert (process.returncode, printed) == (130, b"headstart: interrupted\n")
    wait_until(lambda: not is_running(int(note.read_text())))


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_reader_that_has_seen_enough_is_not_an_error(tmp_path):
    install(tmp_path, "headstart", "0.1.0")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen(
        COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline().startswith(b"ok       python")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
