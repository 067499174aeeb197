"""The options that declare facts of an environment, for verbs that take few others."""

import argparse

from headstart.envs.task import TaskConfig


def add_task(parser: argparse.ArgumentParser) -> None:
    """Let the user declare what the environment does not say of itself."""
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
        default="refuse",
        help="what step pays and compute_reward does not (refuse)",
    )


def task_of(arguments: argparse.Namespace) -> TaskConfig:
    """Return what the options declare.

    Raises:
        InputError: if a value is refused.
    """
    given = vars(arguments)
    ends, bounds = given["task.success_terminates"], given["task.reward_range"]
    return TaskConfig(
        success_terminates=None if ends is None else ends == "True",
        reward_range=bounds and (bounds[0], bounds[1]),
        unexplained_reward=given["task.unexplained_reward"],
    )
