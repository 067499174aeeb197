"""What is wrong with a goal environment, in plain words, and what to do about it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.envs import probe
from headstart.envs.goal_env import GOAL_KEYS, GoalSpec, success_key
from headstart.envs.make import make_env
from headstart.errors import InputError

_STEPS = 60  # an episode


@dataclass(frozen=True)
class EnvReport:
    """What ``check_env`` found."""

    env_id: str
    spec: GoalSpec | None
    """What training would know of the environment; ``None`` where it would refuse it."""
    success: str
    """How a success is told."""
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
    env = make_env(env_id)
    try:
        steps = probe.take_steps(env, episodes=3, steps=_STEPS)
    except Exception as error:
        raise InputError(f"{env_id}: it fails after reset, {_short(error)}") from error
    problems = [*_values(env), *_reward(env, steps), *_purity(env), *_ends(env, steps)]
    advice: list[str] = []
    spec = None
    try:
        spec = GoalSpec.from_env(env)
    except InputError as error:
        if not problems:
            problems.append(str(error))
    if spec is not None:
        problems += _success(steps, spec)
        advice += _advice(spec, steps)
    speed = _steps_per_second(env)
    env.close()
    key = success_key(steps.infos[-1])
    told = f"info[{key!r}]" if key else "the reward of the goal itself"
    return EnvReport(env_id, spec, told, speed, tuple(problems), tuple(advice))


def _values(env: gym.Env[Any, Any]) -> Iterator[str]:
    """Observations that are not what the space promises, and goals that move."""
    states = _rollout(env)
    for key in GOAL_KEYS:
        promised = env.observation_space[key].shape  # type: ignore[index]
        shapes = {np.shape(state[key]) for state in states}
        if shapes != {promised}:
            yield f"{key} has shape {shapes.pop()}, the observation space says {promised}"
        elif not all(np.isfinite(state[key]).all() for state in states):
            yield f"{key} holds NaN or infinity after some steps"
    for step, (state, following) in enumerate(pairwise(states)):
        if not np.array_equal(state["desired_goal"], following["desired_goal"]):
            yield (
                f"the goal changes within an episode, at step {step}: hindsight needs one goal an "
                f"episode; set a new goal in reset alone"
            )
            return


def _reward(env: gym.Env[Any, Any], steps: probe.Probe) -> Iterator[str]:
    """Rewards of ``step`` that ``compute_reward`` does not confirm, now or later."""
    try:
        wrong = list(probe.disagreements(env, steps))
    except Exception as error:
        yield f"compute_reward(achieved_goal, desired_goal, info) fails: {_short(error)}"
        return
    if not wrong:
        return
    _, stepped, computed = wrong[0]
    yield (
        f"compute_reward disagrees with step in {len(wrong)} of {len(steps)} steps, for instance "
        f"step said {stepped:g} and compute_reward {computed:g}: let it depend on its arguments "
        f"alone, and let step return compute_reward(achieved_goal, desired_goal, info)"
    )


def _purity(env: gym.Env[Any, Any]) -> Iterator[str]:
    """Episodes that differ for the same seed, alone or because rewards were computed."""

    def ask(state: dict[str, Any], info: dict[str, Any]) -> None:
        goal = state["desired_goal"]
        for method in ("compute_reward", "compute_terminated"):
            if env.has_wrapper_attr(method):
                probe.call(env, method, goal, goal, info)

    plain, again = _rollout(env), _rollout(env)
    if not _same(plain, again):
        yield (
            "two episodes with the same seed and actions differ: draw everything from "
            "self.np_random, and let reset set back all that step changes"
        )
    elif not _same(plain, _rollout(env, ask)):
        yield (
            "compute_reward or compute_terminated changes the environment: asking for a reward "
            "between steps makes the episode go on differently"
        )


def _ends(env: gym.Env[Any, Any], steps: probe.Probe) -> Iterator[str]:
    """Ends of episodes that hindsight could not foresee."""
    declared = env.has_wrapper_attr("success_terminates")
    if steps.terminated.any() and probe.ends_at_goal(env, steps) is None and not declared:
        yield (
            "an episode terminated, and there is no compute_terminated: hindsight cannot know "
            "whether another goal would have ended it; add compute_terminated(achieved_goal, "
            "desired_goal, info), or the attribute success_terminates = True or False"
        )
    rows = zip(steps.achieved_goals, steps.desired_goals, steps.infos, strict=True)
    for row, terminated in zip(rows, steps.terminated, strict=True):
        if probe.call(env, "compute_terminated", *row) and not terminated:
            yield "compute_terminated says that an episode ended which step went on with"
            return


def _success(steps: probe.Probe, spec: GoalSpec) -> Iterator[str]:
    """Successes that cannot be told, or that contradict the reward."""
    low, high = spec.reward_range
    key = success_key(steps.infos[-1])
    sparse = len(np.unique([*steps.rewards, low, high])) == 2
    if key is None and not sparse:
        yield (
            "nothing says whether a step reached the goal, and a dense reward does not show it: "
            "return info['is_success'] from step"
        )
    elif key is not None and sparse:
        said = np.array([bool(info.get(key)) for info in steps.infos])
        wrong = int((said != (steps.rewards >= high)).sum())
        if wrong:
            yield f"info[{key!r}] contradicts the reward in {wrong} of {len(steps)} steps"


def _advice(spec: GoalSpec, steps: probe.Probe) -> Iterator[str]:
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
    if spec.reward_range[0] == spec.reward_range[1]:
        yield (
            f"all rewards seen are {spec.reward_range[0]:g}, at the goal too: values would be "
            f"held to that; declare the attribute reward_range = (low, high)"
        )
    if steps.rewards.min() < spec.reward_range[0] or steps.rewards.max() > spec.reward_range[1]:
        yield f"rewards outside of the declared reward_range {spec.reward_range} were seen"


def _rollout(
    env: gym.Env[Any, Any], between: Callable[[Any, Any], None] | None = None
) -> list[dict[str, NDArray[Any]]]:
    """Return the states of one episode with fixed seed and actions."""
    rng = np.random.default_rng(1)
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    state, _ = env.reset(seed=1)
    states = [{key: np.array(state[key]) for key in GOAL_KEYS}]
    for _ in range(_STEPS):
        action = rng.uniform(low, high).astype(env.action_space.dtype)
        state, _, terminated, truncated, info = env.step(action)
        states.append({key: np.array(state[key]) for key in GOAL_KEYS})
        if terminated or truncated:
            break
        if between is not None:
            between(state, info)
    return states


def _same(first: list[dict[str, NDArray[Any]]], second: list[dict[str, NDArray[Any]]]) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(one[key], other[key], equal_nan=True)
        for one, other in zip(first, second, strict=True)
        for key in GOAL_KEYS
    )


def _steps_per_second(env: gym.Env[Any, Any]) -> float:
    begun = time.perf_counter()
    steps = len(_rollout(env)) - 1
    return steps / (time.perf_counter() - begun)


def _short(error: Exception) -> str:
    """Return an error as one line."""
    return f"{type(error).__name__}: {(str(error) or 'no message').splitlines()[0]}"
