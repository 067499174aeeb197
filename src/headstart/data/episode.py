"""One finished episode, the unit that everything in the library is made of."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Episode:
    """One finished episode of ``T`` steps. States have ``T + 1`` rows, the final one too.

    Raises:
        ValueError: if the lengths disagree, an episode is empty, or a number is not finite.
    """

    observations: FloatArray  # (T + 1, observation_dim)
    achieved_goals: FloatArray  # (T + 1, goal_dim)
    desired_goals: FloatArray  # (T, goal_dim)
    actions: FloatArray  # (T, action_dim), in the env's own units
    terminated: BoolArray  # (T,), true where the bootstrap ends
    is_success: BoolArray  # (T,), whether the state that step led to fulfils the goal

    def __post_init__(self) -> None:
        lengths = {
            len(self.actions),
            len(self.desired_goals),
            len(self.terminated),
            len(self.is_success),
            len(self.observations) - 1,
            len(self.achieved_goals) - 1,
        }
        if len(lengths) != 1:
            raise ValueError(f"inconsistent episode lengths: {sorted(lengths)}")
        if len(self) == 0:
            raise ValueError("an episode needs at least one step")
        for name in ("observations", "achieved_goals", "desired_goals", "actions"):
            if getattr(self, name).ndim != 2:
                raise ValueError(f"episode.{name} must hold one vector a row")
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"episode.{name} holds NaN or infinity")

        if self.desired_goals.shape[1] != self.achieved_goals.shape[1]:
            raise ValueError("episode.desired_goals and episode.achieved_goals differ in width")

    def __len__(self) -> int:
        return len(self.actions)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Episode):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def success(self) -> bool:
        """Whether the goal is fulfilled at the last step: what a reported success means."""
        return bool(self.is_success[-1])
