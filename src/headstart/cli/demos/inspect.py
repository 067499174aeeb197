"""``headstart demos inspect``."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from headstart.cli.parser import add_force
from headstart.demos.expansion.cost import FOUND
from headstart.demos.inspect import inspect_demos
from headstart.demos.storage import load_demos
from headstart.files.output import PICTURES, check_new_output
from headstart.files.paths import user_path
from headstart.text import counted

DESCRIPTION = """\
Say what a demo file holds, how much of the goal space it covers, and what is wrong with it.

examples:
  headstart demos inspect demos.npz
  headstart demos inspect demos.npz --json --plot demos.png
"""
_TEXT = 80  # characters of a line of text
_COLUMN = 9  # characters of a number in a list
_COLUMNS = 10  # of a line; more numbers continue in the next one


def add_action(actions: Any) -> None:
    """Say what the action takes."""
    inspect = actions.add_parser(
        "inspect", help="counts, success, coverage, action range, problems", description=DESCRIPTION
    )
    inspect.add_argument("file", type=user_path, metavar="FILE", help="a demo file")
    inspect.add_argument("--json", action="store_true", help="print one JSON object")
    inspect.add_argument(
        "--plot", type=user_path, metavar="PICTURE", help="draw them too, as .png, .svg or .pdf"
    )
    add_force(inspect)
    inspect.set_defaults(run=_inspect)


def _inspect(arguments: argparse.Namespace) -> None:
    if arguments.plot is not None:
        check_new_output(arguments.plot, "a picture", PICTURES, force=arguments.force)
    demos = load_demos(arguments.file)
    if arguments.plot is not None:
        # Here, because matplotlib takes a moment and most demos commands do without.
        from headstart.viz.demo_plots import plot_demos

        plot_demos(demos, arguments.plot)
        print(f"drawn in {arguments.plot}", file=sys.stderr)
    report = inspect_demos(demos)
    if arguments.json:
        print(json.dumps(report))
        return
    rows = list(_rows(report))
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")


def _rows(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names and texts of the lines that a person reads."""
    yield "env id", report["env_id"]
    yield "source", _source(report)
    if report["expanded"]:
        yield "expansion", _expansion(report)
    yield from _outcome_rows(report)
    yield from _goal_rows(report)
    yield from _action_rows(report)
    constant = report["dead_observation_dimensions"]
    yield (
        "observations",
        f"{report['observation_dim']} numbers, {constant or 'none'} of them constant",
    )
    yield from _under("remarks", _wrap(report["remarks"] or ["none"]))
    yield from _under("problems", _wrap(report["problems"] or ["none found"]))


def _source(report: dict[str, Any]) -> str:
    expert, noise = report["expert"], report["noise"]
    if report["imported_from"] is not None:
        kind = f" ({report['format']})" if report["format"] else ""
        parts = [f"imported from {report['imported_from']}{kind}"]
    elif report["joined_from"]:
        first, *others = report["joined_from"]
        parts = [f"joined from {first} and {counted(len(others), 'other file')}"]
    elif report["expanded"]:
        origin = report["expanded_from"]
        parts = [f"expanded from demonstrations of {origin}" if origin else "expanded"]
        if origin == FOUND:
            parts = ["made from nothing: what had moved the object by chance was done again"]
    else:
        parts = [f"expert {expert}" if expert else "unknown"]
    if noise is not None:
        parts.append(f"noise {noise:g}" if noise else "no noise")
    parts.append("with snapshots" if report["snapshots"] else "no snapshots: no resets to states")
    return ", ".join(parts)


def _expansion(report: dict[str, Any]) -> str:
    return (
        f"{counted(report['expansion_env_steps'], 'env step')}, "
        f"{report['expansion_branch_steps']} of them in branches; "
        f"{report['expansion_kept']} of {counted(report['expansion_attempts'], 'attempt')} kept"
    )


def _outcome_rows(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    shortest, longest = report["shortest"], report["longest"]
    steps = counted(longest, "step")
    lengths = steps if shortest == longest else f"{shortest} to {steps}"
    copies = report["duplicate_episodes"]
    parts = [
        f"{report['episodes']} of {lengths}",
        counted(report["transitions"], "transition"),
        counted(copies, "duplicate") if copies else "no duplicates",
    ]
    yield "episodes", ", ".join(parts)
    lost = report["success_lost_episodes"]
    yield (
        "success",
        f"{report['success_rate']:.1%} at the end, {report['success_ever_rate']:.1%} ever, "
        f"{lost or 'none'} lose it on the way",
    )
    for name, part in report["parts"].items():
        rate = f", {part['success_rate']:.1%} at the end" if part["episodes"] else ""
        yield f"  {name}", f"{counted(part['episodes'], 'episode')}{rate}"
    yield "steps to success", _spread(report["steps_to_success"])


def _goal_rows(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield (
        "tasks",
        f"{report['distinct_tasks']} different: {counted(report['distinct_starts'], 'start')}, "
        f"{counted(report['distinct_goals'], 'goal')}",
    )
    yield "goal to nearest", _spread(report["goal_gap"])
    yield "start to goal", _spread(report["start_distance"])
    yield "end to goal", _spread(report["final_distance"])
    yield from _lists(report, {"goals": "goal", "starts": "start"}, ("low", "high"))


def _action_rows(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if report["action_bound_low"] is not None:
        yield from _lists(report, {"bounds": "action_bound"}, ("low", "high"))
    yield from _lists(report, {"actions": "action"}, ("low", "high", "std", "saturated_share"))
    dead = report["dead_action_dimensions"]
    if dead:
        yield "  never change", ", ".join(map(str, dead))


def _lists(
    report: dict[str, Any], groups: dict[str, str], entries: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield lists of numbers, one below the other, so that a column is a dimension."""
    for title, prefix in groups.items():
        for entry in entries:
            values = report[f"{prefix}_{entry}"]
            cells = [f"{value:>{_COLUMN}.3g}" for value in values]
            lines = [cells[at : at + _COLUMNS] for at in range(0, len(cells), _COLUMNS)]
            name = f"{title} {entry.removesuffix('_share')}"
            yield from _under(name, ["".join(line) for line in lines])


def _wrap(texts: Sequence[str]) -> list[str]:
    """Return the lines of some texts, each of which continues indented."""
    return [line for text in texts for line in wrap(text, _TEXT, subsequent_indent="  ")]


def _under(name: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield lines of which the first carries the name."""
    for number, text in enumerate(texts):
        yield name if number == 0 else "", text


def _spread(spread: dict[str, float] | None) -> str:
    if spread is None:
        return "none"
    return f"{spread['min']:.3g} to {spread['max']:.3g}, median {spread['median']:.3g}"
