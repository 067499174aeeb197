"""``headstart demos play``."""

import argparse
import contextlib
from typing import Any

from headstart.cli.parser import add_force, at_least
from headstart.cli.trust import check_widths, trusted_env
from headstart.demos.resets import check_snapshots
from headstart.demos.storage import load_demos
from headstart.envs.make import make_env
from headstart.errors import InputError
from headstart.files.output import VIDEOS, check_new_output
from headstart.files.paths import user_path
from headstart.terminal import progress_bar
from headstart.text import counted
from headstart.viz.gl import check_screen, open_window
from headstart.viz.video import record_demos, states_of

DESCRIPTION = """\
Show demonstrations as they were, state by state: in a window, or in a video, which needs no screen.

examples:
  headstart demos play demos.npz
  headstart demos play demos.npz --video demos.mp4 --episodes 10
"""
_VIDEO = "demos.mp4"


def add_action(actions: Any) -> None:
    """Say what the action takes."""
    play = actions.add_parser("play", help="watch demonstrations", description=DESCRIPTION)
    play.add_argument("file", type=user_path, metavar="FILE", help="a demo file")
    play.add_argument(
        "--video", type=user_path, metavar="OUT.mp4", help="write a video (.mp4, .gif)"
    )
    add_force(play)
    play.add_argument("--episodes", type=at_least(1), default=5, help="episodes to show (5)")
    play.add_argument("--first", type=int, default=0, help="number of the first one (0)")
    play.add_argument("--env", metavar="ENV", help="environment, if not the file's own")
    play.set_defaults(run=_play)


def _play(arguments: argparse.Namespace) -> None:
    count, first, video = arguments.episodes, arguments.first, arguments.video
    if video is not None:
        check_new_output(video, "a video", VIDEOS, force=arguments.force)
    demos = load_demos(arguments.file)
    if not 0 <= first < len(demos.episodes):
        raise InputError(f"--first must lie in [0, {len(demos.episodes) - 1}], got {first}")
    if video is None:
        check_screen(_VIDEO)
    env_id = trusted_env(arguments.file, demos.env_id, arguments.env, arguments.command)
    with contextlib.closing(make_env(env_id)) as env:
        check_widths(arguments.file, demos.widths, env_id, env)
    shown = demos.episodes[first : first + count]
    if video is None:
        check_snapshots(shown)
        with open_window(env_id, _VIDEO) as env:
            for episode in shown:
                for _ in states_of(env, episode):
                    env.render()
        return
    with progress_bar("recording", len(shown)) as tick:
        record_demos(shown, env_id, video, on_episode=tick)
    print(f"{video}: {counted(len(shown), 'demonstration')}")
