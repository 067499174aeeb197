"""Where hand and objects are in what is observed, and the actions that move the hand."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.data.layout import StateLayout
from headstart.envs.goal_env import GoalSpec
from headstart.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Workspace:
    """What is declared of the hand of an environment, put to use."""

    layout: StateLayout
    low: tuple[float, ...]  # (action_dim,), bounds of an action
    high: tuple[float, ...]  # (action_dim,)
    finished: tuple[float, ...] = ()
    """How near to its goal a component is finished, if that is declared; and one that carries
    another."""

    @classmethod
    def of(cls, spec: GoalSpec) -> "Workspace":
        """Return the workspace of an environment.

        Raises:
            InputError: if nothing is declared about the hand, or no part of a goal is a place.
        """
        layout = spec.layout
        if not layout.hand_actions:
            raise InputError(
                f"{spec.env_id}: nothing is declared about its hand, which makes demonstrations: "
                f"declare hand, hand_actions and hand_steps in its state_layout, or pass "
                f"--task.hand, --task.hand-actions and --task.hand-steps; see `headstart envs "
                f"check {spec.env_id}`"
            )
        if not layout.goal_positions:
            raise InputError(
                f"{spec.env_id}: no entry of its goals is declared to be a position, which is "
                f"where demonstrations lead: declare goal_positions in its state_layout, or pass "
                f"--task.goal-positions"
            )
        finished = spec.component_layout.distances if spec.component_layout else ()
        return cls(layout, spec.action_low, spec.action_high, finished)

    @property
    def pace(self) -> float:
        """How far the hand moves in a step at most along every axis, in the units of positions."""
        return float((np.abs(self.layout.hand_steps) * self._limits()).min())

    @property
    def stride(self) -> float:
        """How far from where the hand is it comes to rest: its pace, and what it lags behind."""
        return self.pace * (1.0 + self.layout.hand_lag)

    @property
    def upward(self) -> list[int]:
        """Axes along which the scene may not be shifted: of a table, the height."""
        return [axis for axis in range(self.layout.dim) if axis not in self.layout.shift_axes]

    @property
    def plane(self) -> list[int]:
        """The two axes in which a push may be turned; empty where there are not two."""
        axes = list(self.layout.shift_axes)
        return axes if len(axes) == 2 else []

    def hand(self, observations: NDArray[np.floating]) -> Array:
        """Return where the hand is in observations, ``(..., dim)``."""
        assert self.layout.hand is not None
        first = self.layout.hand
        return np.asarray(observations[..., first : first + self.layout.dim], float)

    def objects(self, goals: NDArray[np.floating]) -> Array:
        """Return the places that goals, achieved or desired, name, ``(..., count, dim)``."""
        firsts = self.layout.goal_positions
        places = [goals[..., first : first + self.layout.dim] for first in firsts]
        return np.stack(places, axis=-2).astype(float)

    def rest(self, observation: NDArray[np.floating]) -> Array:
        """Return what an observation holds besides positions, angles and velocities."""
        layout = self.layout
        places = {first + axis for first in layout.positions for axis in range(layout.dim)}
        known = {*places, *layout.angles, *layout.velocities}
        return np.asarray(np.delete(observation, sorted(known)), float)

    def act(self, way: Array, others: Array) -> NDArray[np.float32]:
        """Return the action that moves the hand by ``way``, or in its direction as far as it can.

        Args:
            way: ``(dim,)``.
            others: the action whose entries other than those of the hand are taken,
                ``(action_dim,)``.
        """
        # A hand that lags is asked for less at a time, or it would swing about where it is to go.
        wanted = way / (np.asarray(self.layout.hand_steps) * (1.0 + self.layout.hand_lag))
        excess = float((np.abs(wanted) / self._limits()).max())
        action = np.array(others, float)
        action[list(self.layout.hand_actions)] = wanted / max(excess, 1.0)
        return np.asarray(np.clip(action, self.low, self.high), np.float32)

    def _limits(self) -> Array:
        """Return the largest action along each axis that can be taken both ways, ``(dim,)``."""
        entries = list(self.layout.hand_actions)
        low, high = np.asarray(self.low)[entries], np.asarray(self.high)[entries]
        return np.asarray(np.minimum(-low, high))
