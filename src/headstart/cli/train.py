"""``headstart train``."""

import argparse
import re
from pathlib import Path

from headstart.cli.config import parse_train, train_help
from headstart.cli.parser import Parser, default_collectors
from headstart.cli.running import explain_failure, most_at_once, print_outcome
from headstart.errors import InputError
from headstart.presets import PRESETS

_LONGEST = 60  # characters of arguments in the name of a directory
DESCRIPTION = """\
Train a policy for a goal environment, from demonstrations if there are some.

presets:
  fast      warm start by cloning, twin critics, averaged actor: a minute on a laptop (default)
  nair2018  DDPG + HER + demonstrations, the published configuration to the letter
  her       DDPG + HER without demonstrations, the published configuration

The defaults below are those of the preset: `headstart train --preset her --help` shows its own.

examples:
  headstart train FetchPickAndPlace-v4 --demos demos.npz
  headstart train FetchPickAndPlace-v4 --demos data_fetch_random_100.npz more-demos.npz
  headstart train FetchPickAndPlace-v4 --demos one.npz --expand 100
  headstart train FetchReach-v4 --env-steps 5000 --target-success 1.0
  headstart train FetchPickAndPlace-v4 --demos demos.npz --preset nair2018 --agent.no-q-filter
  headstart train PointMaze_UMaze-v3,continuing_task=false --agent.discount 0.99
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.written_help = lambda given: train_help(DESCRIPTION, PRESETS, given)
    parser.set_defaults(run=_run, takes_options=True)


def _run(arguments: argparse.Namespace) -> None:
    command = parse_train(arguments.options, PRESETS)
    config = command.settings
    if command.resume and command.out is None:
        raise InputError("--resume needs the directory of the run, --out DIR")
    # After the options are read: it imports Gymnasium.
    from headstart.demos.sources import check_exists

    for source in command.demos:
        check_exists(source)
    out = command.out or _new_directory(command.env, command.preset)
    collectors = command.collectors
    if collectors is None:
        collectors = default_collectors(most_at_once(config))
    # It imports torch, which takes seconds: what is wrong with the command line is said first.
    from headstart.runs.train import train

    with explain_failure(out):
        result = train(
            command.env,
            config,
            demos=command.demos or None,
            expand=command.expand,
            out=out,
            resume=command.resume,
            collectors=collectors,
            progress=True,
        )
    print_outcome(result, out, command.env)


def _new_directory(env_id: str, preset: str) -> Path:
    name, _, arguments = env_id.partition(",")
    parts = (name.rpartition(":")[2], arguments[:_LONGEST], preset)
    plain = re.sub(r"[^\w.=-]+", "-", "-".join(part for part in parts if part))
    number = 1
    while (directory := Path("runs") / f"{plain}-{number}").exists():
        number += 1
    return directory
