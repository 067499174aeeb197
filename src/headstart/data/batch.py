"""A batch of transitions, over numpy arrays or torch tensors alike."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = TypeVar("Array")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Batch(Generic[Array]):
    """``B`` transitions ``s, g, a, r, s'``; the goal of the next state is ``desired_goal`` too."""

    observation: Array  # (B, observation_dim)
    achieved_goal: Array  # (B, goal_dim)
    desired_goal: Array  # (B, goal_dim)
    action: Array  # (B, action_dim), in the env's own units
    reward: Array  # (B,)
    terminated: Array  # (B,), 1 where the bootstrap ends
    next_observation: Array  # (B, observation_dim)
    next_achieved_goal: Array  # (B, goal_dim)
    source: Array  # (B,), whose the step is, see ``headstart.data.episode``

    @property
    def is_demo(self) -> Array:
        """1 where the step is demonstrated or corrected, 0 where it is the agent's own."""
        source: Any = self.source
        is_demo: Array = source.clip(max=1.0)
        return is_demo

    def map(self, function: Callable[[Array], Other]) -> "Batch[Other]":
        """Apply ``function`` to every field."""
        return Batch(*(function(getattr(self, field.name)) for field in fields(self)))

    def __repr__(self) -> str:
        """Return what it is, in one line: the arrays would fill a notebook."""
        columns: Any = self
        widths = [f"{name} {_width(getattr(columns, name))}" for name in ("observation", "action")]
        widths.insert(1, f"goal {_width(columns.desired_goal)}")
        return f"Batch({len(self)} rows: {', '.join(widths)}; {type(self.action).__name__})"

    def __len__(self) -> int:
        action: Any = self.action
        return len(action)


def _width(array: Any) -> int:
    return int(array.shape[-1])


NumpyBatch = Batch[NDArray[np.float32]]
