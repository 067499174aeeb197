"""``headstart demos expand``."""

import argparse
from functools import partial
from typing import Any

from headstart.cli.demos.making import add_making, make_demos
from headstart.cli.trust import trusted_env
from headstart.demos.expansion.expand import expand_demos
from headstart.demos.foreign.sources import check_exists
from headstart.demos.storage import load_demos
from headstart.errors import InputError
from headstart.files.output import DEMO_FILES, check_new_output
from headstart.files.paths import user_path

DESCRIPTION = """\
Make new demonstrations from one or more, in new scenes of their environment. Each is played in the
simulator and kept if it ends in success; all env steps that this takes are counted in the file.

The hand repeats its way relative to the object that it takes, and relative to the goal. What has to
be known of it is declared in the environment, for Fetch tasks already: see `headstart envs check`.
SRC is a demo file or anything else that `demos import` reads.

examples:
  headstart demos expand one.npz --episodes 100 --out demos.npz
  headstart demos expand slow.npz --speed 1.5 --out faster.npz
  headstart demos expand tower.npz --speed 1.5 --noise 0.05 --out towers.npz
  headstart demos expand recorded.npz --env FetchPickAndPlace-v4 --out demos.npz
"""


def add_action(actions: Any) -> None:
    """Say what the action takes."""
    expand = actions.add_parser(
        "expand", help="few demonstrations -> many, in new scenes", description=DESCRIPTION
    )
    expand.add_argument("sources", metavar="SRC", nargs="+", help="demonstrations, or several")
    expand.add_argument("--env", metavar="ENV", help="environment, if not the file's own")
    add_making(expand)
    expand.add_argument(
        "--noise",
        type=float,
        default=0.0,
        metavar="SIGMA",
        help="Gaussian noise on what is executed, as a share of half the action range; the file "
        "keeps what was wanted, which shows how to recover (0)",
    )
    expand.set_defaults(run=_expand)


def _expand(arguments: argparse.Namespace) -> None:
    for source in arguments.sources:
        check_exists(source)
        if user_path(source).resolve() == arguments.out.resolve():
            raise InputError(
                f"{arguments.out}: it is a source, which would be lost; choose another --out"
            )
    check_new_output(arguments.out, "a demo file", DEMO_FILES, force=arguments.force)
    env_id = _env_of(arguments)
    make = partial(expand_demos, noise=arguments.noise)
    make_demos(arguments, f"expanding to {env_id}", make, arguments.sources, env_id)


def _env_of(arguments: argparse.Namespace) -> str:
    """Return the environment that the user names, or else the first file."""
    if arguments.env is not None:
        return str(arguments.env)
    first = user_path(arguments.sources[0])
    try:
        named = load_demos(first).env_id
    except InputError as error:
        raise InputError(
            f"{first}: it is not a demo file, which would name its environment; say which it is: "
            f"{arguments.command} --env ENV"
        ) from error
    return trusted_env(first, named, None, arguments.command)
