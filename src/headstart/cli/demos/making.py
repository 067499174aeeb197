"""What the actions that make demonstrations in the simulator have in common."""

import argparse
from pathlib import Path

from headstart.cli.parser import add_collectors, add_force, add_seed, at_least
from headstart.cli.settings import add_task
from headstart.demos.expansion.cost import cost_of
from headstart.demos.storage import DemoSet
from headstart.files.paths import user_path
from headstart.text import counted


def add_making(parser: argparse.ArgumentParser) -> None:
    """Say how many demonstrations are made, how, and where to."""
    parser.add_argument(
        "--episodes", type=at_least(1), default=100, help="demonstrations to make (100)"
    )
    parser.add_argument("--out", type=user_path, required=True, help="the .npz file to write")
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="how fast the hand moves; 1 is nine tenths of its pace between objects (1)",
    )
    add_seed(parser)
    parser.add_argument(
        "--no-snapshots", action="store_true", help="leave out the simulator's states"
    )
    add_collectors(parser)
    add_force(parser)
    add_task(parser, unexplained="ignore")


def describe_cost(out: Path, demos: DemoSet) -> str:
    """Return what demonstrations that were made, and saved in a file, have cost."""
    cost = cost_of(demos.header)
    assert cost is not None
    return (
        f"{out}: {counted(len(demos.episodes), 'demonstration')} of {demos.env_id}, "
        f"{counted(demos.num_transitions, 'transition')}; "
        f"{cost.kept} of {counted(cost.attempts, 'attempt')} succeeded, "
        f"{counted(cost.env_steps, 'env step')} in all"
    )
