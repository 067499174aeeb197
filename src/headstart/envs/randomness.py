"""The random generators that an environment draws from, found and put back."""

import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import gymnasium as gym
import numpy as np

from headstart.envs.interface import layers

_DEEPEST = 4  # attributes of attributes: environment, task, sensor, noise, generator
_MOST = 2000  # objects that are looked at

Setter = Callable[[Any], None]


class Randomness:
    """Where the generators of an environment stand, to let it draw the same numbers again.

    Covers the generators of numpy and of ``random`` in the attributes of the environment, its
    wrappers and their parts, and the global ones. A generator within a simulator is out of reach.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        self._env = env
        self._states = {path: state for path, state, _ in _generators(env)}

    def restore(self) -> None:
        """Put back all generators that are still where they were."""
        for path, _, put_back in _generators(self._env):
            if path in self._states:
                put_back(self._states[path])


def _generators(env: gym.Env[Any, Any]) -> Iterator[tuple[str, Any, Setter]]:
    """Yield each generator as its path, its state, and the function that sets its state."""
    # By path and not by object: most environments make a new generator in reset.
    found: list[tuple[str, Any]] = [
        ("numpy.random", np.random.mtrand._rand),
        ("random", sys.modules.get("random")),
    ]
    waiting = [(str(number), layer, 0) for number, layer in enumerate(layers(env))]
    seen = {id(layer) for _, layer, _ in waiting}
    while waiting and len(seen) < _MOST:
        path, thing, depth = waiting.pop(0)
        if _access(thing) is not None:
            found.append((path, thing))
        elif depth < _DEEPEST:
            for name, part in _parts(thing):
                if id(part) not in seen:
                    seen.add(id(part))
                    waiting.append((f"{path}.{name}", part, depth + 1))
    for path, generator in found:
        access = _access(generator)
        if access is not None:
            yield path, *access


def _parts(thing: Any) -> list[tuple[Any, Any]]:
    """Return what an object consists of, where it may hold a generator."""
    if isinstance(thing, dict):
        return list(islice(thing.items(), _MOST))
    if isinstance(thing, list | tuple):
        return list(islice(enumerate(thing), _MOST))
    if isinstance(thing, type | np.ndarray) or type(thing).__name__ in ("module", "function"):
        return []
    return list(getattr(thing, "__dict__", {}).items())


def _access(thing: Any) -> tuple[Any, Setter] | None:
    """Return the state of a generator and how to set it; ``None`` for anything else."""
    if isinstance(thing, np.random.Generator):
        bits = thing.bit_generator
        return bits.state, lambda state: setattr(bits, "state", state)
    if isinstance(thing, np.random.RandomState):
        return thing.get_state(), thing.set_state
    if all(hasattr(thing, name) for name in ("getstate", "setstate", "betavariate")):
        return thing.getstate(), thing.setstate
    return None
