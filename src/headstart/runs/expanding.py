"""Demonstrations made of those that a run is given, at its beginning."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.demos.expansion.cost import cost_of, expansion_env_steps
from headstart.demos.expansion.expand import Expansion
from headstart.demos.expansion.rounds import ExpansionPlan
from headstart.demos.expansion.workspace import Workspace
from headstart.demos.record import CollectingInterrupted
from headstart.demos.resets import check_resets
from headstart.demos.storage import DemoSet
from headstart.envs.goal_env import GoalSpec
from headstart.envs.make import make_env
from headstart.envs.source import EnvSource
from headstart.errors import InputError
from headstart.presets import PRESETS
from headstart.rollout.executors import Executor
from headstart.text import counted
from headstart.training.config import TrainConfig

_COUNT = 100
"""Demonstrations that are made by default, for each place in a goal."""
_FEW = 20
"""Demonstrations that are few."""
_SLOW = 0.5
"""Share of the hand's largest step that slow demonstrations never reach."""
_SPEED, _SPEED_OF_SLOW = 1.0, 2.0
"""Of the hand in what is made of others, and of slow ones: there is something to make up for."""

_log = logging.getLogger("headstart")


def expand(
    source: EnvSource, config: TrainConfig, spec: GoalSpec, demos: DemoSet, executor: Executor
) -> tuple[DemoSet, TrainConfig, int]:
    """Make demonstrations of others, if the settings ask for it or it is worth it.

    Returns:
        The demonstrations to learn from, the settings with which to use all of them, and how many
        env steps making them has taken.

    Raises:
        InputError: if the settings ask for it, and it fails.
    """
    asked = config.demos.expand
    count = asked if asked is not None else _worth_making(config, spec, demos)
    if count == 0:
        warn_unused(config)
        return demos, config.with_({"demos.expand": 0}), expansion_env_steps(demos.header)
    before, taken = expansion_env_steps(demos.header), 0
    # In an environment of its own: that of the reward is kept for it.
    with contextlib.closing(make_env(source)) as env:
        try:
            used = config.with_({"demos.expand_speed": _speed(config, spec, demos)})
            expansion = _expansion(env, used, spec, demos, count)
            try:
                with not_kept("expand"):
                    made = expansion.run(executor)
            finally:
                taken = expansion.cost.env_steps
        except InputError as error:
            if asked is not None:
                raise
            _log.info("%s; learning from the demonstrations as they are (%s spent)",
                      error, counted(taken, "env step"))  # fmt: skip
            return demos, config.with_({"demos.expand": 0}), before + taken
        if config.resets.probability:
            check_resets(env, made)
    _log.info(
        "%s: %s made from %s, in %s%s",
        spec.env_id,
        counted(count, "demonstration"),
        len(demos.episodes),
        counted(taken, "env step"),
        "" if asked is not None else " (--demos.expand 0 learns from these alone)",
    )
    return made, used.with_({"demos.num_episodes": None, "demos.expand": count}), before + taken


def warn_unused(config: TrainConfig) -> None:
    """Name the settings of an expansion that does not take place, but for those of presets."""
    unused = [
        f"demos.{name}={value}"
        for name in ("expand_speed", "expand_noise")
        if (value := getattr(config.demos, name))
        not in [getattr(preset.demos, name) for preset in PRESETS.values()]
    ]
    if unused:
        _log.warning("no demonstrations are expanded: %s changes nothing", " and ".join(unused))


def check_expandable(
    source: EnvSource, config: TrainConfig, spec: GoalSpec, demos: DemoSet
) -> None:
    """Refuse demonstrations of which others are to be made and cannot be.

    Raises:
        InputError: if the settings ask for it, and the hand or all demonstrations forbid it.
    """
    if config.demos.expand:
        with contextlib.closing(make_env(source)) as env:
            _expansion(env, config, spec, demos, config.demos.expand)


@contextlib.contextmanager
def not_kept(verb: str) -> Iterator[None]:
    """Say of demonstrations that are lost by Ctrl-C how a verb of ``headstart demos`` keeps them.

    Raises:
        KeyboardInterrupt: if there are some.
    """
    try:
        yield
    except CollectingInterrupted as interrupt:
        made = counted(len(interrupt.demos.episodes), "demonstration")
        raise KeyboardInterrupt(
            f"interrupted; of {made} made so far nothing is kept: `headstart demos {verb}` makes "
            f"them first, into a file"
        ) from None


def _expansion(
    env: gym.Env[Any, Any], config: TrainConfig, spec: GoalSpec, demos: DemoSet, count: int
) -> Expansion:
    speed = config.demos.expand_speed or _SPEED
    plan = ExpansionPlan(
        episodes=count, speed=speed, noise=config.demos.expand_noise, seed=config.seed
    )
    return Expansion(env, spec, demos, plan)


def _speed(config: TrainConfig, spec: GoalSpec, demos: DemoSet) -> float:
    if config.demos.expand_speed is not None:
        return config.demos.expand_speed
    return _SPEED_OF_SLOW if _are_slow(demos, Workspace.of(spec)) else _SPEED


def _worth_making(config: TrainConfig, spec: GoalSpec, demos: DemoSet) -> int:
    """Return how many demonstrations to make: where they are few or slow, and the run is long."""
    can_be_played = spec.layout.hand_actions and spec.layout.goal_positions
    if not can_be_played or cost_of(demos.header) is not None:
        return 0
    if len(demos.episodes) > _FEW and not _are_slow(demos, Workspace.of(spec)):
        return 0
    count, least = _COUNT * len(spec.layout.goal_positions), _COUNT * spec.max_episode_steps
    if config.env_steps >= least:
        return count
    _log.info(
        "learning from %s alone; runs of %d env steps or more make %d of them first, and so does "
        "--demos.expand %d",
        counted(len(demos.episodes), "demonstration"),
        least,
        count,
        count,
    )
    return 0


def _are_slow(demos: DemoSet, workspace: Workspace) -> bool:
    """Return whether most demonstrations never move the hand half as fast as it can be moved."""
    fastest = [
        np.abs(np.diff(workspace.hand(episode.observations), axis=0)).max() for episode in demos
    ]
    return bool(np.median(fastest) < _SLOW * workspace.pace)
