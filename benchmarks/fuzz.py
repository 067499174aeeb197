"""Damages files by the thousand and holds every reader to reading or refusing them in one line.

    python benchmarks/fuzz.py --files 10000

Each reader's test in ``tests`` does the work: a crash, a hang, a process or a command that is
started, much memory, or a message of more than one line fails it, and nothing is written here then.
Results are written after each reader; hours in all, of which Minari's, with a process a file, is
the longest.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from machine import machine

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "fuzz.json"
_ONE_LINE = "test_damaged_files_are_read_or_refused_in_one_line"
_CHECKPOINTS = "runs/test_checkpoint_fuzz.py"
_CHECKPOINT = f"{_CHECKPOINTS}::test_a_damaged_checkpoint_is_used_passed_over_or_refused"
_RECORD = "test_a_damaged_record_is_read_or_refused_in_one_line"
READERS = {
    "policies": "test_policy_fuzz.py",
    "demonstrations": "demos/test_storage_fuzz.py",
    "Baselines files": f"demos/test_legacy_fuzz.py::{_ONE_LINE}",
    "arrays of demonstrations": f"demos/test_arrays_fuzz.py::{_ONE_LINE}",
    "Minari datasets": "demos/test_minari_fuzz.py",
    "checkpoints, any file": f"{_CHECKPOINT}[damage_any]",
    "checkpoints, behind the hashes": f"{_CHECKPOINT}[damage_own]",
    "run records": f"{_CHECKPOINTS}::{_RECORD}",
    "runs to plot": "viz/test_runs_fuzz.py",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000, help="damaged files a reader")
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    arguments = parser.parse_args()
    for reader in arguments.readers:
        found = fuzz(READERS[reader], arguments.files)
        content = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"readers": {}}
        content["command"] = f"python benchmarks/fuzz.py --files {arguments.files}"
        content["machine"] = machine()
        content["readers"][reader] = found
        RESULTS.write_text(json.dumps(content, indent=1) + "\n")
        print(f"{reader}: {found}", flush=True)


def fuzz(test: str, files: int) -> dict[str, Any]:
    """Run one test with so many files, and return what it tells."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", f"tests/{test}"],
        cwd=ROOT,
        env={**os.environ, "HEADSTART_FUZZ": str(files)},
        capture_output=True,
        text=True,
    )
    if run.returncode != 0:
        sys.exit(f"{test}:\n{run.stdout}{run.stderr}")
    told = re.search(r"(\d+) damaged files; the slowest took ([\d.]+) s; (\d+) MiB", run.stdout)
    outcomes = re.search(r"outcomes: (.*)", run.stdout)
    assert told is not None, run.stdout
    assert outcomes is not None, run.stdout
    counts = (one.split(" ", 1) for one in outcomes[1].split(", "))
    return {
        "files": int(told[1]),
        "slowest_seconds": float(told[2]),
        "memory_mib": int(told[3]),
        "outcomes": {kind: int(count) for count, kind in counts},
    }


if __name__ == "__main__":
    main()
