"""``headstart envs``: does an environment keep the goal contract."""

import argparse
import json
from dataclasses import asdict

from headstart.cli.parser import Parser
from headstart.cli.settings import add_task, task_of
from headstart.data.layout import ComponentLayout, StateLayout
from headstart.envs.check import EnvReport, check_env
from headstart.envs.goal_env import GoalSpec
from headstart.envs.layout import declaration
from headstart.standard_streams import prints_to_stderr
from headstart.text import counted, ranges

_UNTRIED = "not tried because of the problems"

CHECK = """\
Try an environment: whether it is a goal environment, whether reward, termination and success agree
with what step says, whether seed and actions alone decide an episode, whether its states can be
saved and restored if it offers that, and what training would know of it. Takes some hundred steps.

A problem makes learning wrong or impossible, and the exit code 2; advice makes it better. Each line
says what to do. Arguments of the environment may follow its id; `module:Id` imports module first.

examples:
  headstart envs check FetchPickAndPlace-v4
  headstart envs check PointMaze_UMaze-v3,continuing_task=false
  headstart envs check my_package.my_envs:MyReach-v0 --json
  headstart envs check highway_env:parking-v0,max_episode_steps=100 --task.unexplained-reward add
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = "`headstart envs check ENV` tries an environment before it is trained in."
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check", help="try an environment and say what is wrong with it", description=CHECK
    )
    check.add_argument("env", metavar="ENV", help="Gymnasium id, e.g. FetchPickAndPlace-v4")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    add_task(check)
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> None:
    with prints_to_stderr(when=arguments.json):
        report = check_env(arguments.env, task_of(arguments))
    if arguments.json:
        print(json.dumps(_plain(report)))
    else:
        print(_text(report))
    if report.problems:
        raise SystemExit(2)


def _plain(report: EnvReport) -> dict[str, object]:
    """Return JSON values; a bound that does not exist is null."""
    plain = asdict(report)
    if report.spec is not None:
        bounds = [
            bound if abs(bound) < float("inf") else None for bound in report.spec.reward_range
        ]
        plain["spec"]["reward_range"] = bounds
    return plain


def _text(report: EnvReport) -> str:
    lines = [report.env_id]
    if report.spec is not None:
        lines += [f"  {name:<18}{value}" for name, value in _facts(report, report.spec)]
    for name, texts in (("problems", report.problems), ("advice", report.advice)):
        if texts or name == "problems":
            lines += [f"  {name:<18}{text}" for text in texts or ("none found",)]
    return "\n".join(lines)


def _facts(report: EnvReport, spec: GoalSpec) -> list[tuple[str, str]]:
    low, high = spec.reward_range
    bounds = {*zip(spec.action_low, spec.action_high, strict=True)}
    actions = " and ".join(f"[{least:g}, {most:g}]" for least, most in sorted(bounds))
    keys = ", ".join(spec.reward_info_keys)
    facts = [
        ("observation", f"{spec.observation_dim} numbers", ""),
        ("goal", f"{spec.goal_dim} numbers{', a few steps away' * spec.goals_near}", ""),
        ("action", f"{spec.action_dim} numbers in {actions}", ""),
        ("time limit", counted(spec.max_episode_steps, "step"), ""),
        ("reward of a step", f"from {_bound(low)} to {_bound(high)}", "reward_range"),
        ("success", f"shown by {report.success}", ""),
        ("ends at the goal", _ends(report), "terminates"),
        ("rewards in bulk", "yes" if spec.vectorized else "no, row by row", ""),
        ("reads of info", keys or "nothing", "reward_info_keys"),
        *((name, text, name) for name, text in _task(report, spec) if text),
        *_layout(report, spec.layout),
        ("restores states", _restores(report), ""),
        ("speed", f"{report.steps_per_second:.0f} steps/s on one core", ""),
    ]
    origins = dict(spec.origins)
    if report.ends_at_goal is not None:
        # Episodes have shown it, if nothing else has.
        origins.setdefault("terminates", "detected")
    return [
        (name, f"{text} ({origins[fact]})" if fact in origins else text)
        for name, text, fact in facts
    ]


def _task(report: EnvReport, spec: GoalSpec) -> list[tuple[str, str]]:
    """Return what the description says besides, each under the name of its field."""
    regions, camera = spec.regions, spec.camera or {}
    components = [f"{it.name} {ranges(range(it.start, it.stop))}" for it in spec.components]
    mirror = "half of each batch; random actions move both alike"
    if report.mirror_defect is not None:
        mirror = f"not used: {report.mirror_defect}"
    return [
        ("components", "; ".join(components)),
        ("component_layout", _order(spec.component_layout)),
        (
            "regions",
            f"{regions.above} where entry {regions.coordinate} of the goal is above "
            f"{regions.threshold:g}, else {regions.below}"
            if regions
            else "",
        ),
        ("mirror", mirror if spec.mirror else ""),
        ("camera", "; ".join(f"{name} {_value(value)}" for name, value in camera.items())),
    ]


def _order(layout: ComponentLayout | None) -> str:
    """Return what belongs to each component, and when it is finished."""
    if layout is None:
        return ""
    entries = [ranges(range(first, first + layout.width)) for first in layout.firsts]
    distances = " or ".join(f"{distance:g}" for distance in layout.distances)
    return f"one after the other; entries {'; '.join(entries)}; finished within {distances}"


def _value(value: float | tuple[float, ...]) -> str:
    return " ".join(f"{each:g}" for each in (value if isinstance(value, tuple) else (value,)))


def _layout(report: EnvReport, used: StateLayout) -> list[tuple[str, str, str]]:
    """Return what the entries of a state mean, and how to declare it."""
    likely = report.likely_layout
    meaning = _meaning(used)
    lines = [("layout", meaning or "nothing found that an actor could do without", "")]
    if meaning:
        lines = [("layout", meaning, "layout")]
    if likely is not None:
        lines.append(("perhaps", f"{_meaning(likely)}; training uses that once it is declared", ""))
    options = declaration(likely or used)
    return [*lines, ("to declare it", " ".join(options), "")] if options else lines


def _meaning(layout: StateLayout) -> str:
    kinds = {
        "velocities": layout.velocities,
        "positions": layout.positions,
        "of which the hand's": () if layout.hand is None else (layout.hand,),
        "angles": layout.angles,
        "may be shifted along axes": layout.shift_axes,
    }
    parts = [f"{name} {ranges(entries)}" for name, entries in kinds.items() if entries]
    if layout.hand_actions:
        lengths = ", ".join(f"{step:g}" for step in dict.fromkeys(layout.hand_steps))
        late = f", {layout.hand_lag:g} steps late" if layout.hand_lag else ""
        actions = ranges(layout.hand_actions)
        parts.append(f"hand moved by actions {actions}, {lengths} a unit{late}")
    if layout.gripper_action is not None:
        parts.append(f"gripper by action {layout.gripper_action}")
    return "; ".join(parts)


def _ends(report: EnvReport) -> str:
    if report.ends_at_goal is None:
        return (
            _UNTRIED
            if report.problems
            else "not known: the first episode that reaches its goal shows it"
        )
    return "yes" if report.ends_at_goal else "no"


def _restores(report: EnvReport) -> str:
    if report.restores_states is None:
        return _UNTRIED
    return "yes" if report.restores_states else f"no: {report.restores_why_not}"


def _bound(value: float) -> str:
    return f"{value:g}" if abs(value) < float("inf") else "no bound"
