"""What the actions that make demonstrations in the simulator have in common."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headstart.cli.demos.saving import make_and_save
from headstart.cli.parser import add_collectors, add_force, add_seed, at_least
from headstart.cli.settings import add_task, task_of
from headstart.demos.expansion.cost import cost_of
from headstart.demos.storage import DemoSet
from headstart.files.paths import user_path
from headstart.terminal import progress_bar
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


def make_demos(
    arguments: argparse.Namespace, title: str, make: Callable[..., DemoSet], *given: Any
) -> None:
    """Make demonstrations, write them to a file, and print what they have cost.

    Args:
        arguments: of the command line, those of ``add_making`` among them.
        title: of the progress bar.
        make: ``expand_demos`` or ``find_demos``.
        given: its first arguments.
    """

    def made() -> DemoSet:
        with progress_bar(title, arguments.episodes) as tick:
            return make(
                *given,
                episodes=arguments.episodes,
                speed=arguments.speed,
                seed=arguments.seed,
                collectors=arguments.collectors,
                snapshots=not arguments.no_snapshots,
                task=task_of(arguments),
                on_episode=tick,
            )

    wanted = counted(arguments.episodes, "demonstration")
    print(_describe_cost(arguments.out, make_and_save(arguments.out, wanted, made)))


def _describe_cost(out: Path, demos: DemoSet) -> str:
    """Return what demonstrations that were made, and saved in a file, have cost."""
    cost = cost_of(demos.header)
    assert cost is not None
    return (
        f"{out}: {counted(len(demos.episodes), 'demonstration')} of {demos.env_id}, "
        f"{counted(demos.num_transitions, 'transition')}; "
        f"{cost.kept} of {counted(cost.attempts, 'attempt')} succeeded, "
        f"{counted(cost.env_steps, 'env step')} in all"
    )
