"""What is wrong with a goal environment, in plain words, and what to do about it."""

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym

from headstart.envs.goal_env import GoalSpec, success_key
from headstart.envs.looks import ends, episodes, rewards
from headstart.envs.make import make_env
from headstart.envs.restoring import NotRestored, restoring_problem
from headstart.envs.snapshot import restorable, why_not
from headstart.envs.trial import Trial, record
from headstart.errors import InputError

_LOOKS = (
    episodes.find_moving_goals,
    rewards.find_kept_info,
    rewards.find_unexplained,
    rewards.find_impure,
    episodes.find_irreproducible,
    episodes.find_refused_seeds,
    episodes.find_deaf,
    ends.find_unforeseen_ends,
)
_LOOKS_WITH_SPEC = (ends.find_false_declaration, ends.find_outside_of_range)


@dataclass(frozen=True)
class EnvReport:
    """What ``check_env`` found."""

    env_id: str
    spec: GoalSpec | None
    """What training would know of the environment; ``None`` where it would refuse it."""
    success: str
    """What shows a success."""
    restores_states: bool | None
    """Whether its states are restored, as resets to demonstration states need; ``None`` where that
    was not tried because of other problems."""
    restores_why_not: str | None
    """Why they are not."""
    steps_per_second: float
    problems: tuple[str, ...]
    """What makes learning wrong or impossible."""
    advice: tuple[str, ...]
    """What makes learning slower or less exact than it could be."""


def check_env(env_id: str) -> EnvReport:
    """Try an environment: the goal contract, and whether its parts agree with one another.

    Raises:
        InputError: if it cannot be built or lacks a part of the contract, which is then named.
    """
    trial = _try(env_id)
    problems = _find(trial, _LOOKS)
    spec = None
    try:
        spec = GoalSpec.from_env(trial.env, success_needed=False)
    except Exception as error:
        if not problems:
            problems.append(_failure(error))
    advice: list[str] = []
    if spec is not None:
        problems += _find(trial, [partial(look, spec=spec) for look in _LOOKS_WITH_SPEC])
        problems += _find(trial, [ends.find_false_success])
        advice += [*ends.advise(trial, spec), *episodes.advise_on_seeds(trial)]
    # What else is wrong shows in restored states too, and is not reported twice.
    tries_states = not problems
    not_restored = _restoring(trial.env) if tries_states else None
    if not_restored is not None and not_restored.is_defect:
        problems.append(not_restored.reason)
    speed = 0.0
    try:
        speed = _steps_per_second(trial.env)
        trial.env.close()
    except Exception as error:
        problems.append(_failure(error))
    key = next(filter(None, map(success_key, trial.steps.infos)), None)
    shown = f"info[{key!r}]" if key else "the reward of the goal itself"
    return EnvReport(
        env_id=env_id,
        spec=spec,
        success=shown,
        restores_states=not_restored is None if tries_states else None,
        restores_why_not=None if not_restored is None else not_restored.reason,
        steps_per_second=speed,
        problems=tuple(dict.fromkeys(problems)),
        advice=tuple(advice),
    )


def _try(env_id: str) -> Trial:
    """Return the environment, and what it did in some episodes."""
    try:
        return Trial.of(lambda: make_env(env_id))
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{env_id}: it cannot be built, reset or stepped: {_short(error)}"
        ) from error


def _find(trial: Trial, looks: Sequence[Callable[[Trial], Iterator[str]]]) -> list[str]:
    """Return what the looks find, or how the environment fails under them."""
    problems: list[str] = []
    for look in looks:
        try:
            problems += look(trial)
        except Exception as error:
            problems.append(_failure(error))
    return problems


def _restoring(env: gym.Env[Any, Any]) -> NotRestored | None:
    """Return why states are not restored; ``None`` if they are."""
    try:
        env.reset(seed=0)
        if restorable(env) is None:
            return NotRestored(why_not(env), False)
        return restoring_problem(env)
    except Exception as error:
        return NotRestored(_failure(error), True)


def _steps_per_second(env: gym.Env[Any, Any]) -> float:
    begun = time.perf_counter()
    steps = len(record(env, seed=0))
    return steps / (time.perf_counter() - begun)


def _failure(error: Exception) -> str:
    """Return what an error says in the report, where an ``InputError`` speaks for itself."""
    told = isinstance(error, InputError)
    return str(error) if told else f"the environment fails: {_short(error)}"


def _short(error: Exception) -> str:
    """Return an error, and where it was raised, as one line."""
    if isinstance(error.__cause__, TypeError):  # Gymnasium wraps one of the constructor.
        error = error.__cause__
    text = (str(error) or "no message").splitlines()[0]
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {text} ({Path(where.filename).name}, line {where.lineno})"
