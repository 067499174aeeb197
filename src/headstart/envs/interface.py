"""Calling an environment as Gymnasium asks for; what it does otherwise is said in one line."""

import contextlib
import inspect
import math
import re
import struct
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.errors import InputError

GOAL_KEYS = ("observation", "achieved_goal", "desired_goal")

_SINCE = "as Gymnasium does (environments of Gym before 0.26 differ)"
_RESET = f"let it be reset(self, *, seed=None, options=None) {_SINCE}"
_NARROW = 2**31
_NUMBERS = (bool, np.bool_, float, np.floating)
_SEED_ERRORS = (
    ArithmeticError,
    AssertionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    gym.error.Error,
)


def env_name(env: gym.Env[Any, Any]) -> str:
    """Return what an error calls an environment."""
    return env.spec.id if env.spec else type(env).__name__


def layers(env: gym.Env[Any, Any]) -> Iterator[gym.Env[Any, Any]]:
    """Yield the wrappers of an env from the outermost on, and at last the env itself."""
    while isinstance(env, gym.Wrapper):
        yield env
        env = env.env
    yield env


def declared(env: gym.Env[Any, Any], name: str) -> Any:
    """Return an attribute by which an env declares a fact of itself; ``None`` declares nothing."""
    return env.get_wrapper_attr(name) if env.has_wrapper_attr(name) else None


def widths(env: gym.Env[Any, Any]) -> dict[str, int]:
    """Return the widths of ``observation``, ``goal`` and ``action``, which the spaces give."""
    spaces: Any = env.observation_space
    parts = {
        "observation": spaces["observation"],
        "goal": spaces["desired_goal"],
        "action": env.action_space,
    }
    return {name: int(np.prod(space.shape or ())) for name, space in parts.items()}


def truth(env: gym.Env[Any, Any], what: str, value: Any) -> bool:
    """Return a value as a bool: one of numpy, or a list or array of one, is what it holds.

    ``None`` is ``False``.

    Raises:
        InputError: if it is anything but one finite number or truth value; called ``what``.
    """
    if value is None:
        return False
    if isinstance(value, _NUMBERS) and math.isfinite(value):
        return bool(value)
    found = np.squeeze(np.asarray(value))
    if found.ndim or found.dtype.kind not in "biuf" or not np.isfinite(found):
        raise InputError(f"{env_name(env)}: {what} is {value!r}; it must be True or False")
    return bool(found)


def all_finite(array: Any) -> bool:
    """Return whether all numbers of an array are finite, by one product where that shows it."""
    return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())


def check_methods(env: gym.Env[Any, Any]) -> None:
    """Refuse, by name, methods that do not take what they are called with.

    Raises:
        InputError: if one of them does not.
    """
    for layer in layers(env):
        _check_takes(env, layer.reset, f"seed and options; {_RESET}", seed=0, options=None)
    for name in ("compute_reward", "compute_terminated"):
        if env.has_wrapper_attr(name):
            wanted = "achieved_goal, desired_goal and info, in this order"
            _check_takes(env, env.get_wrapper_attr(name), wanted, None, None, {})


def reset_env(
    env: gym.Env[Any, Any], seed: int | None = None, options: dict[str, Any] | None = None
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Reset an environment and return its observation and ``info``.

    Seeds lie in ``[0, 2**32)``. A simulator that takes none from ``2**31`` on gets the rest of the
    division by ``2**31``.

    Args:
        env: the environment.
        seed: of the episode.
        options: what ``reset`` of this environment takes.

    Raises:
        InputError: if it returns something else, or takes even less seeds.
    """
    try:
        answer: Any = env.reset(seed=seed, options=options)
    except _SEED_ERRORS as error:
        _explain_unpacking(env, error, "reset", "(observation, info)")
        answer = _reset_narrowly(env, seed or 0, options, error)
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise InputError(
            f"{env_name(env)}: reset returned {_kind(answer)}, not (observation, info); {_RESET}"
        )
    _check_observation(env, answer[0])
    return answer


def step_env(
    env: gym.Env[Any, Any], action: Any
) -> tuple[Mapping[str, Any], Any, bool, bool, Mapping[str, Any]]:
    """Take a step and return observation, reward, terminated, truncated and ``info``.

    Raises:
        InputError: if it returns something else.
    """
    wanted = "(observation, reward, terminated, truncated, info)"
    try:
        answer: Any = env.step(action)
    except (TypeError, ValueError) as error:
        _explain_unpacking(env, error, "step", wanted)
        raise
    if not isinstance(answer, tuple) or len(answer) != 5:
        raise InputError(f"{env_name(env)}: step returned {_kind(answer)}, not {wanted}, {_SINCE}")
    _check_observation(env, answer[0])
    if not isinstance(answer[4], Mapping):
        raise InputError(f"{env_name(env)}: info of step is {_kind(answer[4])}, not a dict")
    observation, reward, *ends, info = answer
    # A list of one False would be true.
    terminated, truncated = (
        truth(env, f"{name} of step", end)
        for name, end in zip(("terminated", "truncated"), ends, strict=True)
    )
    return observation, reward, terminated, truncated, info


def set_elapsed(env: gym.Env[Any, Any], num_steps: int) -> None:
    """Let the time limits of Gymnasium count on from ``num_steps``, as restored states do not."""
    for layer in layers(env):
        if isinstance(layer, gym.wrappers.TimeLimit):
            layer._elapsed_steps = num_steps  # type: ignore[assignment]


def refusal_of_seed(
    env: gym.Env[Any, Any], seed: int, options: dict[str, Any] | None = None
) -> Exception | None:
    """Return how ``reset`` fails because of a seed; ``None`` if it does not."""
    try:
        env.reset(seed=seed, options=options)
    except _SEED_ERRORS as error:
        return error
    return None


def _reset_narrowly(
    env: gym.Env[Any, Any], seed: int, options: dict[str, Any] | None, error: Exception
) -> Any:
    """Return what a reset with less of the seed returns, where only the seed is to blame.

    Raises:
        Exception: the error, if it is not to blame.
        InputError: if seeds below ``2**31`` fail too.
    """
    if refusal_of_seed(env, seed, options) is None:
        # It failed by chance, and another seed would be another episode.
        raise error
    if seed >= _NARROW:
        with contextlib.suppress(*_SEED_ERRORS):
            return env.reset(seed=seed % _NARROW, options=options)
    if refusal_of_seed(env, 0, options) is not None:
        raise error
    raise InputError(f"{env_name(env)}: {refused_seed(seed % _NARROW, error)}") from error


def refused_seed(seed: int, error: Exception) -> str:
    """Say that ``reset`` takes fewer seeds than it must."""
    text = (str(error) or "no message").splitlines()[0]
    return (
        f"reset(seed={seed}) fails, reset(seed=0) does not ({type(error).__name__}: {text}): take "
        f"any seed below 2**31, for instance seed % N where the simulator takes N of them"
    )


def _check_takes(
    env: gym.Env[Any, Any], method: Any, wanted: str, *arguments: Any, **options: Any
) -> None:
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):  # Compiled methods do not always have one.
        return
    try:
        signature.bind(*arguments, **options)
    except TypeError as error:
        shown = f"{method.__name__}({', '.join(map(str, signature.parameters))})"
        raise InputError(f"{env_name(env)}: {shown} does not take {wanted}") from error


def _check_observation(env: gym.Env[Any, Any], observation: Any) -> None:
    if not isinstance(observation, Mapping):
        raise InputError(
            f"{env_name(env)}: the observation is {_kind(observation)}, its space promises a dict"
        )
    for key in GOAL_KEYS:
        if key not in observation:
            raise InputError(
                f"{env_name(env)}: the observation lacks {key}, which its space promises"
            )


def _explain_unpacking(env: gym.Env[Any, Any], error: Exception, method: str, wanted: str) -> None:
    """Say it where a wrapper of Gymnasium met something else than it unpacks.

    Raises:
        InputError: if that is what happened.
    """
    place = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
    if "unpack" not in str(error) or not {"gymnasium", "wrappers"} <= set(place.parts):
        return
    count = re.search(r"got (\d+)", str(error))
    given = f"{count[1]} values" if count else "something else"
    raise InputError(
        f"{env_name(env)}: {method} returned {given}, not {wanted}, {_SINCE}"
    ) from error


def _kind(value: Any) -> str:
    """Return what a value is, in words."""
    if isinstance(value, tuple):
        return f"{len(value)} values"
    return f"a {type(value).__name__}" if value is not None else "None"
