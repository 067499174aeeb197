"""``headstart teleop``."""

import argparse
import signal
import threading

from headstart.cli.demos.saving import on_signal
from headstart.cli.page import add_page, page_of
from headstart.cli.parser import Parser, add_force, add_seed, at_least
from headstart.cli.settings import add_task, task_of
from headstart.cli.trust import open_policy
from headstart.demos.experts import expert_for
from headstart.demos.storage import DemoSet
from headstart.envs.make import make_env
from headstart.errors import require
from headstart.files.output import DEMO_FILES, check_new_output
from headstart.files.paths import user_path
from headstart.rollout.job import Behaviour
from headstart.text import counted

DESCRIPTION = """\
Demonstrate in the browser: open the link that is printed, and steer with keyboard, gamepad, mouse,
touch or a headset. What is kept is in the file at once. Needs `pip install 'headstart[web]'`.

examples:
  headstart teleop FetchPickAndPlace-v4 --out demos.npz
  headstart teleop FetchPickAndPlace-v4 --out one.npz --episodes 1
  headstart teleop FetchPush-v4 --out demos.npz --assist expert
"""
_PORT = 8935


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    parser.add_argument("env", metavar="ENV", help="Gymnasium id, e.g. FetchPickAndPlace-v4")
    parser.add_argument("--out", type=user_path, required=True, help="the .npz file to write")
    add_force(parser)
    parser.add_argument("--episodes", type=at_least(1), help="end after so many are kept")
    add_seed(parser, "scenes")
    parser.add_argument(
        "--assist",
        metavar="WHO",
        help="a ghost that helps as much as the page says: `expert`, a policy file or a run "
        "directory",
    )
    parser.add_argument(
        "--size", type=int, default=480, help="width and height of the picture in pixels (480)"
    )
    parser.add_argument(
        "--diagram", action="store_true", help="draw places instead of the scene; needs no OpenGL"
    )
    add_page(parser, _PORT)
    add_task(parser, unexplained="ignore")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    out = arguments.out
    require(64 <= arguments.size <= 1024, "--size must lie in [64, 1024]", arguments.size)
    check_new_output(out, "a demo file", DEMO_FILES, force=arguments.force)
    make_env(arguments.env).close()
    demos = _recorded(arguments)
    if demos is None:
        print(f"{out}: not written, nothing was kept")
        return
    print(
        f"{out}: {counted(len(demos.episodes), 'demonstration')} of {demos.env_id}, "
        f"{counted(demos.num_transitions, 'transition')}, {demos.success_rate:.0%} successful"
    )


def _recorded(arguments: argparse.Namespace) -> DemoSet | None:
    """Record, and return what was kept.

    Raises:
        KeyboardInterrupt: on Ctrl-C or SIGTERM; the file holds what was kept.
    """
    # Here: that websockets is missing is said in the words of the verb.
    from headstart.web.server import page_files
    from headstart.web.teleop.messages import read_message
    from headstart.web.teleop.run import PAGE, TeleopPlan, teleoperate

    plan = TeleopPlan(
        env=arguments.env,
        out=arguments.out,
        episodes=arguments.episodes,
        seed=arguments.seed,
        size=arguments.size,
        ghost=_ghost(arguments),
        ghost_name=arguments.assist,
        task=task_of(arguments),
        draw=not arguments.diagram,
    )
    stop = threading.Event()
    with page_of(arguments, page_files(*PAGE), read_message) as server:
        print(f"open {server.link}", flush=True)
        with on_signal(lambda *_: stop.set(), signal.SIGINT, signal.SIGTERM):
            demos = teleoperate(plan, server, stop.is_set)
    if stop.is_set():
        kept = 0 if demos is None else len(demos.episodes)
        held = f"{arguments.out} holds {counted(kept, 'demonstration')}"
        raise KeyboardInterrupt(f"interrupted; {held if kept else 'nothing was kept'}")
    return demos


def _ghost(arguments: argparse.Namespace) -> Behaviour | None:
    if arguments.assist is None:
        return None
    if arguments.assist == "expert":
        return expert_for(arguments.env)
    return open_policy(user_path(arguments.assist), arguments.env, arguments.command)[0]
