"""``headstart plot``."""

import argparse

from headstart.cli.parser import Parser, add_force, add_runs, at_least
from headstart.files.output import PICTURES, check_new_output
from headstart.files.paths import user_path
from headstart.viz.plots import plot_runs

DESCRIPTION = """\
Draw success rate and mean Q of runs against env steps. Runs that differ in their seed alone are one
line, the median, in a band from the lowest to the highest.

examples:
  headstart plot runs/with-demos-* runs/without-demos-* --out curves.png
  headstart plot sweeps/FetchReach-v4-fast-1 --out curves.png
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    add_runs(parser)
    parser.add_argument(
        "--out", type=user_path, required=True, help="picture to write (.png, .svg, .pdf)"
    )
    add_force(parser)
    parser.add_argument(
        "--smooth", type=at_least(1), default=1, help="evaluations to average over (1: as they are)"
    )
    parser.add_argument("--log-steps", action="store_true", help="logarithmic env steps")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    check_new_output(arguments.out, "a picture", PICTURES, force=arguments.force)
    plot_runs(arguments.runs, arguments.out, smooth=arguments.smooth, log_steps=arguments.log_steps)
    print(arguments.out)
