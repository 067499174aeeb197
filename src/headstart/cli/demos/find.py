"""``headstart demos find``."""

import argparse
from typing import Any

from headstart.cli.demos.making import add_making, describe_cost
from headstart.cli.demos.saving import make_and_save
from headstart.cli.settings import task_of
from headstart.demos.finding.find import find_demos
from headstart.demos.storage import DemoSet
from headstart.files.output import DEMO_FILES, check_new_output
from headstart.terminal import progress_bar
from headstart.text import counted

DESCRIPTION = """\
Make demonstrations from nothing. The hand goes to the object and tries random actions until it has
lifted or pushed it a few times by chance. These are done again in new scenes, as `headstart demos
expand` does; each is kept if it ends in success. All env steps that this takes are counted in the
file.

It works where the task says how its hand is moved, and a goal is the place of one object, as
FetchPush and FetchPickAndPlace do: see `headstart envs check`. `headstart train`
without --demos does the same.

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
    out = arguments.out
    check_new_output(out, "a demo file", DEMO_FILES, force=arguments.force)
    wanted = counted(arguments.episodes, "demonstration")
    print(describe_cost(out, make_and_save(out, wanted, lambda: _found(arguments))))


def _found(arguments: argparse.Namespace) -> DemoSet:
    with progress_bar(f"finding in {arguments.env}", arguments.episodes) as tick:
        return find_demos(
            arguments.env,
            episodes=arguments.episodes,
            speed=arguments.speed,
            seed=arguments.seed,
            collectors=arguments.collectors,
            snapshots=not arguments.no_snapshots,
            task=task_of(arguments),
            on_episode=tick,
        )
