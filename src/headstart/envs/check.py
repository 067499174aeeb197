"""What is wrong with a goal environment, in plain words, and what to do about it."""

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym

from headstart.data.layout import StateLayout
from headstart.envs.goal_env import GoalReward, GoalSpec, success_key
from headstart.envs.layout import without_frame
from headstart.envs.looks import ends, episodes, hand, rewards, success
from headstart.envs.make import env_source, make_env
from headstart.envs.restoring import NotRestored, restoring_problem
from headstart.envs.reward_facts import AVOIDS_GOALS
from headstart.envs.snapshot import restorable, why_not
from headstart.envs.source import EnvLike, EnvSource
from headstart.envs.symmetry_check import mirror_defect
from headstart.envs.task import TaskConfig
from headstart.envs.trial import Trial, record
from headstart.errors import InputError, require

_LOOKS = (
    episodes.find_moving_goals,
    rewards.find_kept_info,
    rewards.find_unexplained,
    rewards.find_impure,
    rewards.find_blind_to_goals,
    episodes.find_irreproducible,
    episodes.find_refused_seeds,
    episodes.find_deaf,
    success.find_false_success,
    ends.find_contradicted_method,
)


@dataclass(frozen=True)
class EnvReport:
    """What ``check_env`` found."""

    env_id: str
    spec: GoalSpec | None
    """What training would know of the environment; ``None`` where it would refuse it."""
    ends_at_goal: bool | None
    """Whether reaching the goal ends an episode, as declared or seen; ``None`` if neither."""
    success: str
    """What shows a success."""
    restores_states: bool | None
    """Whether its states are restored, as resets to demonstration states need; ``None`` where that
    was not tried because of other problems."""
    restores_why_not: str | None
    """Why they are not."""
    steps_per_second: float
    likely_layout: StateLayout | None
    """What the entries of a state mean besides, if a frame was found that nobody has declared."""
    mirror_defect: str | None
    """Why its mirror image is not used; ``None`` if it is, or if there is none."""
    problems: tuple[str, ...]
    """What makes learning wrong or impossible."""
    advice: tuple[str, ...]
    """What makes learning slower or less exact than it could be."""


def check_env(
    env: EnvLike,
    task: TaskConfig | None = None,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
) -> EnvReport:
    """Try an environment: the goal contract, and whether its parts agree with one another.

    Args:
        env: an environment, its Gymnasium id, its class, or a function that returns one; see
            ``make_env``.
        task: what is declared of it from outside, as for training.
        env_kwargs: arguments of the environment, besides those that follow an id.

    Raises:
        InputError: if it cannot be built or lacks a part of the contract, which is then named.
    """
    require(isinstance(task, TaskConfig | None), "task must be a TaskConfig", repr(task))
    source = env_source(env, env_kwargs)
    trial = _try(source, task or TaskConfig())
    problems = _find(trial, _LOOKS)
    reward, likely = _reward(trial, problems)
    defect = None if reward is None else _find_asymmetry(trial, reward.spec, problems)
    advice = [] if reward is None else _hold_against(trial, reward, problems)
    # What else is wrong shows in restored states too, and is not reported twice.
    tries_states = not problems
    not_restored = _restoring(trial.env) if tries_states else None
    if not_restored is not None and not_restored.is_defect:
        problems.append(not_restored.reason)
    speed = 0.0
    try:
        begun = time.perf_counter()
        steps = len(record(trial.env, seed=0))
        speed = steps / (time.perf_counter() - begun)
        trial.env.close()
    except Exception as error:
        problems.append(_failure(error))
    key = next(filter(None, map(success_key, trial.steps.infos)), None)
    return EnvReport(
        env_id=source.name,
        spec=None if reward is None else reward.spec,
        ends_at_goal=None if reward is None else reward.terminates,
        success=f"info[{key!r}]" if key else "the reward of the goal itself",
        restores_states=not_restored is None if tries_states else None,
        restores_why_not=None if not_restored is None else not_restored.reason,
        steps_per_second=speed,
        likely_layout=likely,
        mirror_defect=defect,
        problems=tuple(dict.fromkeys(problems)),
        advice=tuple(advice),
    )


def _hold_against(trial: Trial, reward: GoalReward, problems: list[str]) -> list[str]:
    """Add to the problems what contradicts the facts that training would use; return advice."""
    problems += _find(trial, [partial(ends.find_contradicted_declaration, reward=reward)])
    if reward.spec.reward_units.avoids_goals:
        problems.append(AVOIDS_GOALS)
    problems += _find(trial, [partial(hand.find_misdeclared, layout=reward.spec.layout)])
    advice = [*rewards.advise(trial, reward.spec)]
    # What is wrong would be reported a second time, in other words.
    if not problems:
        advice += success.advise(trial)
        refused, warned = ends.find_unlearnable(trial, reward)
        problems += refused
        advice += warned
        advice += _find(trial, [partial(success.advise_on_goals, spec=reward.spec)])
    return [*advice, *ends.advise_on_time_limit(trial), *episodes.advise_on_seeds(trial)]


def _reward(trial: Trial, problems: list[str]) -> tuple[GoalReward | None, StateLayout | None]:
    """Return the reward as training would use it, and what else steps show of the layout of states.

    ``None``, and a problem, if training would refuse it. It uses what else they show once that is
    declared.
    """
    try:
        spec = GoalSpec.from_env(trial.env, trial.task, success_needed=False, detect="frame")
        if spec.origins.get("layout") != "detected":
            return GoalReward(trial.env, spec), None
        used = without_frame(spec.layout, spec.goal_dim)
        likely = None if spec.layout == used else spec.layout
        return GoalReward(trial.env, replace(spec, layout=used)), likely
    except Exception as error:
        if not problems:
            problems.append(_failure(error))
        return None, None


def _find_asymmetry(trial: Trial, spec: GoalSpec, problems: list[str]) -> str | None:
    """Return why its mirror image is not used, which is a problem if it is declared."""
    if spec.mirror is None:
        return None
    try:
        defect = mirror_defect(trial.env, spec.mirror)
    except Exception as error:
        defect = _failure(error)
    if defect is not None and spec.origins["mirror"] == "declared":
        problems.append(f"{defect}: correct its state_mirror, or leave it out")
    return defect


def _try(source: EnvSource, task: TaskConfig) -> Trial:
    """Return the environment, and what it did in some episodes."""
    try:
        return Trial.of(lambda: make_env(source), task)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(
            f"{source.name}: it cannot be built, reset or stepped: {_short(error)}"
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


def _failure(error: Exception) -> str:
    """Return what an error says in the report, where an ``InputError`` speaks for itself."""
    is_ours = isinstance(error, InputError)
    return str(error) if is_ours else f"the environment fails: {_short(error)}"


def _short(error: BaseException) -> str:
    """Return an error, and where it was raised, as one line."""
    if isinstance(error.__cause__, TypeError):  # Gymnasium wraps one of the constructor.
        error = error.__cause__
    text = (str(error) or "no message").splitlines()[0]
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {text} ({Path(where.filename).name}, line {where.lineno})"
