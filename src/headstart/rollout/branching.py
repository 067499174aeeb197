"""Behaviours that try something in the simulator, and go back if it fails."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray


@runtime_checkable
class Branching(Protocol):
    """A behaviour that looks at where its actions have led.

    What is gone back from is not part of the episode, whose ``discarded_steps`` counts it.
    """

    def review(
        self,
        observation: Mapping[str, NDArray[Any]],
        *,
        is_success: bool,
        num_steps: int,
        finished: bool,
    ) -> int | None:
        """Return how many of the steps so far to keep; ``None`` ends the episode with all of them.

        Args:
            observation: what is observed after the last step.
            is_success: whether the goal is fulfilled there.
            num_steps: how many steps there are.
            finished: whether the env ends the episode here; to keep fewer steps continues it.

        Fewer than ``num_steps`` go back to the state after as many, where the env restores states.
        """
