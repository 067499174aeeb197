"""The options that declare facts of an environment, for verbs that take few others."""

import argparse
from typing import Any

from headstart.envs.task import TaskConfig, UnexplainedReward

_LAYOUT = {
    "velocities": "of the observation that are velocities",
    "positions": "first ones of positions in the observation, all in one frame",
    "goal_positions": "first ones of positions in a goal, in the same frame",
    "hand": "first one of the hand's position",
    "angles": "of the observation that are angles in that frame",
    "shift_axes": "of the frame, along which the whole scene may be moved",
    "hand_actions": "of the action that move the hand, one for each axis of the frame",
    "hand_steps": "how far a unit of each of these moves the hand in a step",
    "gripper_action": "of the action that opens and closes the gripper",
}
_SINGLE = ("hand", "gripper_action")


def add_task(parser: argparse.ArgumentParser, unexplained: UnexplainedReward = "refuse") -> None:
    """Let the user declare what the environment does not say of itself.

    Args:
        parser: of the verb.
        unexplained: what is done with a reward that is not explained unless the user says so.
    """
    task = parser.add_argument_group("what is declared of the environment, as for `train`")
    task.add_argument(
        "--task.success-terminates",
        choices=["True", "False"],
        help="reaching the goal ends an episode",
    )
    task.add_argument(
        "--task.reward-range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="lowest and highest reward of a step",
    )
    task.add_argument(
        "--task.unexplained-reward",
        choices=["refuse", "add", "ignore"],
        default=unexplained,
        help=f"what step pays and compute_reward does not ({unexplained})",
    )


def add_layout(parser: argparse.ArgumentParser) -> None:
    """Let the user declare what the entries of a state mean."""
    layout = parser.add_argument_group("what the entries of a state mean, from 0 on")
    for name, help_text in _LAYOUT.items():
        several, is_length = name not in _SINGLE, name == "hand_steps"
        layout.add_argument(
            f"--task.{name.replace('_', '-')}",
            nargs="*" if several else None,
            type=float if is_length else int,
            metavar="LENGTH" if is_length else "ENTRY",
            help=help_text,
        )


def task_of(arguments: argparse.Namespace) -> TaskConfig:
    """Return what the options declare.

    Raises:
        InputError: if a value is refused.
    """
    given = vars(arguments)
    ends, bounds = given["task.success_terminates"], given["task.reward_range"]
    layout: dict[str, Any] = {name: given.get(f"task.{name}") for name in _LAYOUT}
    layout = {name: tuple(it) if isinstance(it, list) else it for name, it in layout.items()}
    return TaskConfig(
        success_terminates=None if ends is None else ends == "True",
        reward_range=bounds and (bounds[0], bounds[1]),
        unexplained_reward=given["task.unexplained_reward"],
        **layout,
    )
