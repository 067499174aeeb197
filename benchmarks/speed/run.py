"""Measures everything in one run and prints a table; ``python -m benchmarks.speed --help``."""

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

DESCRIPTION = """\
Training speed of headstart beside Stable-Baselines3 and beside the arithmetic alone, on
FetchPickAndPlace-v4 with networks of 3 x 256, batches of 256 and one update per env step.

"floor" is the matrix products of one update, or the 20 mj_step of one env step, and nothing else.
"x SB3" is ours over theirs at their better number of torch threads, "x floor" the share of the
floor; for training the floor is products and simulator steps one after the other on one core.
Ours and theirs run by turns, in reverse order every second round.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = _parse(arguments)
    if find_spec("stable_baselines3") is None:
        sys.exit('stable-baselines3 is not installed; run `pip install -e ".[dev]"`')
    from benchmarks.speed.cases import all_cases
    from benchmarks.speed.report import Report, conditions, settings

    threads = sorted({1, torch.get_num_threads()})
    before = conditions()
    _announce(before)
    cases = all_cases(threads)
    rounds = []
    for index in range(options.rounds):
        order = cases if index % 2 == 0 else cases[::-1]
        rounds.append(_measure(order, options.seconds, f"round {index + 1}/{options.rounds}"))
    report = Report(cases, rounds)
    print(report.text())
    if options.out is not None:
        command = f"python -m benchmarks.speed --seconds {options.seconds:g}"
        command += f" --rounds {options.rounds} --out {options.out}"
        after = conditions()["load_average"]
        context = {"command": command, "machine": before, "load_average_after": after}
        content = {**context, "settings": settings(), **report.json()}
        options.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _measure(cases: Sequence[Any], seconds: float, title: str) -> dict[str, float]:
    values = {}
    for number, case in enumerate(cases, start=1):
        values[case.key] = case.measure(seconds=case.share * seconds)
        print(
            f"{title}, {number}/{len(cases)}: {case.key}: {values[case.key]:.1f}", file=sys.stderr
        )
        gc.collect()
    return values


def _announce(machine: dict[str, Any]) -> None:
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    print(
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}\n{versions}"
    )
    if machine["load_average"] > 0.5:
        print(
            f"warning: the load average is {machine['load_average']:.1f}, something else is "
            f"running; these figures will not be reliable",
            file=sys.stderr,
        )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=float, default=15.0, help="of each training loop; 1/4 of it else (15)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often to measure all (3)")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds must be at least 1 and --seconds positive")
    if options.out is not None and not options.out.parent.is_dir():
        parser.error(f"--out {options.out}: there is no directory {options.out.parent}")
    return options
