"""What happens in an episode, noted step by step."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.envs.snapshot import Restorable, stack_states

Observed = Mapping[str, NDArray[Any]]


class Recording:
    """What happened in an episode so far. Copies all: an env may reuse its arrays.

    Args:
        observation: the first one.
        simulator: saves the state of the env at every step; ``None`` keeps no snapshots.
    """

    def __init__(self, observation: Observed, simulator: Restorable | None) -> None:
        self._simulator = simulator
        self._states = [self._state(observation)]
        self._steps: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
        self._outcomes: list[tuple[bool, bool, float, list[float]]] = []
        self._discarded = 0

    @property
    def num_steps(self) -> int:
        """How many steps of the episode are finished."""
        return len(self._outcomes)

    @property
    def is_success(self) -> bool:
        """Whether the last step reached the goal."""
        return bool(self._outcomes) and self._outcomes[-1][1]

    @property
    def env_steps(self) -> int:
        """How many steps have been taken, those of branches included."""
        return self.num_steps + self._discarded

    def before_step(self, observation: Observed, action: NDArray[np.float32]) -> None:
        """Note the goal that the action is taken for."""
        self._steps.append((np.array(observation["desired_goal"], np.float32), action))

    def after_step(
        self,
        observation: Observed,
        terminated: bool,
        is_success: bool,
        reward: float,
        kept: list[float],
    ) -> None:
        """Note what the step led to."""
        self._states.append(self._state(observation))
        self._outcomes.append((terminated, is_success, reward, kept))

    def go_back(self, num_steps: int) -> Observed:
        """Forget all but the first ``num_steps``, put the env there, and return what it observes.

        The env must be one that restores its states.
        """
        assert self._simulator is not None
        self._discarded += self.num_steps - num_steps
        desired_goal = self._steps[0][0]
        del self._states[num_steps + 1 :], self._steps[num_steps:], self._outcomes[num_steps:]
        observation, achieved_goal, snapshot = self._states[-1]
        self._simulator.restore_state(snapshot, desired_goal)
        return {
            "observation": observation,
            "achieved_goal": achieved_goal,
            "desired_goal": desired_goal,
        }

    def episode(self, *, snapshots: bool) -> Episode:
        """Return the finished episode, with the snapshots or without."""
        observations, achieved_goals, states = zip(*self._states, strict=True)
        desired_goals, actions = zip(*self._steps, strict=True)
        terminated, is_success, rewards, kept = zip(*self._outcomes, strict=True)
        return Episode(
            observations=np.stack(observations),
            achieved_goals=np.stack(achieved_goals),
            desired_goals=np.stack(desired_goals),
            actions=np.stack(actions),
            terminated=np.array(terminated, bool),
            is_success=np.array(is_success, bool),
            reward_infos=np.array(kept, np.float32),
            snapshots=stack_states(states if snapshots else [np.zeros(0)] * len(states)),
            rewards=np.array(rewards, np.float32),
            discarded_steps=self._discarded,
        )

    def _state(self, observation: Observed) -> tuple[NDArray[Any], ...]:
        return (
            np.array(observation["observation"], np.float32),
            np.array(observation["achieved_goal"], np.float32),
            np.zeros(0)
            if self._simulator is None
            else np.array(self._simulator.save_state(), float),
        )
