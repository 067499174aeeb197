"""What ``train`` and ``resume`` are given, in the forms that callers have it in."""

import difflib
from collections.abc import Mapping
from typing import Any, get_args

from headstart.data.strategies import GoalStrategy
from headstart.errors import InputError
from headstart.presets import PRESETS
from headstart.training.config import StrategyName, TrainConfig

ConfigLike = TrainConfig | str | Mapping[str, Any]
"""A configuration, the name of a preset, or values by dotted name that differ from ``fast``."""


def open_config(config: ConfigLike | None) -> TrainConfig:
    """Return a configuration; ``fast`` for ``None``.

    Raises:
        InputError: if there is no such preset or setting, or it is none of what ``config`` may be.
    """
    if config is None:
        return PRESETS["fast"]
    if isinstance(config, TrainConfig):
        return config
    if isinstance(config, Mapping):
        return PRESETS["fast"].with_(config)
    if not isinstance(config, str):
        raise InputError(
            f"config must be a TrainConfig, a preset ({', '.join(PRESETS)}) or a dict of settings, "
            f"got {type(config).__name__}"
        )
    if config not in PRESETS:
        close = difflib.get_close_matches(config, PRESETS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(PRESETS)}"
        raise InputError(f"unknown preset {config!r}; {hint}")
    return PRESETS[config]


def open_strategy(
    config: TrainConfig, goal_strategy: GoalStrategy | StrategyName | None
) -> tuple[TrainConfig, GoalStrategy | None]:
    """Return the configuration, and the caller's own function for hindsight goals, if there is one.

    The name of a strategy becomes ``config.hindsight.strategy``.

    Raises:
        InputError: if there is no such strategy, or it cannot be called.
    """
    is_class = isinstance(goal_strategy, type)
    if goal_strategy is None or (callable(goal_strategy) and not is_class):
        return config, goal_strategy
    names = get_args(StrategyName)
    if goal_strategy not in names:
        raise InputError(
            f"goal_strategy must be one of {', '.join(names)}, or a function of (rows, rng), got "
            f"{goal_strategy!r}"
        )
    return config.with_({"hindsight.strategy": goal_strategy}), None
