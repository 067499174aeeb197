"""``headstart demos find``."""

import argparse
from typing import Any

from headstart.cli.demos.making import add_making, make_demos
from headstart.demos.finding.find import find_demos
from headstart.files.output import DEMO_FILES, check_new_output

DESCRIPTION = """\
Make demonstrations from nothing. The hand goes to the object and tries random actions until it has
lifted or pushed it a few times by chance. These are done again in new scenes, as `headstart demos
expand` does; each is kept if it ends in success. All env steps that this takes are counted in the
file.

It works where the task says how its hand is moved, and a goal is the place of one object, as
FetchPush and FetchPickAndPlace do, or of the hand, which then goes there: see `headstart envs
check`. `headstart train` without --demos does the same, unless the hand is at most ten steps from
its goals.

examples:
  headstart demos find FetchPickAndPlace-v4 --out demos.npz
  headstart demos find FetchPush-v4 --episodes 50 --out demos.npz
"""


def add_action(actions: Any) -> None:
    """Say what the action takes."""
    find = actions.add_parser(
        "find", help="no demonstrations -> many, by chance and repetition", description=DESCRIPTION
    )
    find.add_argument("env", metavar="ENV", help="environment, an id or module:Class")
    add_making(find)
    find.set_defaults(run=_find)


def _find(arguments: argparse.Namespace) -> None:
    check_new_output(arguments.out, "a demo file", DEMO_FILES, force=arguments.force)
    make_demos(arguments, f"finding in {arguments.env}", find_demos, arguments.env)
