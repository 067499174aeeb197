"""``headstart resume``."""

import argparse

from headstart.cli.page import add_steer, steering_of
from headstart.cli.parser import Parser, add_collectors, without_collection
from headstart.cli.running import collectors_of, explain_failure, print_outcome
from headstart.cli.settings import add_settings
from headstart.cli.trust import trusted_env
from headstart.dotted import walk
from headstart.files.paths import user_path
from headstart.runs.record import read_record
from headstart.training.config import TrainConfig

DESCRIPTION = """\
Continue a run from its newest whole checkpoint, to the same policy and metrics as if it had never
stopped. DIR is the directory that `headstart train` printed.

Settings are those of the run. A longer run, other evaluations or checkpoints need no more than the
option; what changes learning needs --allow-change and is noted in config.json.

examples:
  headstart resume runs/FetchPickAndPlace-v4-fast-1
  headstart resume runs/FetchPickAndPlace-v4-fast-1 --env-steps 30000
  headstart resume runs/FetchPickAndPlace-v4-fast-1 --agent.actor-lr 0.0003 --allow-change
"""


NOTES = {"free": "", "allow-change": "(needs --allow-change)", "fixed": "(cannot change)"}


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    parser.usage = "%(prog)s [-h] [OPTIONS] DIR"
    parser.add_argument(
        "run_directory",
        type=user_path,
        metavar="DIR",
        help="Run directory, as `headstart train` made it.",
    )
    parser.add_argument(
        "--env",
        metavar="ENV",
        help="The environment, if you do not want to trust the one that the directory names.",
    )
    parser.add_argument(
        "--allow-change",
        action="store_true",
        help="Continue although a setting below changes what is learned.",
    )
    add_collectors(parser)
    add_steer(parser)
    add_settings(parser, walk(TrainConfig()), lambda setting: NOTES[setting.rule.resume])
    # How many suit depends on the settings.
    parser.set_defaults(run=_run, collectors=None)


def _run(arguments: argparse.Namespace) -> None:
    directory = arguments.run_directory
    record = read_record(directory)
    config = record.config.with_(arguments.changes)
    env_id = trusted_env(directory, record.env_id, arguments.env, arguments.command)
    # It imports torch, which takes seconds: what is wrong with the command line is said first.
    with without_collection():
        from headstart.runs.resume import resume

    collectors = collectors_of(arguments, config)
    with (
        explain_failure(directory),
        steering_of(arguments, env_id, directory, config, collectors) as runners,
    ):
        result = resume(
            directory,
            config,
            env=env_id,
            allow_change=arguments.allow_change,
            progress=True,
            **runners,
        )
    print_outcome(result, directory, env_id)
