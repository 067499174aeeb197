"""Whether successes are told, and agree with the reward."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.envs import probe
from headstart.envs.goal_env import SUCCESS_UNTOLD, success_key, tells_success
from headstart.envs.trial import Trial


def find_false_success(trial: Trial) -> Iterator[str]:
    """Yield successes that cannot be told, or that contradict the reward."""
    env, steps = trial.env, trial.steps
    key = success_key(steps.infos[-1])
    if not tells_success(env, steps):
        yield SUCCESS_UNTOLD
        return
    at_goals = probe.rewards_of(env, steps.desired_goals, steps.desired_goals, steps.infos)
    levels = np.unique(np.concatenate([steps.rewards, at_goals]))
    odd = [value for value in _told(steps.infos) if not probe.is_number(value)]
    if odd:
        yield f"info[{key!r}] is {probe.in_words(odd[0])}: let it be True or False"
    elif key is not None and len(levels) == 2:
        yield from _contradictions(steps, key, levels)


def _contradictions(steps: probe.Probe, key: str, levels: NDArray[Any]) -> Iterator[str]:
    """Yield successes that a reward of two levels denies."""
    success, best = successes(steps.infos), steps.rewards == levels[1]
    wrong = int((success != best).sum())
    if wrong and success.any() and not (success & best).any():
        yield (
            f"steps that succeed, by info[{key!r}], are paid {levels[0]:g} and others "
            f"{levels[1]:g}: a policy would avoid its goal; let compute_reward pay most at the goal"
        )
    elif wrong:
        yield (
            f"info[{key!r}] contradicts the reward in {wrong} of {len(steps)} steps: let both use "
            f"one threshold"
        )


def successes(infos: Sequence[Mapping[str, Any]]) -> NDArray[np.bool_]:
    """Return which steps say that they reached the goal, ``(n,)``."""
    return np.array([bool(np.all(value)) for value in _told(infos)])


def _told(infos: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return what each step says of its success; ``False`` where it says nothing."""
    return [np.squeeze(info.get(success_key(info) or "", False)) for info in infos]
