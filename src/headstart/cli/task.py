"""The options that declare facts of an environment, for verbs that take few others."""

import argparse

from headstart.cli.settings import add_settings
from headstart.dotted import change_settings, walk
from headstart.envs.task import LAYOUT, TaskConfig, UnexplainedReward


def add_task(
    parser: argparse.ArgumentParser,
    unexplained: UnexplainedReward = "refuse",
    *,
    layout: bool = True,
) -> None:
    """Let the user declare what the environment does not say of itself.

    Args:
        parser: of the verb.
        unexplained: what is done with a reward that is not explained unless the user says so.
        layout: whether what the entries of states and actions mean can be declared too.
    """
    declared = TaskConfig(unexplained_reward=unexplained)
    left_out = () if layout else (*LAYOUT, "state_mirror")
    settings = walk(declared, "task.")
    add_settings(parser, (it for it in settings if it.name.split(".")[1] not in left_out))
    parser.set_defaults(declared=declared)


def task_of(arguments: argparse.Namespace) -> TaskConfig:
    """Return what the options declare.

    Raises:
        InputError: if a value is refused.
    """
    given = {name.removeprefix("task."): value for name, value in arguments.changes.items()}
    declared: TaskConfig = change_settings(arguments.declared, given)
    return declared
