"""Whether an environment that was built again is the same as the one it was built from."""

from typing import Any

import gymnasium as gym
import numpy as np

_STEPS = 20


def behaves_like(twin: gym.Env[Any, Any], env: gym.Env[Any, Any]) -> bool:
    """Return whether two goal environments have the same spaces and go the same way for a while.

    An environment that does not repeat itself has no way to be compared, and then counts as alike.
    """
    if (twin.observation_space, twin.action_space) != (env.observation_space, env.action_space):
        return False
    way = _way(env)
    return _way(twin) == way or _way(env) != way


def _way(env: gym.Env[Any, Any]) -> list[Any]:
    """Return all that an environment says in some steps from fixed seeds."""
    rng = np.random.default_rng(0)
    low, high = env.action_space.low, env.action_space.high  # type: ignore[attr-defined]
    said: list[Any] = []

    def note(observation: Any, *numbers: Any) -> None:
        said.append({key: np.asarray(observation[key]).tobytes() for key in observation})
        said.append(np.asarray(numbers, np.float64).tobytes())

    try:
        note(env.reset(seed=0)[0])
        for _ in range(_STEPS):
            observation, *numbers, _ = env.step(rng.uniform(low, high).astype(np.float32))
            note(observation, *numbers)
            if any(numbers[1:]):
                break
    except Exception as error:  # Whatever is wrong with an environment is found elsewhere.
        said.append(f"{type(error).__name__}: {error}")
    return said
