"""``headstart export``."""

import argparse
from typing import get_args

from headstart.cli.parser import Parser, add_collectors, add_force, add_policy, at_least
from headstart.cli.trust import open_policy
from headstart.errors import InputError
from headstart.export.policy import SUFFIXES, Format, export_policy, format_of
from headstart.files.output import check_new_folder, check_new_output
from headstart.files.paths import user_path
from headstart.terminal import progress_bar
from headstart.training.evaluation import EvalResult, evaluate

DESCRIPTION = """\
Write a policy in a form that needs no headstart, normaliser and action scale inside: ONNX, one file
of C99 without dependencies, or a folder for the Hugging Face Hub.

examples:
  headstart export runs/first --format onnx --out policy.onnx
  headstart export runs/first --format c --out policy.c
  headstart export runs/first --format hub --out pick-and-place --episodes 500
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    add_policy(parser)
    parser.add_argument(
        "--format", choices=get_args(Format), help="what to write (default: what --out is called)"
    )
    parser.add_argument(
        "--out", type=user_path, required=True, help="file (.onnx, .c), or folder for the Hub"
    )
    add_force(parser)
    parser.add_argument(
        "--episodes",
        type=at_least(0),
        default=0,
        help="greedy episodes to measure for the card on the Hub (0: what the run measured)",
    )
    add_collectors(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    format, out = arguments.format or format_of(arguments.out), arguments.out
    if arguments.episodes and format != "hub":
        raise InputError("--episodes measures for the card on the Hub: --format hub")
    if format != "hub":
        check_new_output(out, "a policy", SUFFIXES[format], force=arguments.force)
    else:
        check_new_folder(out)
    evaluation = _evaluate(arguments) if arguments.episodes else None
    export_policy(arguments.policy, out, format, evaluation=evaluation)
    print(out)


def _evaluate(arguments: argparse.Namespace) -> EvalResult:
    policy, env_id = open_policy(arguments.policy, arguments.env, arguments.command)
    with progress_bar(f"evaluating on {env_id}", arguments.episodes) as tick:
        return evaluate(
            policy,
            env_id,
            episodes=arguments.episodes,
            collectors=arguments.collectors,
            on_episode=tick,
        )
