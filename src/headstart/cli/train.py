"""``headstart train``."""

import argparse
import re
from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path

from headstart import torchrun
from headstart.cli.page import add_steer, steering_of
from headstart.cli.parser import Parser, add_collectors, without_collection
from headstart.cli.running import collectors_of, explain_failure, print_outcome
from headstart.cli.settings import add_settings, change_by_file
from headstart.dotted import walk
from headstart.errors import InputError
from headstart.files.paths import user_path
from headstart.presets import PRESETS, find_preset
from headstart.training.config import TrainConfig

_LONGEST = 60  # characters of arguments in the name of a directory
DESCRIPTION = """\
Train a policy for a goal environment, from demonstrations if there are some. Without any it makes
them from nothing where a hand moves an object (`headstart demos find --help`), and learns without
elsewhere.

presets:
  fast      warm start by cloning, twin critics, averaged actor: a minute on a laptop (default)
  nair2018  DDPG + HER + demonstrations, the published configuration to the letter
  her       DDPG + HER without demonstrations, the published configuration
  stack     fast for goals of several components, such as towers (FetchStack3-v0)

The defaults below are those of the preset: `headstart train --preset her --help` shows its own.

examples:
  headstart train FetchPickAndPlace-v4
  headstart train FetchPickAndPlace-v4 --demos demos.npz
  headstart train FetchPickAndPlace-v4 --demos data_fetch_random_100.npz more-demos.npz
  headstart train FetchPickAndPlace-v4 --demos one.npz --expand 100
  headstart train FetchReach-v4 --env-steps 5000 --target-success 1.0
  headstart train FetchPickAndPlace-v4 --demos demos.npz --preset nair2018 --agent.no-q-filter
  headstart train FetchStack4-v0 --demos four.npz --init-policy runs/three
  headstart train FetchPush-v4 --demos push.npz --config runs/first/config.json --seed 1
  headstart train PointMaze_UMaze-v3,continuing_task=false --env-steps 60000
"""


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    parser.usage = "%(prog)s [-h] [OPTIONS] ENV"
    add_run(parser)
    parser.add_argument(
        "--out",
        type=user_path,
        metavar="DIR",
        help="Run directory to make; runs/ENV-PRESET-N if not given.",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="Continue the run that --out holds, if it holds one: for jobs that a cluster stops "
        "and starts again.",
    )
    add_collectors(parser)
    add_steer(parser)
    # How many suit depends on the settings.
    parser.set_defaults(run=_run, collectors=None)


def add_run(parser: Parser, without: Collection[str] = ()) -> None:
    """Let the user say what to train: environment, demonstrations, settings.

    Args:
        parser: of the verb.
        without: settings that have no option of their own.
    """
    parser.add_argument("env", metavar="ENV", help="Gymnasium id, e.g. FetchPickAndPlace-v4")
    _add_preset(parser)
    parser.add_argument(
        "--config",
        type=user_path,
        metavar="FILE",
        help="Settings over those of the preset, under those of options: JSON such as "
        '{"seed": 1, "agent": {"tau": 0.01}}, or config.json of a run.',
    )
    parser.add_argument(
        "--demos",
        nargs="*",
        action="extend",
        metavar="FILE",
        help="Demonstrations to learn from: files of `headstart demos collect`, or what "
        "`headstart demos import` reads. Several are joined.",
    )
    parser.add_argument(
        "--expand",
        type=int,
        metavar="INT",
        help="Demonstrations to make from these first, in new scenes, as `headstart demos expand` "
        "does; the run learns from them instead. The same as --demos.expand.",
    )
    # The preset decides the defaults, so it is read before all else.
    first = Parser(prog=parser.prog, add_help=False)
    _add_preset(first)
    preset = find_preset(first.parse_known_args(parser.given)[0].preset)
    add_settings(parser, [it for it in walk(preset) if it.name not in without])


def _add_preset(parser: Parser) -> None:
    parser.add_argument(
        "--preset",
        default="fast",
        metavar=f"{{{','.join(PRESETS)}}}",
        help="Where the settings below start from. (default: fast)",
    )


def settings_of(arguments: argparse.Namespace) -> TrainConfig:
    """Return the settings of the preset, changed by the file if there is one, and by the options.

    Raises:
        InputError: if a value is refused.
    """
    config = find_preset(arguments.preset)
    if arguments.config is not None:
        config = change_by_file(config, arguments.config)
    if arguments.expand is not None:
        if "demos.expand" in arguments.changes:
            raise InputError("--expand and --demos.expand are the same; leave one of them out")
        arguments.changes["demos.expand"] = arguments.expand
    return config.with_(arguments.changes)


def _run(arguments: argparse.Namespace) -> None:
    config = settings_of(arguments)
    if arguments.resume and arguments.out is None:
        raise InputError("--resume needs the directory of the run, --out DIR")
    if torchrun.is_used() and arguments.out is None:
        raise InputError("under torchrun all processes need the directory of the run, --out DIR")
    check_demos(arguments.demos)
    names = directory_names(arguments.env, arguments.preset)
    out = arguments.out or next(path for path in names if not path.exists())
    # It imports torch, which takes seconds: what is wrong with the command line is said first.
    with without_collection():
        from headstart.runs.train import train

    collectors = collectors_of(arguments, config)
    with (
        explain_failure(out),
        steering_of(arguments, arguments.env, out, config, collectors) as runners,
    ):
        result = train(
            arguments.env,
            config,
            demos=arguments.demos or None,
            out=out,
            resume=arguments.resume,
            progress=True,
            **runners,
        )
    print_outcome(result, out, arguments.env)


def check_demos(files: Collection[str] | None) -> None:
    """Refuse demonstrations that are not there, before anything slow is done.

    Raises:
        InputError: names what is missing.
    """
    if files is None:
        return
    if not any(files):
        raise InputError("--demos names no file; name one, or leave the option out")
    # After the options are read: it imports Gymnasium.
    from headstart.demos.foreign.sources import check_exists

    for source in files:
        check_exists(source)


def directory_names(env_id: str, preset: str, place: str = "runs") -> Iterator[Path]:
    """Yield the directories that runs of an environment have if no other is asked for."""
    name, _, arguments = env_id.partition(",")
    parts = (name.rpartition(":")[2], arguments[:_LONGEST], preset)
    plain = re.sub(r"[^\w.=-]+", "-", "-".join(part for part in parts if part))
    for number in count(1):
        yield Path(place) / f"{plain}-{number}"
