"""``headstart demos import`` and ``headstart demos export``."""

import argparse
import os
from pathlib import Path
from typing import Any

from headstart.cli.parser import add_force
from headstart.cli.trust import trusted_env
from headstart.demos.legacy import load_legacy_demos
from headstart.demos.minari import load_minari_demos, save_minari_demos
from headstart.demos.storage import DemoSet, load_demos, save_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import make_env
from headstart.output import DEMO_FILES, check_new_output
from headstart.paths import user_path
from headstart.text import counted, printable

IMPORT = """\
Turn demonstrations of others into a demo file. SRC is a Baselines file (data_fetch_random_100.npz:
acs, obs, info), the id of a Minari dataset that you have downloaded, or its directory. Nothing that
is in it is run. Actions beyond the bounds are clipped and episodes beyond the time limit are cut,
which is said.

examples:
  headstart demos import data_fetch_random_100.npz --env FetchPickAndPlace-v4 --out demos.npz
  headstart demos import fetch/pick-and-place/human-v0 --env FetchPickAndPlace-v4 --out demos.npz
"""
EXPORT = """\
Write a demo file as a Minari dataset, into Minari's own directory of datasets.

example:
  headstart demos export demos.npz --minari fetch/pick-and-place/scripted-v0
"""


def add_action(actions: Any) -> None:
    """Say what the two actions take."""
    importing = actions.add_parser(
        "import", help="Baselines file or Minari dataset -> demo file", description=IMPORT
    )
    importing.add_argument("source", metavar="SRC", help="a file, a directory or a Minari id")
    importing.add_argument("--env", metavar="ENV", required=True, help="Gymnasium id of its task")
    importing.add_argument("--out", type=user_path, required=True, help="the .npz file to write")
    add_force(importing)
    importing.set_defaults(run=_import)
    exporting = actions.add_parser("export", help="demo file -> Minari dataset", description=EXPORT)
    exporting.add_argument("file", type=user_path, metavar="FILE", help="a demo file")
    exporting.add_argument(
        "--minari", metavar="ID", required=True, help="id of the dataset: namespace/name-v0"
    )
    exporting.add_argument("--env", metavar="ENV", help="environment, if not the file's own")
    exporting.set_defaults(run=_export)


def _import(arguments: argparse.Namespace) -> None:
    check_new_output(arguments.out, "a demo file", DEMO_FILES, force=arguments.force)
    env = make_env(arguments.env)
    spec = GoalSpec.from_env(env)
    demos = _read(arguments.source, spec, GoalReward(env, spec))
    env.close()
    # The arguments that the user gave belong to the id.
    demos = DemoSet(arguments.env, demos.episodes, demos.header)
    # Told now rather than by `train`.
    demos.check_fits(spec)
    save_demos(arguments.out, demos)
    print(f"{arguments.out}: {counted(len(demos.episodes), 'demonstration')} of {demos.env_id}")
    for remark in demos.header["remarks"]:
        print(f"  {printable(remark)}")


def _read(source: str, spec: GoalSpec, reward: GoalReward) -> DemoSet:
    path = Path(source)
    # Of os.path, which answers where pathlib raises: for a name that is too long.
    if os.path.isfile(path) or path.suffix == ".npz":
        return load_legacy_demos(path, spec, reward)
    return load_minari_demos(path if os.path.isdir(path) else source, spec, reward)


def _export(arguments: argparse.Namespace) -> None:
    demos = load_demos(arguments.file)
    env = make_env(trusted_env(arguments.file, demos.env_id, arguments.env, arguments.command))
    directory = save_minari_demos(demos, arguments.minari, env)
    env.close()
    count = counted(len(demos.episodes), "demonstration")
    print(f"{arguments.minari}: {count}, in {directory}")
