"""``headstart demos``: make demonstration files, and look into them."""

import argparse
import json
from pathlib import Path

from headstart.cli.display import progress_bar
from headstart.cli.parser import Parser, add_collectors
from headstart.demos.experts import expert_for
from headstart.demos.inspect import inspect_demos
from headstart.demos.record import collect_demos
from headstart.demos.storage import load_demos, save_demos
from headstart.envs.make import make_env
from headstart.errors import InputError

COLLECT = """\
Run the scripted expert of a task and write its successful episodes to a demo file.

examples:
  headstart demos collect FetchPickAndPlace-v4 --episodes 100 --out demos.npz
  headstart demos collect FetchReach-v4,max_episode_steps=20 --episodes 10 --out reach.npz
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    collect = actions.add_parser(
        "collect", help="scripted expert -> demo file", description=COLLECT
    )
    collect.add_argument("env", metavar="ENV", help="Gymnasium id, e.g. FetchPickAndPlace-v4")
    collect.add_argument("--episodes", type=int, default=100, help="demonstrations to keep (100)")
    collect.add_argument("--seed", type=int, default=0, help="root of the episodes' seeds (0)")
    collect.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    collect.add_argument(
        "--keep-failures", action="store_true", help="keep episodes that do not end in success too"
    )
    add_collectors(collect)
    collect.set_defaults(run=_collect)
    inspect = actions.add_parser("inspect", help="counts, lengths, success, action range, problems")
    inspect.add_argument("file", type=Path, help="a demo file")
    inspect.add_argument("--json", action="store_true", help="print one JSON object")
    inspect.set_defaults(run=_inspect)


def _collect(arguments: argparse.Namespace) -> None:
    out: Path = arguments.out
    if out.suffix != ".npz":
        raise InputError(f"--out {out}: a demo file must be called something.npz")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no directory {out.parent} to write it to")
    make_env(arguments.env).close()
    expert = expert_for(arguments.env)
    with progress_bar(f"collecting {arguments.env}", arguments.episodes) as tick:
        demos = collect_demos(
            arguments.env,
            expert,
            episodes=arguments.episodes,
            seed=arguments.seed,
            collectors=arguments.collectors,
            keep_failures=arguments.keep_failures,
            on_episode=tick,
        )
    save_demos(out, demos)
    print(
        f"{out}: {len(demos.episodes)} demonstrations of {demos.env_id}, "
        f"{demos.num_transitions} transitions, {demos.success_rate:.0%} successful"
    )


def _inspect(arguments: argparse.Namespace) -> None:
    report = inspect_demos(load_demos(arguments.file))
    if arguments.json:
        print(json.dumps(report))
        return
    width = max(len(name) for name in report)
    for name, value in report.items():
        if name == "problems":
            continue
        text = ", ".join(str(entry) for entry in value) if isinstance(value, list) else value
        print(f"{name.replace('_', ' '):<{width}}  {text}")
    problems = report["problems"]
    print(f"{'problems':<{width}}  {problems[0] if problems else 'none found'}")
    for problem in problems[1:]:
        print(f"{'':<{width}}  {problem}")
