"""Questions to another process, which answers whatever becomes of it."""

import os
from pathlib import Path

import pytest
from waiting import TIMEOUTS, wait_until

from headstart.doctor.child import Answer, ask, unset_advice

FINE = {"module": "fine", "error": None}


@pytest.fixture
def import_them(tmp_path, monkeypatch):
    """Write modules, and ask what becomes of a process that imports them."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "fine.py").touch()

    def ask_for(seconds=30.0, **sources):
        for name, source in sources.items():
            (tmp_path / f"{name}.py").write_text(source)
        return ask("imports", "fine", *sources, seconds=seconds)

    return ask_for


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("import sys; sys.exit('no\\nlicence')", "SystemExit: no licence (broken.py, line 1)"),
        ("\n1 / 0", "ZeroDivisionError: division by zero (broken.py, line 2)"),
        ("raise BaseException", "BaseException (broken.py, line 1)"),
        ("raise OSError(28, 'No space left')", "OSError: [Errno 28] No space left"),
    ],
)
def test_what_is_raised_is_reported_in_a_line(source, error, import_them):
    answer = import_them(broken=source)
    assert answer.error is None
    assert answer.facts[0] == FINE
    assert answer.facts[1]["error"].endswith(error)


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import os; os.abort()", "its process was killed (Aborted)"),
        (
            "import os; os.write(2, b'one\\n\\xff\\x1b[2J two\\n\\n'); os._exit(3)",
            "its process ended with exit code 3: \ufffd?[2J two",
        ),
    ],
)
def test_what_was_reported_before_the_process_died_is_kept(source, error, import_them):
    assert import_them(deadly=source) == Answer([FINE], error)


def test_noise_is_not_an_answer(import_them):
    answer = import_them(
        noisy="import os; print('[]'); os.write(1, b'[1, 2]'); os.system('echo 3')"
    )
    assert answer == Answer([FINE, {"module": "noisy", "error": None}], None)


@pytest.mark.slow
def test_what_hangs_is_killed_with_all_it_started(import_them, tmp_path):
    source = "import subprocess, sys; p = subprocess.Popen(['sleep', '3600']); print(p.pid, file="
    note = tmp_path / "pid"
    source = f"{source}open({str(note)!r}, 'w'), flush=True); p.wait()"
    for seconds in TIMEOUTS:
        answer = import_them(seconds=seconds, hanging=source)
        # A slow machine may not come as far as that.
        if note.exists():
            break
    assert answer == Answer([FINE], f"no answer within {seconds:g} s")
    # It has been killed, but may take a moment to go.
    wait_until(lambda: not is_alive(int(note.read_text())))


def test_no_file_of_the_current_directory_is_imported(import_them, tmp_path, monkeypatch):
    place = tmp_path / "here"
    place.mkdir()
    (place / "json.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(place)
    source = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import json'], check=True)"
    )
    assert import_them(starting=source).facts[1]["error"] is None


def test_a_variable_is_blamed_only_if_it_is_set_and_all_works_without(import_them, monkeypatch):
    source = "import os; assert 'ODD' not in os.environ"
    monkeypatch.setenv("ODD", "a\x1bb")
    assert "AssertionError" in import_them(odd=source).facts[1]["error"]

    def works(names):
        return ask("imports", "odd", seconds=30.0, unset=names).facts[0]["error"] is None

    advice = "run `unset ODD`: it works without ODD=a?b"
    assert unset_advice(("UNSET", "ODD"), works) == advice
    assert unset_advice(("UNSET",), works) is None
    assert unset_advice(("ODD",), lambda names: False) is None
