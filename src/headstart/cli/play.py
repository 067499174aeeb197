"""``headstart play``."""

import argparse

from headstart.cli.parser import Parser, add_force, add_policy, add_seed, at_least
from headstart.cli.trust import open_policy
from headstart.files.output import VIDEOS, check_new_output
from headstart.files.paths import user_path
from headstart.rollout.job import EVALUATION, Behaviour, EpisodeJob, run_episode
from headstart.terminal import progress_bar
from headstart.text import counted
from headstart.viz.gl import check_screen, open_window
from headstart.viz.video import record_video

DESCRIPTION = """\
Show a policy at work: in a window, or in a video, which needs no screen.

examples:
  headstart play runs/first
  headstart play runs/first --video play.mp4 --episodes 10
"""
_VIDEO = "play.mp4"


def add_options(parser: Parser) -> None:
    """Say what the verb takes."""
    parser.description = DESCRIPTION
    add_policy(parser)
    parser.add_argument(
        "--video", type=user_path, metavar="OUT.mp4", help="write a video (.mp4, .gif)"
    )
    add_force(parser)
    parser.add_argument("--episodes", type=at_least(1), default=5, help="episodes to play (5)")
    add_seed(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    count = arguments.episodes
    if arguments.video is None:
        check_screen(_VIDEO)
    else:
        check_new_output(arguments.video, "a video", VIDEOS, force=arguments.force)
    policy, env_id = open_policy(arguments.policy, arguments.env, arguments.command)
    if arguments.video is None:
        _play_in_window(policy, env_id, count, arguments.seed)
        return
    with progress_bar("recording", count) as tick:
        rate = record_video(
            policy, env_id, arguments.video, episodes=count, seed=arguments.seed, on_episode=tick
        )
    print(f"{arguments.video}: {counted(count, 'episode')}, {rate:.0%} successful")


def _play_in_window(policy: Behaviour, env_id: str, count: int, seed: int) -> None:
    with open_window(env_id, _VIDEO) as env:
        for index in range(count):
            episode = run_episode(env, EpisodeJob(policy, seed, EVALUATION, index))
            print(f"episode {index + 1}/{count}: {'success' if episode.success else 'failure'}")
