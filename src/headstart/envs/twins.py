"""Whether an environment that is built again is the same as the one at hand."""

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.envs.interface import layers

_STEPS = 20
_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)
_ORDERED = (list, tuple)


def is_same(env: gym.Env[Any, Any], build: Callable[[], gym.Env[Any, Any]]) -> bool:
    """Return whether ``build`` gives the goal environment ``env`` again.

    That is: the same spaces, the same course for some steps, and the same attributes, as far as
    these are numbers, text or arrays and stay the same within an episode. An environment that does
    not repeat itself takes another course each time; its course is then not compared.
    """
    before = _settings(env)
    course, after = _course(env), _settings(env)
    twin = build()
    spaces = twin.observation_space, twin.action_space
    found_course, found = _course(twin), _settings(twin)
    twin.close()
    if spaces != (env.observation_space, env.action_space):
        return False
    if found_course != course and _course(env) == course:
        return False
    lasting = {name for name, value in before.items() if after.get(name) == value}
    changed = {name for name in lasting if found.get(name, after[name]) != after[name]}
    # Some differ from object to object: a time, or the number of an object.
    return not changed or changed <= _differing(found, build)


def _differing(
    found: Mapping[tuple[str, str], Any], build: Callable[[], gym.Env[Any, Any]]
) -> set[tuple[str, str]]:
    """Return the attributes that differ between two environments that are built alike."""
    twin = build()
    _course(twin)
    again = _settings(twin)
    twin.close()
    return {name for name, value in found.items() if again.get(name) != value}


def _settings(env: gym.Env[Any, Any]) -> dict[tuple[str, str], Any]:
    """Return the attributes of an environment and its wrappers that can be compared."""
    # Of two wrappers of one class, the outer one counts.
    return {
        (type(layer).__qualname__, name): content
        for layer in reversed([*layers(env)])
        for name, value in vars(layer).items()
        if (content := _content(value)) is not None
    }


def _content(value: Any) -> Any:
    """Return something that is equal where two values are; ``None`` where that is unknown."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        value = [*value.items()]
    if isinstance(value, _ORDERED):
        contents = [_content(item) for item in value]
        return None if None in contents else tuple(contents)
    return None


def _course(env: gym.Env[Any, Any]) -> list[Any]:
    """Return all that an environment answers in some steps from fixed seeds."""
    rng = np.random.default_rng(0)
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    answers: list[Any] = []

    def note(observation: Any, *numbers: Any) -> None:
        answers.append({key: np.asarray(observation[key]).tobytes() for key in observation})
        answers.append(np.asarray(numbers, np.float64).tobytes())

    try:
        note(env.reset(seed=0)[0])
        for _ in range(_STEPS):
            observation, *numbers, _ = env.step(rng.uniform(low, high).astype(np.float32))
            note(observation, *numbers)
            if any(numbers[1:]):
                break
    except Exception as error:  # What is wrong with an environment is found elsewhere.
        answers.append(f"{type(error).__name__}: {error}")
    return answers
