"""How long ``headstart train`` takes until it learns: from the command to the first update.

    python benchmarks/start.py

Each start is a process of its own, warm and cold by turns. Cold is without compiled bytecode, as
after an installation that compiles none. What is measured is the processor time of the learner,
which does not depend on what else the machine does, and the wall clock, which does.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from machine import machine

RESULTS = Path(__file__).parent / "results" / "start.json"
CASES = {
    "FetchPickAndPlace-v4, 100 demonstrations": ("FetchPickAndPlace-v4", 100),
    "FetchReach-v4, no demonstrations": ("FetchReach-v4", 0),
    "PointReach-v0, no demonstrations": ("PointReach-v0", 0),
}
MOMENTS = ("first env step", "first update")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold-rounds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--child", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child)
        return
    with tempfile.TemporaryDirectory() as directory:
        found = measure(Path(directory), arguments.rounds, arguments.cold_rounds)
    result = {
        "command": " ".join(["python benchmarks/start.py", *sys.argv[1:]]),
        "machine": {**machine(), "load_average": os.getloadavg()[0]},
        "versions": {name: version(name) for name in ("torch", "numpy", "gymnasium", "mujoco")},
        "starts": found,
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def measure(directory: Path, rounds: int, cold_rounds: int) -> dict[str, Any]:
    """Return for each case and kind of start the rounds of each moment, and their medians."""
    demos = directory / "demos.npz"
    options = ["--episodes", "100", "--out", str(demos)]
    collect = ["-m", "headstart", "demos", "collect", "FetchPickAndPlace-v4", *options]
    subprocess.run([sys.executable, *collect], check=True)
    starts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for number in range(rounds):
        for name, (env_id, num_demos) in CASES.items():
            command = [env_id, *(["--demos", str(demos)] if num_demos else [])]
            starts.setdefault((name, "warm"), []).append(start(command, directory / "run", None))
            if number < cold_rounds:
                with tempfile.TemporaryDirectory() as cache:
                    cold = start(command, directory / "run", cache)
                starts.setdefault((name, "cold"), []).append(cold)
    return {f"{name} | {kind}": summary(rows) for (name, kind), rows in starts.items()}


def start(command: list[str], out: Path, cache: str | None) -> dict[str, Any]:
    """Return seconds, of the processor and by the clock, of one start until each moment."""
    out = out.with_name(f"run-{time.monotonic_ns()}")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "STARTED": repr(time.time())}
    if cache is not None:
        environment["PYTHONPYCACHEPREFIX"] = cache
    run = [sys.executable, __file__, "--child", *command, "--out", str(out)]
    # Options of the child would be taken for options of the benchmark.
    run[3:] = [word.replace("--", "@", 1) for word in run[3:]]
    finished = subprocess.run(
        run, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    moments: dict[str, Any] = json.loads(finished.stdout)
    return moments


def child(words: list[str]) -> None:
    """Train until the first update, print when each moment was, and end."""
    from headstart.cli.main import main as headstart

    moments: dict[str, dict[str, float]] = {}
    _note_moments(moments)
    headstart(["train", *(word.replace("@", "--", 1) for word in words)])


def _note_moments(moments: dict[str, dict[str, float]]) -> None:
    """Have the moments noted; the classes are looked up where ``train`` has imported them."""
    import headstart.cli.train as verb

    explain = verb.explain_failure

    def wrap_and_explain(out: Path) -> Any:
        from headstart.training import trainer

        run = trainer.Trainer.run

        def note_and_run(self: Any) -> Any:
            # Only now: what is decided before a run makes updates of its own.
            _wrap(trainer, moments)
            return run(self)

        trainer.Trainer.run = note_and_run
        return explain(out)

    verb.explain_failure = wrap_and_explain


def _wrap(trainer: Any, moments: dict[str, dict[str, float]]) -> None:
    begin = trainer.Rollouts.begin

    def begin_and_note(self: Any, *given: Any) -> Any:
        moments.setdefault(MOMENTS[0], _now())
        return begin(self, *given)

    trainer.Rollouts.begin = begin_and_note
    for name in ("clone", "update_critics", "update"):
        setattr(trainer.DDPG, name, _ending(getattr(trainer.DDPG, name), moments))


def _ending(function: Any, moments: dict[str, dict[str, float]]) -> Any:
    def call(*given: Any) -> None:
        function(*given)
        moments[MOMENTS[1]] = _now()
        print(json.dumps(moments), flush=True)
        os._exit(0)

    return call


def _now() -> dict[str, float]:
    return {"cpu": time.process_time(), "wall": time.time() - float(os.environ["STARTED"])}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return medians of each moment's seconds, and all rounds."""
    medians = {
        moment: {kind: statistics.median(row[moment][kind] for row in rows) for kind in of}
        for moment, of in rows[0].items()
    }
    return {"medians": medians, "rounds": rows}


if __name__ == "__main__":
    main()
