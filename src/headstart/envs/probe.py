"""What a goal environment does, detected by a few real steps in it."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from headstart.envs.interface import (
    GOAL_KEYS,
    declared,
    env_name,
    reset_env,
    step_env,
    truth,
)
from headstart.errors import InputError
from headstart.text import describe_error

Array = NDArray[Any]
_Row = tuple[Array, Array, Array, Array, float, bool, dict[str, Any]]

TOLERANCE = 1e-4  # of a recomputed reward; environments mix float32 and float64


@dataclass(frozen=True)
class Probe:
    """``n`` steps with random actions, as the environment reported them."""

    before: Array  # (n, observation_dim + goal_dim), the state before each step: observed, achieved
    observations: Array  # (n, observation_dim), of the state that each step led to
    achieved_goals: Array  # (n, goal_dim), achieved by that state
    desired_goals: Array  # (n, goal_dim)
    rewards: Array  # (n,)
    terminated: Array  # (n,)
    infos: Sequence[Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.rewards)

    def questions(self) -> tuple[Array, Array, Sequence[Mapping[str, Any]]]:
        """Return goals and infos to ask about, ``2 n`` rows: as it went, and all at their goal.

        So the answers differ wherever they can.
        """
        goals = self.desired_goals
        achieved = np.concatenate([self.achieved_goals, goals])
        return achieved, np.concatenate([goals, goals]), [*self.infos, *self.infos]


class Reading(dict[str, Any]):
    """An ``info`` that notes which of its keys are read."""

    def __init__(self, info: Mapping[str, Any]) -> None:
        super().__init__(info)
        self.keys_read: set[str] = set()
        self._is_copied = False

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        # Of what is copied as a whole, only numbers can be what a reward is made of.
        if not self._is_copied or is_number(value):
            self.keys_read.add(key)
        return value

    def __contains__(self, key: object) -> bool:
        self.keys_read.add(str(key))
        return super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        self._is_copied = True
        self.keys_read |= {key for key, value in super().items() if is_number(value)}
        return super().__iter__()

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value as a dict does."""
        self.keys_read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        """Return the value as a dict does, and remove it."""
        self.keys_read.add(key)
        return super().pop(key, *default)

    def keys(self) -> Any:
        """Return the keys as a dict does."""
        iter(self)
        return super().keys()

    def items(self) -> Any:
        """Return keys and values as a dict does."""
        iter(self)
        return super().items()

    def values(self) -> Any:
        """Return the values as a dict does."""
        iter(self)
        return super().values()


def take_steps(
    env: gym.Env[Any, Any], lengths: Sequence[int] = (10, 10), *, spare: int = 3
) -> Probe:
    """Take random steps in episodes of at most these lengths, with fixed seeds.

    Args:
        env: the environment.
        lengths: of the episodes.
        spare: how many of them may fail, and are replaced by others.

    Raises:
        InputError: if what the environment answers is not of the shape it promises, or not finite;
            or if more episodes fail.
    """
    rng = np.random.default_rng(0)
    rows: list[_Row] = []
    failures: list[Exception] = []
    for number, length in enumerate(lengths):
        while True:
            try:
                rows += _episode(env, number + len(failures), length, rng)
                break
            except Exception as error:
                failures.append(error)
                if len(failures) > spare:
                    raise _explain(env, failures[0], spare) from error
    before, observations, achieved_goals, goals, rewards, ends, infos = zip(*rows, strict=True)
    vectors = np.stack(before), np.stack(observations), np.stack(achieved_goals), np.stack(goals)
    return Probe(*vectors, np.array(rewards), np.array(ends), infos)


def joined(state: Mapping[str, Any]) -> Array:
    """Return observation and achieved goal of a state as one vector."""
    return np.concatenate([state["observation"], state["achieved_goal"]])


def _episode(
    env: gym.Env[Any, Any], seed: int, length: int, rng: np.random.Generator
) -> list[_Row]:
    """Take at most so many random steps in the episode of a seed."""
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    rows = []
    observation, _ = reset_env(env, seed)
    check_state(env, observation)
    for _ in range(length):
        action = rng.uniform(low, high).astype(env.action_space.dtype)
        # As it was before the step: some environments set a new goal once one is reached.
        goal, before = np.array(observation["desired_goal"]), joined(observation)
        observation, reward, terminated, truncated, info = step_env(env, action)
        check_state(env, observation)
        state = np.array(observation["observation"]), np.array(observation["achieved_goal"])
        paid = one_number(env, "the reward of step", reward)
        rows.append((before, *state, goal, paid, bool(terminated), dict(info)))
        if terminated or truncated:
            break
    return rows


def _explain(env: gym.Env[Any, Any], error: Exception, spare: int) -> Exception:
    if isinstance(error, InputError) or not spare:
        return error
    return InputError(f"{env_name(env)}: no episode works, {describe_error(error)}")


def observes_goal(probe: Probe) -> bool:
    """Return whether the observation holds what is achieved, each number of it in some place."""
    columns = probe.observations[:, :, None], probe.achieved_goals[:, None, :]
    return bool(np.isclose(*columns, atol=1e-6).all(axis=0).any(axis=0).all())


def rewards_of(
    env: gym.Env[Any, Any], achieved: Array, desired: Array, infos: Sequence[Mapping[str, Any]]
) -> Array:
    """Return ``compute_reward`` of each row on its own, ``(n,)``.

    Raises:
        InputError: if one of them is not one finite number.
    """
    compute_reward = env.get_wrapper_attr("compute_reward")
    # Copies: a reward that writes to its arguments must not spoil what is compared with it.
    rows = zip(achieved.copy(), desired.copy(), infos, strict=True)
    answer = "what compute_reward returns for one goal"
    try:
        return np.array([one_number(env, answer, compute_reward(*row)) for row in rows])
    except KeyError as error:
        raise InputError(
            f"{env_name(env)}: compute_reward reads info[{error}], which step does not always "
            f"give; hindsight keeps one number of each step"
        ) from error


def keys_read(env: gym.Env[Any, Any], probe: Probe) -> tuple[str, ...]:
    """Return the keys of ``info`` that reward and termination depend on, declared or found.

    Raises:
        InputError: if one of them holds no single number, which is all that a replay keeps.
    """
    given = declared(env, "reward_info_keys")
    if given is None:
        keys = _keys_seen(env, probe)
    elif isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(
            f"{env_name(env)}: the attribute reward_info_keys must be a tuple of keys, "
            f"got {given!r}"
        )
    else:
        keys = tuple(given)
    for key in keys:
        for info in probe.infos:
            if key not in info or not is_number(info[key]):
                given = f"gives as {in_words(info[key])}" if key in info else "does not always give"
                raise InputError(
                    f"{env_name(env)}: compute_reward reads info[{key!r}], which step {given}; "
                    f"hindsight keeps one number of each step"
                )
    return keys


def _keys_seen(env: gym.Env[Any, Any], probe: Probe) -> tuple[str, ...]:
    """Return which keys are read: at the goal too, where a reward may look at more."""
    keys: set[str] = set()
    for row in zip(*probe.questions(), strict=True):
        info = Reading(row[-1])
        for method in ("compute_reward", "compute_terminated"):
            # One that is missing at times is reported where it is missed.
            with contextlib.suppress(KeyError):
                call(env, method, *row[:-1], info)
        # One that is asked for and never given has a default.
        keys |= info.keys_read & set().union(*probe.infos)
    return tuple(sorted(keys))


def is_vectorized(env: gym.Env[Any, Any], probe: Probe, keys: Sequence[str]) -> bool:
    """Return whether ``compute_reward`` on a batch gives what it gives row by row."""
    achieved, desired, infos = probe.questions()
    expected = rewards_of(env, achieved, desired, infos)
    together = {key: np.array([float(info[key]) for info in infos]) for key in keys}
    try:
        found = np.asarray(env.get_wrapper_attr("compute_reward")(achieved, desired, together))
    except Exception:  # Whatever a reward for one goal does when it is given many.
        return False
    return found.shape == expected.shape and np.allclose(found, expected, atol=TOLERANCE)


def shows_goal(env: gym.Env[Any, Any], probe: Probe) -> bool:
    """Return whether the reward of the goal itself shows that the goal is reached.

    A dense reward does not where it is paid at the very goal alone: no state is ever exactly there.
    """
    achieved, goals, infos = probe.questions()
    if len(np.unique(rewards_of(env, achieved, goals, infos))) <= 2:
        return True
    nearby = rewards_of(env, goals + 1e-3 * (achieved - goals), goals, infos)
    return bool((nearby >= rewards_of(env, goals, goals, infos)).all())


def ends_at_goal(env: gym.Env[Any, Any], probe: Probe) -> bool | None:
    """Return whether reaching the goal ends the episode; ``None`` if the env cannot be asked."""
    rows = zip(probe.desired_goals, probe.infos, strict=True)
    answers = [says_end(env, goal, goal, info) for goal, info in rows]
    known = [answer for answer in answers if answer is not None]
    return any(known) if known else None


def says_end(
    env: gym.Env[Any, Any], achieved: Array, desired: Array, info: Mapping[str, Any]
) -> bool | None:
    """Return what ``compute_terminated`` says of one goal; ``None`` if it cannot be asked."""
    answer = call(env, "compute_terminated", achieved, desired, info)
    return None if answer is None else truth(env, "what compute_terminated returns", answer)


def disagreements(env: gym.Env[Any, Any], probe: Probe) -> Iterator[tuple[int, float, float]]:
    """Yield steps whose reward is not what ``compute_reward`` says: (step, stepped, computed)."""
    computed = rewards_of(env, probe.achieved_goals, probe.desired_goals, probe.infos)
    for step in np.flatnonzero(~np.isclose(computed, probe.rewards, atol=TOLERANCE)):
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


def check_state(env: gym.Env[Any, Any], observation: Mapping[str, Any]) -> None:
    """Refuse an observation that is not what the space promises."""
    for key in GOAL_KEYS:
        value = np.asarray(observation[key])
        promised = env.observation_space[key].shape  # type: ignore[index]
        if value.shape != promised:
            raise InputError(
                f"{env_name(env)}: {key} has shape {value.shape}, the observation space says "
                f"{promised}; make them agree"
            )
        if not np.isfinite(value).all():
            entry = int(np.argmin(np.isfinite(value)))
            raise InputError(
                f"{env_name(env)}: {key}[{entry}] is {value[entry]}; reset and step must return "
                f"finite numbers"
            )


def one_number(env: gym.Env[Any, Any], what: str, value: Any) -> float:
    """Return a value as a float; refuse, under the name ``what``, any but one finite number."""
    if not is_number(np.squeeze(value)) or not np.isfinite(value).all():
        raise InputError(
            f"{env_name(env)}: {what} is {in_words(value)}; it must be one finite number"
        )
    return float(np.squeeze(value))


def is_number(value: Any) -> bool:
    """Return whether a value is one number or truth value."""
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "biuf"


def in_words(value: Any) -> str:
    """Return a value, or of an array its shape, in one line."""
    return (
        f"an array of shape {np.shape(value)}"
        if np.ndim(value)
        else repr(np.asarray(value).tolist())
    )
