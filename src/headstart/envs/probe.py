"""What a goal environment does, found out by a few real steps in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.errors import InputError

Array = NDArray[Any]

_TOLERANCE = 1e-4  # of a recomputed reward; environments mix float32 and float64


@dataclass(frozen=True)
class Probe:
    """``n`` steps with random actions, as the environment told them."""

    achieved_goals: Array  # (n, goal_dim), achieved by the state that each step led to
    desired_goals: Array  # (n, goal_dim)
    rewards: Array  # (n,)
    terminated: Array  # (n,)
    infos: Sequence[Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.rewards)


class Reading(dict[str, Any]):
    """An ``info`` that notes which of its keys are read."""

    def __init__(self, info: Mapping[str, Any]) -> None:
        super().__init__(info)
        self.keys_read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.keys_read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value as a dict does."""
        self.keys_read.add(key)
        return super().get(key, default)


def take_steps(env: gym.Env[Any, Any], *, episodes: int = 2, steps: int = 10) -> Probe:
    """Take some random steps in a few episodes with fixed seeds."""
    rng = np.random.default_rng(0)
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    rows = []
    for seed in range(episodes):
        observation, _ = env.reset(seed=seed)
        for _ in range(steps):
            action = rng.uniform(low, high).astype(env.action_space.dtype)
            # As it was before the step: some environments set a new goal once one is reached.
            goal = np.array(observation["desired_goal"])
            observation, reward, terminated, truncated, info = env.step(action)
            achieved = np.array(observation["achieved_goal"])
            rows.append((achieved, goal, float(reward), bool(terminated), dict(info)))
            if terminated or truncated:
                break
    achieved_goals, goals, rewards, ends, infos = zip(*rows, strict=True)
    return Probe(
        np.stack(achieved_goals), np.stack(goals), np.array(rewards), np.array(ends), infos
    )


def rewards_of(
    env: gym.Env[Any, Any], achieved: Array, desired: Array, infos: Sequence[Mapping[str, Any]]
) -> Array:
    """Return ``compute_reward`` of each row on its own, ``(n,)``."""
    compute_reward = env.get_wrapper_attr("compute_reward")
    rows = zip(achieved, desired, infos, strict=True)
    return np.array([float(np.squeeze(compute_reward(*row))) for row in rows])


def keys_read(env: gym.Env[Any, Any], probe: Probe) -> tuple[str, ...]:
    """Return the keys of ``info`` that reward and termination depend on, declared or found.

    Raises:
        InputError: if one of them holds no single number, which is all that a replay keeps.
    """
    if env.has_wrapper_attr("reward_info_keys"):
        keys = tuple(env.get_wrapper_attr("reward_info_keys"))
    else:
        info = Reading(probe.infos[-1])
        for method in ("compute_reward", "compute_terminated"):
            if env.has_wrapper_attr(method):
                call(env, method, probe.achieved_goals[-1], probe.desired_goals[-1], info)
        keys = tuple(sorted(info.keys_read))
    for key in keys:
        value = probe.infos[-1].get(key)
        if value is None or np.size(value) != 1 or not np.isreal(value):
            raise InputError(
                f"compute_reward reads info[{key!r}], which step gives as {value!r}; "
                f"hindsight can keep single numbers only"
            )
    return keys


def is_vectorized(env: gym.Env[Any, Any], probe: Probe, keys: Sequence[str]) -> bool:
    """Return whether ``compute_reward`` on a batch gives what it gives row by row."""
    # Half of the rows at their goal, so that the outcomes differ wherever they can.
    achieved = np.concatenate([probe.achieved_goals, probe.desired_goals])
    desired = np.concatenate([probe.desired_goals, probe.desired_goals])
    infos = [*probe.infos, *probe.infos]
    expected = rewards_of(env, achieved, desired, infos)
    together = {key: np.array([float(info[key]) for info in infos]) for key in keys}
    try:
        found = np.asarray(env.get_wrapper_attr("compute_reward")(achieved, desired, together))
    except Exception:  # Whatever a reward for one goal does when it is given many.
        return False
    return found.shape == expected.shape and np.allclose(found, expected, atol=_TOLERANCE)


def reward_range(env: gym.Env[Any, Any], probe: Probe) -> tuple[float, float]:
    """Return the least and the largest reward of a step, declared or found; infinite if unknown.

    Two values at most are a sparse reward. Any other has a lower bound where it no longer falls
    with the distance, and an upper bound at the goal.
    """
    if env.has_wrapper_attr("reward_range"):
        low, high = env.get_wrapper_attr("reward_range")
        return float(low), float(high)
    goals = probe.desired_goals.astype(np.float64)

    def at(achieved: Array) -> Array:
        return rewards_of(env, achieved, goals, probe.infos)

    near = np.concatenate([probe.rewards, at(probe.achieved_goals[::-1]), at(goals)])
    far, further = at(goals + 1e3), at(goals + 1e6)
    everything = np.concatenate([near, far, further])
    # Adding zero turns -0.0 into 0.0.
    least, most, best = (
        float(value) + 0.0 for value in (everything.min(), near.max(), at(goals).max())
    )
    if len(np.unique(everything)) <= 2:
        return least, float(everything.max()) + 0.0
    levels_out = (far == further).all() and far.max() <= least
    at_best = best >= most - _TOLERANCE
    return least if levels_out else -np.inf, max(best, most) if at_best else np.inf


def ends_at_goal(env: gym.Env[Any, Any], probe: Probe) -> bool | None:
    """Return whether reaching the goal ends the episode; ``None`` if the env cannot be asked."""
    rows = zip(probe.desired_goals, probe.infos, strict=True)
    answers = [call(env, "compute_terminated", goal, goal, info) for goal, info in rows]
    known = [bool(answer) for answer in answers if answer is not None]
    return any(known) if known else None


def disagreements(env: gym.Env[Any, Any], probe: Probe) -> Iterator[tuple[int, float, float]]:
    """Yield steps whose reward is not what ``compute_reward`` says: (step, stepped, computed)."""
    computed = rewards_of(env, probe.achieved_goals, probe.desired_goals, probe.infos)
    for step in np.flatnonzero(~np.isclose(computed, probe.rewards, atol=_TOLERANCE)):
        yield int(step), float(probe.rewards[step]), float(computed[step])


def call(
    env: gym.Env[Any, Any], method: str, achieved: Array, desired: Array, info: Mapping[str, Any]
) -> Any:
    """Return what a method of the goal contract answers; ``None`` if it is there in name only."""
    if not env.has_wrapper_attr(method):
        return None
    try:
        return env.get_wrapper_attr(method)(achieved, desired, info)
    except NotImplementedError:
        return None
