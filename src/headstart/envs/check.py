"""What is wrong with a goal environment, in plain words, and what to do about it."""

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.envs import probe
from headstart.envs.goal_env import SUCCESS_UNTOLD, GoalSpec, success_key, tells_success
from headstart.envs.interface import GOAL_KEYS
from headstart.envs.make import make_env
from headstart.envs.restoring import check_restores
from headstart.envs.snapshot import restorable
from headstart.errors import InputError

_STEPS = 60  # of an episode
# Random steps reach few goals; of many starts, some lie near theirs.
_LENGTHS = (*[_STEPS] * 3, *[3] * 100)

Look = Callable[[gym.Env[Any, Any], probe.Probe], Iterator[str]]


@dataclass(frozen=True)
class EnvReport:
    """What ``check_env`` found."""

    env_id: str
    spec: GoalSpec | None
    """What training would know of the environment; ``None`` where it would refuse it."""
    success: str
    """How a success is told."""
    restores_states: bool | None
    """Whether its states can be gone back to, as resets to demonstration states do; ``None`` where
    that was not tried because of other problems."""
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
    env, steps = _tried(env_id)
    problems = _found(env, steps, _goals, _info, _reward, _arguments, _purity, _ends)
    spec = None
    try:
        spec = GoalSpec.from_env(env, success_needed=False)
    except Exception as error:
        if not problems:
            problems.append(_failure(error))
    advice: list[str] = []
    if spec is not None:
        looks = (_declared_end, _success, _range)
        problems += _found(env, steps, *(partial(look, spec=spec) for look in looks))
        advice += _advice(spec)
    restores = None
    # What else is wrong shows in restored states too, and is not told of twice.
    if not problems:
        problems = _found(env, steps, _states)
        restores = not problems and restorable(env) is not None
    speed = 0.0
    try:
        speed = _steps_per_second(env)
        env.close()
    except Exception as error:
        problems.append(_failure(error))
    key = next(filter(None, map(success_key, steps.infos)), None)
    told = f"info[{key!r}]" if key else "the reward of the goal itself"
    problems = [*dict.fromkeys(problems)]
    return EnvReport(env_id, spec, told, restores, speed, tuple(problems), tuple(advice))


def _tried(env_id: str) -> tuple[gym.Env[Any, Any], probe.Probe]:
    """Return the environment, and what it did in some steps."""
    try:
        env = make_env(env_id)
        return env, probe.take_steps(env, _LENGTHS)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{env_id}: it cannot be built, reset or stepped: {_short(error)}"
        ) from error


def _found(env: gym.Env[Any, Any], steps: probe.Probe, *looks: Look) -> list[str]:
    """Return what the looks find, or how the environment fails under them."""
    problems: list[str] = []
    for look in looks:
        try:
            problems += look(env, steps)
        except Exception as error:
            problems.append(_failure(error))
    return problems


def _goals(env: gym.Env[Any, Any], steps: probe.Probe) -> Iterator[str]:
    """Goals that move."""
    for step, (state, following) in enumerate(pairwise(_rollout(env)), start=1):
        if not np.array_equal(state["desired_goal"], following["desired_goal"]):
            yield (
                f"the goal changes within an episode, at step {step}: hindsight needs one goal an "
                f"episode; set a new goal in reset alone"
            )
            return


def _reward(env: gym.Env[Any, Any], steps: probe.Probe) -> Iterator[str]:
    """Rewards of ``step`` that ``compute_reward`` does not confirm."""
    wrong = list(probe.disagreements(env, steps))
    if wrong:
        _, stepped, computed = wrong[0]
        yield (
            f"compute_reward disagrees with step in {len(wrong)} of {len(steps)} steps, for "
            f"instance step said {stepped:g} and compute_reward {computed:g}: let it depend on its "
            f"arguments alone, and let step return compute_reward(achieved_goal, desired_goal, "
            f"info)"
        )


def _info(env: gym.Env[Any, Any], steps: probe.Probe) -> Iterator[str]:
    """What is read of ``info`` and cannot be kept, which ``keys_read`` raises."""
    probe.keys_read(env, steps)
    yield from ()


def _arguments(env: gym.Env[Any, Any], steps: probe.Probe) -> Iterator[str]:
    """Answers that depend on more than the arguments, and arguments that are written to."""
    achieved, desired, infos = steps.questions()
    for method in ("compute_reward", "compute_terminated"):
        answers: list[list[Any]] = []
        for seed in (0, 1):
            env.reset(seed=seed)
            answers.append(_answers(env, method, achieved, desired, infos))
        if answers[0] != answers[1]:
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


def _purity(env: gym.Env[Any, Any], steps: probe.Probe) -> Iterator[str]:
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
    said = [probe.call(env, "compute_terminated", *row) for row in rows]
    if declared or None in said:
        return
    if (np.array(said, bool) & ~steps.terminated).any():
        yield (
            "compute_terminated says that an episode ended which step went on with: let step "
            "return compute_terminated(achieved_goal, desired_goal, info) as terminated"
        )
    ended = steps.terminated[_successes(steps)]
    if ended.any() and ended.all() and not any(said):
        yield (
            "step ends an episode at its goal where compute_terminated says that it goes on: let "
            "compute_terminated return True for goals that end an episode"
        )


def _states(env: gym.Env[Any, Any], steps: probe.Probe) -> Iterator[str]:
    """States that are not restored, which ``check_restores`` raises."""
    env.reset(seed=0)
    if restorable(env) is not None:
        check_restores(env)
    yield from ()


def _declared_end(env: gym.Env[Any, Any], steps: probe.Probe, spec: GoalSpec) -> Iterator[str]:
    """Episodes that end otherwise than the attribute ``success_terminates`` says."""
    if not env.has_wrapper_attr("success_terminates"):
        return
    ends = bool(env.get_wrapper_attr("success_terminates"))
    best = steps.rewards >= spec.reward_range[1]
    if ends and (best & ~steps.terminated).any():
        yield "success_terminates is declared, and step goes on at the best reward: leave it out"
    if ends and (_successes(steps) & steps.terminated & ~best).any():
        yield (
            "an episode ended in success below the best reward, so the attribute "
            "success_terminates does not tell where another goal would end it: add "
            "compute_terminated(achieved_goal, desired_goal, info) in its place"
        )
    ended = steps.terminated[_successes(steps)]
    if not ends and ended.any() and ended.all():
        yield "success_terminates is False, and step ends an episode in success: set it to True"


def _success(env: gym.Env[Any, Any], steps: probe.Probe, spec: GoalSpec) -> Iterator[str]:
    """Successes that cannot be told, or that contradict the reward."""
    key = success_key(steps.infos[-1])
    if not tells_success(env, steps):
        yield SUCCESS_UNTOLD
    elif key is not None and len(np.unique(steps.rewards)) <= 2:
        wrong = int((_successes(steps) != (steps.rewards >= spec.reward_range[1])).sum())
        if wrong:
            yield f"info[{key!r}] contradicts the reward in {wrong} of {len(steps)} steps"


def _successes(steps: probe.Probe) -> NDArray[np.bool_]:
    """Return which steps say that they reached the goal, ``(n,)``."""
    return np.array([bool(info.get(success_key(info) or "")) for info in steps.infos])


def _range(env: gym.Env[Any, Any], steps: probe.Probe, spec: GoalSpec) -> Iterator[str]:
    """Rewards that training would not believe."""
    low, high = spec.reward_range
    outside = (steps.rewards < low - probe.TOLERANCE) | (steps.rewards > high + probe.TOLERANCE)
    if outside.any():
        yield (
            f"a reward of {steps.rewards[outside][0]:g} was seen outside of the range from "
            f"{low:g} to {high:g}, which values are held to: declare the attribute "
            f"reward_range = (low, high) that holds all rewards"
        )


def _advice(spec: GoalSpec) -> Iterator[str]:
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
