"""``headstart report``."""

import argparse

from headstart.cli.parser import Parser, add_collectors, add_force, add_runs, at_least
from headstart.cli.trust import open_policy
from headstart.files.output import check_new_output
from headstart.files.paths import user_path
from headstart.runs.curves import find_runs
from headstart.terminal import progress_bar
from headstart.viz.report.page import PAGES, write_report
from headstart.viz.report.reading import Group

DESCRIPTION = """\
Write one page of HTML on runs that opens offline, on any machine: what was run, curves, success by
region, demonstrations, settings that differ, where the time went. With --episodes it also measures
the best policies, says how fast they succeed, and films their failures.

examples:
  headstart report runs/first --out report.html
  headstart report runs/with-demos-* runs/without-demos-* --out report.html --episodes 100
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    add_runs(parser)
    parser.add_argument("--out", type=user_path, required=True, help="page to write (.html)")
    add_force(parser)
    parser.add_argument("--title", default="", help="of the page (default: the tasks)")
    parser.add_argument(
        "--episodes",
        type=at_least(0),
        default=0,
        help="greedy episodes to run of each best policy (0: what the runs have measured)",
    )
    parser.add_argument(
        "--films",
        type=at_least(0),
        default=3,
        help="films for each group of seeds, failures first (3)",
    )
    parser.add_argument("--env", metavar="ENV", help="environment of these, if not the runs' own")
    add_collectors(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    check_new_output(arguments.out, "a report", PAGES, force=arguments.force)

    def env_of(group: Group) -> str:
        return open_policy(group.first.path, arguments.env, arguments.command)[1]

    runs = find_runs(arguments.runs)
    with progress_bar("running episodes", arguments.episodes * len(runs)) as tick:
        write_report(
            runs,
            arguments.out,
            episodes=arguments.episodes,
            films=arguments.films,
            env=env_of,
            collectors=arguments.collectors,
            title=arguments.title,
            on_episode=tick,
        )
    print(arguments.out)
