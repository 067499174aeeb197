"""Whether ends, successes and rewards agree on where a goal is reached."""

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.envs import probe
from headstart.envs.goal_env import SUCCESS_UNTOLD, GoalSpec, success_key, tells_success
from headstart.envs.trial import Trial


def find_unforeseen_ends(trial: Trial) -> Iterator[str]:
    """Yield ends of episodes that hindsight cannot foresee."""
    env, steps = trial.env, trial.steps
    declared = env.has_wrapper_attr("success_terminates")
    if steps.terminated.any() and probe.ends_at_goal(env, steps) is None and not declared:
        yield (
            "an episode terminated, and there is no compute_terminated: hindsight cannot know "
            "whether another goal would have ended it; add compute_terminated(achieved_goal, "
            "desired_goal, info), or the attribute success_terminates = True or False"
        )
    rows = zip(steps.achieved_goals, steps.desired_goals, steps.infos, strict=True)
    said = [probe.call(env, "compute_terminated", *row) for row in rows]
    if declared or None in said:
        return
    if (np.array(said, bool) & ~steps.terminated).any():
        yield (
            "compute_terminated says that an episode ended which step went on with: let step "
            "return compute_terminated(achieved_goal, desired_goal, info) as terminated"
        )
    ended = steps.terminated[successes(steps)]
    if ended.any() and ended.all() and not any(said):
        yield (
            "step ends an episode at its goal where compute_terminated says that it goes on: let "
            "compute_terminated return True for goals that end an episode"
        )


def find_false_declaration(trial: Trial, spec: GoalSpec) -> Iterator[str]:
    """Yield episodes that end otherwise than the attribute ``success_terminates`` says."""
    env, steps = trial.env, trial.steps
    if not env.has_wrapper_attr("success_terminates"):
        return
    ends = bool(env.get_wrapper_attr("success_terminates"))
    best = steps.rewards >= spec.reward_range[1]
    if ends and (best & ~steps.terminated).any():
        yield "success_terminates is declared, and step goes on at the best reward: leave it out"
    if ends and (successes(steps) & steps.terminated & ~best).any():
        yield (
            "an episode ended in success below the best reward, so the attribute "
            "success_terminates does not tell where another goal would end it: add "
            "compute_terminated(achieved_goal, desired_goal, info) in its place"
        )
    ended = steps.terminated[successes(steps)]
    if not ends and ended.any() and ended.all():
        yield "success_terminates is False, and step ends an episode in success: set it to True"


def find_false_success(trial: Trial) -> Iterator[str]:
    """Yield successes that cannot be told, or that contradict the reward."""
    env, steps = trial.env, trial.steps
    key = success_key(steps.infos[-1])
    if not tells_success(env, steps):
        yield SUCCESS_UNTOLD
        return
    levels = np.unique(np.concatenate([steps.rewards, _rewards_of_goals(env, steps)]))
    odd = [value for value in _told(steps) if not probe.is_number(value)]
    if odd:
        yield f"info[{key!r}] is {probe.in_words(odd[0])}: let it be True or False"
    elif key is not None and len(levels) == 2:
        yield from _contradictions(steps, key, levels)


def _contradictions(steps: probe.Probe, key: str, levels: NDArray[Any]) -> Iterator[str]:
    """Yield successes that a reward of two levels denies."""
    success, best = successes(steps), steps.rewards == levels[1]
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


def _rewards_of_goals(env: gym.Env[Any, Any], steps: probe.Probe) -> NDArray[Any]:
    return probe.rewards_of(env, steps.desired_goals, steps.desired_goals, steps.infos)


def find_outside_of_range(trial: Trial, spec: GoalSpec) -> Iterator[str]:
    """Yield rewards that training would not believe."""
    low, high = spec.reward_range
    rewards = trial.steps.rewards
    outside = (rewards < low - probe.TOLERANCE) | (rewards > high + probe.TOLERANCE)
    if outside.any():
        yield (
            f"a reward of {rewards[outside][0]:g} was seen outside of the range from "
            f"{low:g} to {high:g}, which values are held to: declare the attribute "
            f"reward_range = (low, high) that holds all rewards"
        )


def successes(steps: probe.Probe) -> NDArray[np.bool_]:
    """Return which steps say that they reached the goal, ``(n,)``."""
    return np.array([bool(np.all(value)) for value in _told(steps)])


def _told(steps: probe.Probe) -> list[Any]:
    """Return what each step says of its success; ``False`` where it says nothing."""
    return [np.squeeze(info.get(success_key(info) or "", False)) for info in steps.infos]


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
    if spec.reward_range[0] == spec.reward_range[1] and not trial.env.has_wrapper_attr(
        "reward_range"
    ):
        yield (
            f"all rewards seen are {spec.reward_range[0]:g}, at the goal too: values would be "
            f"held to that; declare the attribute reward_range = (low, high)"
        )
