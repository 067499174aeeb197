"""Demonstrations from nothing at the beginning of a run that is given none."""

import contextlib
import logging

from headstart.demos.expansion.cost import expansion_env_steps
from headstart.demos.expansion.rounds import ExpansionPlan
from headstart.demos.finding.find import Finding, NothingFoundError
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.envs.source import EnvSource
from headstart.errors import InputError
from headstart.rollout.executors import Executor
from headstart.runs.expanding import not_kept
from headstart.text import counted
from headstart.training.config import TrainConfig

_COUNT = 100
"""Demonstrations that are made by default."""

_log = logging.getLogger("headstart")


def open_finding(source: EnvSource, config: TrainConfig, spec: GoalSpec) -> Finding | None:
    """Return a search for demonstrations, where there is a hand, and an object or a way to go.

    Raises:
        InputError: if there is not, and the settings ask for demonstrations nevertheless.
    """
    asked = config.demos.find
    if asked == 0 or (asked is None and not spec.layout.hand_actions):
        return None
    plan = ExpansionPlan(episodes=asked or _COUNT, seed=config.seed)
    # In an environment of its own: that of the reward is kept for it.
    with contextlib.closing(make_env(source)) as env:
        try:
            finding = Finding(env, spec, plan)
        except InputError:
            if asked is not None:
                raise
            return None
    return finding if finding.pays or asked is not None else None


def found_demos(
    finding: Finding, config: TrainConfig, executor: Executor
) -> tuple[DemoSet | None, int]:
    """Return the demonstrations, and how many env steps they took; ``None`` if nothing is found.

    Raises:
        NothingFoundError: if nothing is found, and the settings ask for demonstrations.
    """
    try:
        with not_kept("find"):
            made = finding.run(executor)
    except NothingFoundError as error:
        if config.demos.find is not None:
            raise
        _log.info(
            "%s; learning without demonstrations (%d env steps spent)", error, error.env_steps
        )
        return None, error.env_steps
    spent = expansion_env_steps(made.header)
    _log.info(
        "%s made from nothing, in %s (--demos.find 0 learns without)",
        counted(len(made.episodes), "demonstration"),
        counted(spent, "env step"),
    )
    return made, spent


def after_finding(config: TrainConfig, made: DemoSet | None) -> TrainConfig:
    """Return the settings with which to use all that is made."""
    count = 0 if made is None else len(made.episodes)
    return config.with_({"demos.num_episodes": None, "demos.find": count})
