"""A policy behind a socket: an observation goes in, an action comes out, both as JSON."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.envs.interface import GOAL_KEYS
from headstart.policy import Policy

_LARGEST = float(np.finfo(np.float32).max)


class Answers:
    """Answers messages of the form ``{"observation": [...], "achieved_goal": [...], ...}``.

    Args:
        policy: a pure function, so that clients do not disturb one another.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        goal = policy.goal_dim
        self._widths = dict(zip(GOAL_KEYS, (policy.observation_dim, goal, goal), strict=True))

    @property
    def most_bytes(self) -> int:
        """How long a message may be: three times what its numbers take at full precision."""
        return 256 + 64 * sum(self._widths.values())

    def __call__(self, message: Mapping[str, Any]) -> dict[str, list[float]]:
        """Return ``{"action": [...]}``, in the environment's own units.

        Raises:
            ValueError: if the message is of another form, or no action follows from it.
        """
        if message.keys() != self._widths.keys():
            raise ValueError(f"a message holds {', '.join(self._widths)}, and nothing else")
        vectors = {name: _vector(name, message[name], n) for name, n in self._widths.items()}
        try:
            return {"action": self._policy(vectors).tolist()}
        except FloatingPointError as error:
            raise ValueError(str(error)) from error


def _vector(name: str, value: Any, width: int) -> NDArray[np.float32]:
    is_list = isinstance(value, list) and len(value) == width
    if not is_list or not all(type(number) in (int, float) for number in value):
        raise ValueError(f"{name} must be a list of {width} numbers")
    # An int of any length among them.
    if not all(abs(number) <= _LARGEST for number in value):
        raise ValueError(f"{name} holds a number that is too large")
    return np.array(value, np.float32)
