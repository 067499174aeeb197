"""``headstart resume``."""

import argparse

from headstart.cli.config import parse_resume, resume_help
from headstart.cli.parser import Parser, default_collectors
from headstart.cli.running import explain_failure, most_at_once, print_outcome
from headstart.cli.trust import trusted_env
from headstart.runs.record import read_record

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


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.written_help = lambda _: resume_help(DESCRIPTION)
    parser.set_defaults(run=_run, takes_options=True)


def _run(arguments: argparse.Namespace) -> None:
    command = parse_resume(arguments.options, lambda path: read_record(path).config)
    record, config = read_record(command.run), command.settings
    env_id = trusted_env(command.run, record.env_id, command.env, arguments.command)
    collectors = command.collectors
    if collectors is None:
        collectors = default_collectors(most_at_once(config))
    # It imports torch, which takes seconds: what is wrong with the command line is said first.
    from headstart.runs.resume import resume

    with explain_failure(command.run):
        result = resume(
            command.run,
            config,
            env=env_id,
            collectors=collectors,
            allow_change=command.allow_change,
            progress=True,
        )
    print_outcome(result, command.run, env_id)
