"""``headstart demos import`` and ``headstart demos export``."""

import argparse
from typing import Any

from headstart.cli.parser import add_force
from headstart.cli.settings import add_task, task_of
from headstart.cli.trust import trusted_env
from headstart.demos.foreign.joining import remarks_of
from headstart.demos.foreign.lerobot_writer import save_lerobot_demos
from headstart.demos.foreign.mapping import StateMap
from headstart.demos.foreign.minari import save_minari_demos
from headstart.demos.foreign.sources import check_exists
from headstart.demos.reading import read_demos
from headstart.demos.storage import load_demos, save_demos
from headstart.envs.goal_env import GoalReward, GoalSpec
from headstart.envs.make import env_source, make_env
from headstart.files.output import DEMO_FILES, check_new_folder, check_new_output
from headstart.files.paths import user_path
from headstart.text import counted, printable

IMPORT = """\
Turn demonstrations of others into a demo file, and join several. SRC is

  a Baselines file   data_fetch_random_100.npz: acs, obs, and mostly info
  a HER buffer       .npz: o, u, g, ag
  plain arrays       .npz: observations, achieved_goals, desired_goals, actions, and the ends of the
                     episodes (episode_lengths, terminals, timeouts, ...), or (N, T, width)
  a Minari dataset   the id of one that you have downloaded, or its directory
  a LeRobot dataset  its directory
  a robomimic file   .hdf5, with --observation and --achieved-goal
  a demo file        with --env to say that it fits an environment of another id

Nothing in it is run. What is changed is said: actions beyond the bounds are clipped, episodes
beyond the time limit are cut, and so are those that continue at a goal that ends an episode (where
the environment does not say whether it does: --task.success-terminates True); a last step without
the state after it, and zeros that fill up a row, are left out.

`train --demos` reads the same files.

examples:
  headstart demos import data_fetch_random_100.npz --env FetchPickAndPlace-v4 --out demos.npz
  headstart demos import fetch/pick-and-place/human-v0 --env FetchPickAndPlace-v4 --out demos.npz
  headstart demos import her_buffer.npz --env my_envs:Push-v0 --task.success-terminates True \\
    --out demos.npz
  headstart demos import cube-single-play-v0.npz --achieved-goal 'qpos[14:17]' --env MY_ENV \
    --out demos.npz
  headstart demos import monday.npz tuesday.npz --env FetchPickAndPlace-v4 --out both.npz
"""
EXPORT = """\
Write a demo file as a Minari dataset, into Minari's own directory of datasets, or as a LeRobot
dataset (version 3), which needs `pip install 'headstart[lerobot]'`.

examples:
  headstart demos export demos.npz --minari fetch/pick-and-place/scripted-v0
  headstart demos export demos.npz --lerobot pick-and-place
"""


def add_action(actions: Any) -> None:
    """Say what the two actions take."""
    importing = actions.add_parser(
        "import", help="files of others -> demo file", description=IMPORT
    )
    importing.add_argument(
        "sources", metavar="SRC", nargs="+", help="a file, a directory or a Minari id, or several"
    )
    importing.add_argument("--env", metavar="ENV", required=True, help="Gymnasium id of its task")
    importing.add_argument("--out", type=user_path, required=True, help="the .npz file to write")
    add_force(importing)
    _add_states(importing)
    add_task(importing, layout=False)
    importing.set_defaults(run=_import)
    exporting = actions.add_parser(
        "export", help="demo file -> files of others", description=EXPORT
    )
    exporting.add_argument("file", type=user_path, metavar="FILE", help="a demo file")
    target = exporting.add_mutually_exclusive_group(required=True)
    target.add_argument("--minari", metavar="ID", help="id of the dataset: namespace/name-v0")
    target.add_argument("--lerobot", metavar="DIR", type=user_path, help="directory to make")
    exporting.add_argument(
        "--fps",
        type=float,
        help="env steps in a second, for LeRobot (default: the environment's render_fps)",
    )
    exporting.add_argument("--env", metavar="ENV", help="environment, if not the file's own")
    exporting.set_defaults(run=_export)


def _import(arguments: argparse.Namespace) -> None:
    check_new_output(arguments.out, "a demo file", DEMO_FILES, force=arguments.force)
    for source in arguments.sources:
        check_exists(source)
    env = make_env(arguments.env)
    # The arguments that the user gave belong to the id.
    name = env_source(arguments.env).name
    spec = GoalSpec.from_env(env, task_of(arguments), name=name)
    reward = GoalReward(env, spec)
    states = StateMap.read(arguments.observation, arguments.achieved_goal, arguments.desired_goal)
    demos = read_demos(arguments.sources, spec, reward, of_any_env=True, log=False, states=states)
    env.close()
    save_demos(arguments.out, demos)
    print(f"{arguments.out}: {counted(len(demos.episodes), 'demonstration')} of {demos.env_id}")
    for remark in remarks_of(demos):
        print(f"  {printable(remark)}")


def _export(arguments: argparse.Namespace) -> None:
    if arguments.lerobot is not None:
        check_new_folder(arguments.lerobot)
    demos = load_demos(arguments.file)
    env = make_env(trusted_env(arguments.file, demos.env_id, arguments.env, arguments.command))
    count = counted(len(demos.episodes), "demonstration")
    if arguments.minari is not None:
        directory = save_minari_demos(demos, arguments.minari, env)
        print(f"{arguments.minari}: {count}, in {directory}")
    else:
        rate = arguments.fps or float(env.metadata.get("render_fps") or 0.0)
        save_lerobot_demos(demos, arguments.lerobot, GoalReward(env), rate)
        print(f"{arguments.lerobot}: {count}")
    env.close()


def _add_states(parser: argparse.ArgumentParser) -> None:
    """Let the user say which columns are observation and goals."""
    group = parser.add_argument_group(
        "what is what, in files that do not say it",
        "Names of arrays, each with a range of columns or none: 'qpos[0:2],obs/object'.",
    )
    group.add_argument("--observation", metavar="COLUMNS", help="the observation")
    group.add_argument("--achieved-goal", metavar="COLUMNS", help="what a state has achieved")
    group.add_argument(
        "--desired-goal",
        metavar="COLUMNS|final",
        help="the goal; `final`, what an episode has achieved at its end or at the time limit, "
        "where episodes are cut (default for .npz and HDF5)",
    )
