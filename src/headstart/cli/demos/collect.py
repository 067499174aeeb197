"""``headstart demos collect``."""

import argparse
from pathlib import Path
from typing import Any

from headstart.cli.demos.saving import make_and_save
from headstart.cli.parser import add_collectors, add_force, add_seed, at_least
from headstart.cli.trust import open_policy
from headstart.demos.experts import expert_for
from headstart.demos.record import check_numbers, collect_demos
from headstart.demos.storage import DemoSet
from headstart.envs.make import make_env
from headstart.files.output import DEMO_FILES, check_new_output
from headstart.files.paths import user_path
from headstart.rollout.job import Behaviour
from headstart.terminal import progress_bar
from headstart.text import counted

DESCRIPTION = """\
Run the scripted expert of a task, or a trained policy, and write its successful episodes to a demo
file.

examples:
  headstart demos collect FetchPickAndPlace-v4 --episodes 100 --out demos.npz
  headstart demos collect FetchPush-v4 --noise 0.3 --keep-failures --out noisy.npz
  headstart demos collect FetchPickAndPlace-v4 --policy runs/first --out better.npz
  headstart demos collect FetchReach-v4,max_episode_steps=20 --episodes 10 --out reach.npz
"""


def add_action(actions: Any) -> None:
    """Say what the action takes."""
    collect = actions.add_parser(
        "collect", help="expert or policy -> demo file", description=DESCRIPTION
    )
    collect.add_argument("env", metavar="ENV", help="Gymnasium id, e.g. FetchPickAndPlace-v4")
    collect.add_argument(
        "--episodes", type=at_least(1), default=100, help="demonstrations to keep (100)"
    )
    add_seed(collect)
    collect.add_argument("--out", type=user_path, required=True, help="the .npz file to write")
    collect.add_argument(
        "--policy",
        type=user_path,
        metavar="DIR_OR_FILE",
        help="demonstrate with a trained policy instead of the scripted expert",
    )
    collect.add_argument(
        "--noise",
        type=float,
        default=0.0,
        metavar="SIGMA",
        help="Gaussian noise on what is executed, as a share of half the action range; the file "
        "keeps what the expert wanted, so that it shows how to recover (0)",
    )
    collect.add_argument(
        "--keep-failures", action="store_true", help="keep episodes that do not end in success too"
    )
    collect.add_argument(
        "--no-snapshots",
        action="store_true",
        help="leave out the simulator's states: a tenth of the size, and no resets to them, no "
        "`demos play`",
    )
    add_collectors(collect)
    add_force(collect)
    collect.set_defaults(run=_collect)


def _demonstrator(arguments: argparse.Namespace) -> Behaviour:
    if arguments.policy is None:
        return expert_for(arguments.env)
    return open_policy(arguments.policy, arguments.env, arguments.command)[0]


def _collect(arguments: argparse.Namespace) -> None:
    out: Path = arguments.out
    check_numbers(arguments.episodes, arguments.seed, arguments.noise)
    check_new_output(out, "a demo file", DEMO_FILES, force=arguments.force)
    make_env(arguments.env).close()
    wanted = counted(arguments.episodes, "demonstration")
    demos = make_and_save(out, wanted, lambda: _collected(arguments))
    failed = demos.header["failed_attempts"]
    if failed:
        print(f"dropped: {counted(failed, 'attempt')} that failed")
    print(
        f"{out}: {counted(len(demos.episodes), 'demonstration')} of {demos.env_id}, "
        f"{counted(demos.num_transitions, 'transition')}, {demos.success_rate:.0%} successful"
    )


def _collected(arguments: argparse.Namespace) -> DemoSet:
    expert = _demonstrator(arguments)
    with progress_bar(f"collecting {arguments.env}", arguments.episodes) as tick:
        return collect_demos(
            arguments.env,
            expert,
            episodes=arguments.episodes,
            seed=arguments.seed,
            collectors=arguments.collectors,
            keep_failures=arguments.keep_failures,
            noise=arguments.noise,
            snapshots=not arguments.no_snapshots,
            on_episode=tick,
        )
