"""``headstart watch``."""

import argparse
import time
from pathlib import Path

from headstart.cli.page import add_page, page_of
from headstart.cli.parser import Parser
from headstart.cli.trust import trusted_env
from headstart.errors import InputError, require
from headstart.files.paths import user_path

_PORT = 8936
DESCRIPTION = """\
Show runs on a live page in the browser: curves with intervals, where the time goes, and the newest
policy at work, failures first. It only reads: of runs that are at work, finished or dead.

For runs on another machine: ssh -L 8936:localhost:8936 MACHINE, and headstart watch there. Needs
`pip install 'headstart[web]'`.

examples:
  headstart watch runs/first
  headstart watch runs
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "runs",
        type=user_path,
        nargs="+",
        metavar="DIR",
        help="run directories, or directories that they lie in, where more may appear",
    )
    parser.add_argument(
        "--episodes",
        type=int,
        default=6,
        help="episodes of the newest policy to draw, 0 to 100; 0 draws nothing (6)",
    )
    parser.add_argument("--env", metavar="ENV", help="environment of these, if not the runs' own")
    add_page(parser, _PORT)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    for path in arguments.runs:
        if not path.is_dir():
            raise InputError(
                f"{path}: not a directory; name a run directory, or one that holds some"
            )
    require(0 <= arguments.episodes <= 100, "--episodes must lie in [0, 100]", arguments.episodes)

    def env_of(path: Path, named: str) -> str:
        return trusted_env(path, named, arguments.env, arguments.command)

    # Here: that websockets is missing is said in the words of the verb.
    from headstart.web.watch import LOOK_EVERY, RunsPage, Teller, runs_files

    page = RunsPage(arguments.runs, episodes=arguments.episodes, env_of=env_of)
    with page_of(arguments, runs_files()) as server:
        print(f"open {server.link}", flush=True)
        teller = Teller(server, page)
        while True:
            teller.once()
            time.sleep(LOOK_EVERY)
