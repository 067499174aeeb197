"""Whether ``compute_reward`` and ``compute_terminated`` are functions of their arguments."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.envs import probe
from headstart.envs.goal_env import GoalSpec
from headstart.envs.interface import GOAL_KEYS, layers, reset_env
from headstart.envs.trial import Trial, record

_EVERY = 5
"""Of this many questions one is asked again: a dependence on more shows in most of them."""


def find_unexplained(trial: Trial) -> Iterator[str]:
    """Yield rewards of ``step`` that ``compute_reward`` does not confirm."""
    wrong = list(probe.disagreements(trial.env, trial.steps))
    if not wrong or trial.task.unexplained_reward != "refuse":
        return
    number, stepped, computed = wrong[0]
    wrapper = _wrapper_to_blame(trial, number)
    what_to_do = (
        f"the wrapper {wrapper} changes the reward or the goals, leave it out or give it a "
        f"compute_reward of what it returns"
        if wrapper
        else "let it depend on its arguments alone, and let step return "
        "compute_reward(achieved_goal, desired_goal, info), or choose what to do with the "
        "difference by --task.unexplained-reward add or ignore"
    )
    yield (
        f"compute_reward disagrees with step in {len(wrong)} of {len(trial.steps)} steps, for "
        f"instance step said {stepped:g} and compute_reward {computed:g}: {what_to_do}"
    )


def _wrapper_to_blame(trial: Trial, number: int) -> str | None:
    """Return the wrapper that changes a step so that ``compute_reward`` does not confirm it.

    Args:
        trial: the environment.
        number: of the step among those of the trial.
    """
    seed, step = trial.places[number]
    confirmed = False
    for layer, answers in _answers_of_layers(trial, seed):
        before, confirmed = confirmed, _confirms(trial.env, answers[step])
        if before and not confirmed:
            return type(layer).__name__
    return None


def _answers_of_layers(
    trial: Trial, seed: int
) -> list[tuple[gym.Env[Any, Any], list[tuple[Any, ...]]]]:
    """Return what each layer, from the innermost on, returns from the steps of an episode."""
    answers = [(layer, list[tuple[Any, ...]]()) for layer in reversed([*layers(trial.env)])]

    def note(step: Callable[[Any], Any], kept: list[tuple[Any, ...]]) -> Callable[[Any], Any]:
        def noting(action: Any) -> Any:
            answer = step(action)
            kept.append(copy.deepcopy(answer))
            return answer

        return noting

    for layer, kept in answers:
        layer.step = note(layer.step, kept)
    try:
        record(trial.env, seed, len(trial.episodes[seed]))
    finally:
        for layer, _ in answers:
            del layer.step
    return answers


def _confirms(env: gym.Env[Any, Any], answer: tuple[Any, ...]) -> bool:
    """Return whether ``compute_reward`` confirms what a layer returned from a step."""
    state, reward, _, _, info = answer
    if not isinstance(state, Mapping) or not set(GOAL_KEYS) <= set(state):
        return False
    achieved, desired = (np.asarray(state[key])[None] for key in GOAL_KEYS[1:])
    computed = probe.rewards_of(env, achieved, desired, [info])
    return bool(np.isclose(computed[0], reward, atol=probe.TOLERANCE))


def find_kept_info(trial: Trial) -> Iterator[str]:
    """Raise what is read of ``info`` and cannot be kept."""
    probe.keys_read(trial.env, trial.steps)
    yield from ()


def find_blind_to_goals(trial: Trial) -> Iterator[str]:
    """Yield a reward that varies, and not with the goals that it is asked about."""
    env, steps = trial.env, trial.steps
    if len(np.unique(steps.rewards)) < 2:
        return
    computed, swapped = (
        probe.rewards_of(env, achieved, steps.desired_goals, steps.infos)
        for achieved in (steps.achieved_goals, steps.achieved_goals[::-1])
    )
    if (computed == swapped).all() and (computed == trial.at_goals).all():
        yield (
            "compute_reward says the same whatever goals it is given, and hindsight asks it about "
            "others than those of the episode: compute the reward from achieved_goal and "
            "desired_goal, not from info or from what the environment keeps"
        )


def find_impure(trial: Trial) -> Iterator[str]:
    """Yield answers that depend on more than the arguments, and arguments that are written to."""
    env = trial.env
    achieved, desired, infos = trial.steps.questions()
    achieved, desired, infos = achieved[::_EVERY], desired[::_EVERY], infos[::_EVERY]
    for method in ("compute_reward", "compute_terminated"):
        reset_env(env, 0)
        answers = [_answers(env, method, achieved, desired, infos) for _ in range(2)]
        reset_env(env, 1)
        answers.append(_answers(env, method, achieved, desired, infos))
        if answers[0] != answers[1]:
            yield (
                f"{method} answers the same question differently when it is asked again: let it "
                f"draw no random numbers, and keep nothing of what it was asked before"
            )
        elif answers[0] != answers[2]:
            yield (
                f"{method} answers the same question differently in another episode: let it "
                f"depend on its arguments alone, and on no goal or state that the environment keeps"
            )
        first, second = achieved[0].copy(), desired[0].copy()
        probe.call(env, method, first, second, infos[0])
        if not (np.array_equal(first, achieved[0]) and np.array_equal(second, desired[0])):
            yield f"{method} writes to the goals that it is given: let it work on copies"


def _answers(
    env: gym.Env[Any, Any],
    method: str,
    achieved: NDArray[Any],
    desired: NDArray[Any],
    infos: Sequence[Mapping[str, Any]],
) -> list[Any]:
    """Return what a method says of each row."""
    if method == "compute_reward":
        return list(probe.rewards_of(env, achieved, desired, infos))
    return [probe.call(env, method, *row) for row in zip(achieved, desired, infos, strict=True)]


def advise(trial: Trial, spec: GoalSpec) -> Iterator[str]:
    """Yield what makes learning slower or less exact than it could be."""
    if not spec.vectorized:
        yield (
            "compute_reward takes one goal at a time, so batches are rewarded row by row, many "
            "times slower: reduce over the last axis, as in np.linalg.norm(achieved_goal - "
            "desired_goal, axis=-1), and return an array"
        )
    if np.isinf(spec.reward_range[1]):
        yield (
            "achieving the goal exactly is not the best reward seen: values have no upper bound; "
            "declare the attribute reward_range = (low, high) if there is one"
        )
    one_reward = len(np.unique(trial.steps.rewards)) == 1 and not spec.reward_units.tells_goal
    if one_reward and not spec.asks_terminated:
        yield (
            f"all rewards seen are {spec.reward_units.best:g}, at the goal too: nothing would be "
            f"learned from them; pay more at the goal, or add compute_terminated(achieved_goal, "
            f"desired_goal, info) if the goal ends an episode"
        )
