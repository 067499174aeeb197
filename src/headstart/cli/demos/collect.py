"""``headstart demos collect``."""

import argparse
from pathlib import Path
from typing import Any

from headstart.cli.display import progress_bar
from headstart.cli.parser import add_collectors
from headstart.cli.trust import open_policy
from headstart.demos.experts import expert_for
from headstart.demos.record import collect_demos
from headstart.demos.storage import save_demos
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.rollout.job import Behaviour

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
    collect.add_argument("--episodes", type=int, default=100, help="demonstrations to keep (100)")
    collect.add_argument("--seed", type=int, default=0, help="root of the episodes' seeds (0)")
    collect.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    collect.add_argument(
        "--policy",
        type=Path,
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
    collect.set_defaults(run=_collect)


def check_out(out: Path) -> None:
    """Refuse a demo file that could not be written, before the work begins.

    Raises:
        InputError: if its name or directory is wrong.
    """
    if out.suffix != ".npz":
        raise InputError(f"--out {out}: a demo file must be called something.npz")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no directory {out.parent} to write it to")
    if out.is_dir():
        raise InputError(f"--out {out}: is a directory; name a file")


def _demonstrator(arguments: argparse.Namespace) -> Behaviour:
    if arguments.policy is None:
        return expert_for(arguments.env)
    return open_policy(arguments.policy, arguments.env, "headstart demos collect")[0]


def _collect(arguments: argparse.Namespace) -> None:
    out: Path = arguments.out
    check_out(out)
    make_env(arguments.env).close()
    expert = _demonstrator(arguments)
    with progress_bar(f"collecting {arguments.env}", arguments.episodes) as tick:
        demos = collect_demos(
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
    save_demos(out, demos)
    print(
        f"{out}: {len(demos.episodes)} demonstrations of {demos.env_id}, "
        f"{demos.num_transitions} transitions, {demos.success_rate:.0%} successful"
    )
