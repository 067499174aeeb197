"""Whether and how success shows, and whether goals are made of what is declared."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.envs import probe
from headstart.envs.goal_env import SUCCESS_UNTOLD, GoalSpec, find_success_key, success_key
from headstart.envs.trial import Trial


def find_false_success(trial: Trial) -> Iterator[str]:
    """Yield successes that are not shown, or that the reward denies."""
    steps = trial.steps
    key = success_key(steps.infos[-1])
    odd = [value for value in _values(steps.infos) if not probe.is_number(value)]
    if not find_success_key(trial.env, steps).is_shown:
        yield SUCCESS_UNTOLD
    elif odd:
        yield f"info[{key!r}] is {probe.in_words(odd[0])}: let it be True or False"
    else:
        success, best = successes(steps.infos), _is_best(trial)
        wrong = int((success & ~best).sum())
        if wrong and not (success & best).any():
            yield (
                f"steps that succeed, by info[{key!r}], are paid less than others: a policy would "
                f"avoid its goal; let compute_reward pay most at the goal"
            )
        elif wrong:
            yield (
                f"info[{key!r}] calls {wrong} of {len(steps)} steps a success that are not paid "
                f"the reward of the goal: let both use one threshold"
            )


def advise(trial: Trial) -> Iterator[str]:
    """Yield successes that come by themselves, or are not all that is paid for."""
    steps = trial.steps
    success, best = successes(steps.infos), _is_best(trial)
    key = success_key(steps.infos[-1])
    unpaid = int((best & ~success).sum())
    if success.all():
        yield (
            f"all of {len(steps)} steps with random actions are a success: there is nothing to "
            f"learn"
        )
    elif key is not None and unpaid and not best.all():
        yield (
            f"{unpaid} of {len(steps)} steps are paid the reward of the goal and are not a "
            f"success, by info[{key!r}]: a policy may stay where it is paid"
        )


def _is_best(trial: Trial) -> NDArray[np.bool_]:
    """Return which steps are paid the larger of two rewards; all of them if there are not two."""
    steps = trial.steps
    levels = np.unique(np.concatenate([steps.rewards, trial.at_goals]))
    # Of more levels it is not known which of them is paid at the goal.
    return steps.rewards == levels[1] if len(levels) == 2 else np.ones(len(steps), bool)


def successes(infos: Sequence[Mapping[str, Any]]) -> NDArray[np.bool_]:
    """Return which steps say that they reached the goal, ``(n,)``."""
    return np.array([bool(np.all(value)) for value in _values(infos)])


def _values(infos: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return what each step says of its success; ``False`` where it says nothing."""
    return [np.squeeze(info.get(success_key(info) or "", False)) for info in infos]


_FAR = 1e3


def advise_on_goals(trial: Trial, spec: GoalSpec) -> Iterator[str]:
    """Yield components that the reward does not look at, and regions without goals."""
    goals, infos = trial.steps.desired_goals, trial.steps.infos
    for component in spec.components:
        away = goals.astype(np.float64)
        away[:, component.entries] += _FAR
        if np.array_equal(probe.rewards_of(trial.env, away, goals, infos), trial.at_goals):
            yield (
                f"the reward is the same wherever the component {component.name!r} of a goal is: "
                f"correct goal_components, or compute_reward"
            )
    if spec.regions is None:
        return
    starts = np.stack([episode.states[0]["desired_goal"] for episode in trial.episodes])
    names = spec.regions.names(starts)
    for name in (spec.regions.above, spec.regions.below):
        if name not in names:
            yield (
                f"none of the goals of {len(names)} episodes lies in the region {name!r}: correct "
                f"goal_regions"
            )
