"""Runs of a benchmark: trained as a sweep, which the same command continues, then read."""

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from machine import machine

from headstart import DemoSet, Policy, load_policy, save_demos
from headstart.files.atomic import replace_file
from headstart.files.run_files import read_metrics
from headstart.processors import usable_cores
from headstart.runs.record import PACKAGES
from headstart.sweeps.display import SweepDisplay
from headstart.sweeps.local import LocalRuns
from headstart.sweeps.plan import Listed, Plan
from headstart.sweeps.results import Result
from headstart.sweeps.spec import RunSpec
from headstart.sweeps.sweep import run_sweep


def train_all(runs: Path, plan: Plan) -> list[Result]:
    """Train all runs of a plan below a directory, on all cores.

    Raises:
        SystemExit: if one has failed.
    """
    with SweepDisplay() as display:
        results = run_sweep(
            runs, plan, LocalRuns(usable_cores()), retry_failed=True, watcher=display
        )
    failed = [f"{it.spec.name}: {it.state.error}" for it in results if it.state.error]
    if failed:
        raise SystemExit("\n".join(failed))
    return results


def run_cells(
    out: Path,
    runs: Path,
    facts: dict[str, Any],
    cells: Sequence[dict[str, Any]],
    spec_of: Callable[[dict[str, Any]], RunSpec],
    found_of: Callable[[RunSpec, Path], dict[str, Any]],
) -> None:
    """Train and evaluate what is not in the results yet.

    Args:
        out: file of the results.
        runs: directory of the runs.
        facts: what the results begin with.
        cells: what sets each run apart, its seed included.
        spec_of: returns the run of a cell.
        found_of: returns the results of a run and its directory.
    """
    done = stored(out, facts)["runs"]
    open_ = [it for it in cells if not any(it.items() <= row.items() for row in done)]
    plan = Listed(specs=[spec_of(cell) for cell in open_], identity={"benchmark": runs.name})
    for cell, result in zip(open_, train_all(runs, plan), strict=True):
        content = stored(out, facts)
        content["runs"].append({**cell, **found_of(result.spec, runs / result.spec.name)})
        write(out, content)


def stored(out: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the results so far."""
    if out.exists():
        return json.loads(out.read_text())
    versions = {name: version(name) for name in PACKAGES}
    return {**facts, "versions": versions, "machine": machine(), "runs": []}


def cell_name(cell: dict[str, Any]) -> str:
    """Return the name of the run of a cell."""
    return "-".join(map(str, cell.values())).replace(" ", "-").replace(",", "")


def last_policy(directory: Path) -> Policy:
    return load_policy(directory / "policies" / "latest.safetensors")


def demo_file(path: Path, make: Callable[[], DemoSet]) -> str:
    """Return the path of demonstrations, made unless they are there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        save_demos(path, make())
    return str(path.absolute())


def seconds_of(directory: Path) -> float:
    """Return the seconds of a run, evaluations left out."""
    last = read_metrics(directory)[-1]
    return round(last["time/wall_seconds"] - last["time/evaluation_seconds"], 1)


def write(out: Path, content: dict[str, Any]) -> None:
    replace_file(out, (json.dumps(content, indent=1) + "\n").encode())
