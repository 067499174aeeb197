"""From where the controls stand to an action, by what the task says of its hand."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.envs.goal_env import GoalSpec
from headstart.policy import inner_bounds
from headstart.web.teleop.messages import Stick

FloatArray = NDArray[np.float32]
_FARTHEST = 5.0
"""Steps at full speed that the hand may lag behind where it is to reach: a table may be in its
way, and it must not run on for seconds."""


class Drive:
    """Makes actions for one task.

    Attributes:
        dim: directions in which the hand moves; 0 where nothing is declared of a hand.
        has_gripper: whether an entry of the action closes fingers.
        sliders: the other entries of the action that do something, which have a slider each.
        axes: right, away and up in the frame of positions, ``(dim, dim)``, a row each.
    """

    def __init__(self, spec: GoalSpec) -> None:
        layout = spec.layout
        self._layout = layout
        self.low, self.high = inner_bounds(np.array(spec.action_low), np.array(spec.action_high))
        self.rest = np.clip(np.zeros_like(self.low), self.low, self.high)
        self.dim = len(layout.hand_actions)
        self.has_gripper = layout.gripper_action is not None
        self._closed = 1.0 if layout.gripper_closes_at == "high" else -1.0
        taken = {*layout.hand_actions, layout.gripper_action, *layout.unused_actions}
        self.sliders = tuple(entry for entry in range(spec.action_dim) if entry not in taken)
        azimuth = None if spec.camera is None else spec.camera.get("azimuth")
        self.axes = _axes(self.dim, azimuth if isinstance(azimuth, float | int) else None)
        self._target: NDArray[np.float64] | None = None

    def describe(self) -> dict[str, Any]:
        """Return what a page must know to steer, as JSON has it."""
        return {
            "dim": self.dim,
            "has_gripper": self.has_gripper,
            "sliders": list(self.sliders),
            "axes": self.axes.tolist(),
        }

    def action(self, stick: Stick, observation: FloatArray, *, is_closed: bool) -> FloatArray:
        """Return the action that the controls ask for.

        Args:
            stick: the controls.
            observation: what is observed, ``(observation_dim,)``, to see where the hand is.
            is_closed: whether the fingers are to be closed.
        """
        action = self.rest.copy()
        for entry, value in zip(self.sliders, stick.sliders, strict=False):
            action[entry] = self._scaled(entry, value)
        if self._layout.gripper_action is not None:
            entry = self._layout.gripper_action
            action[entry] = self._scaled(entry, self._closed if is_closed else -self._closed)
        if self.dim:
            speed = self._speed(stick, observation)
            for entry, value in zip(self._layout.hand_actions, speed.tolist(), strict=True):
                action[entry] = self._scaled(entry, value)
        return action

    def closes(self, action: FloatArray) -> bool:
        """Return whether an action closes the fingers."""
        entry = self._layout.gripper_action
        return entry is not None and bool(self._closed * (action[entry] - self.rest[entry]) > 0.0)

    def reach(self, way: tuple[float, ...], observation: FloatArray) -> None:
        """Move the hand's target by ``way``, from where it is or was to go already."""
        if self.dim and any(way):
            start = self._hand(observation) if self._target is None else self._target
            self._target = start + self._in_frame(way)

    def forget_reach(self) -> None:
        """Let the hand stay where it is."""
        self._target = None

    def _speed(self, stick: Stick, observation: FloatArray) -> NDArray[np.float64]:
        """Return the share of its bound that each entry of the hand's action takes."""
        steps = np.array(self._layout.hand_steps) * (1.0 + self._layout.hand_lag)
        if any(stick.move):
            self.forget_reach()
            return np.asarray(np.sign(steps) * self._in_frame(stick.move))
        if self._target is None:
            return np.zeros(self.dim)
        bounds = np.abs(self.high[list(self._layout.hand_actions)])
        hand, farthest = self._hand(observation), _FARTHEST * np.abs(steps) * bounds
        self._target = hand + np.clip(self._target - hand, -farthest, farthest)
        return np.asarray((self._target - hand) / (steps * bounds))

    def _hand(self, observation: FloatArray) -> NDArray[np.float64]:
        assert self._layout.hand is not None
        place = slice(self._layout.hand, self._layout.hand + self.dim)
        return np.array(observation[place], np.float64)

    def _in_frame(self, way: tuple[float, ...]) -> NDArray[np.float64]:
        padded = [*way, *[0.0] * self.dim][: self.dim]
        return np.asarray(np.array(padded) @ self.axes)

    def _scaled(self, entry: int, share: float) -> float:
        """Return the value of an entry at a share in [-1, 1] of its way from rest to a bound."""
        bound = self.high[entry] if share > 0.0 else self.low[entry]
        return float(self.rest[entry] + min(abs(share), 1.0) * (bound - self.rest[entry]))


def _axes(dim: int, azimuth: float | None) -> NDArray[np.float64]:
    """Return what right, away and up are for who looks from ``azimuth``, in degrees."""
    axes = np.eye(dim)
    if azimuth is not None and dim > 1:
        angle = math.radians(azimuth)
        axes[0, :2] = math.sin(angle), -math.cos(angle)
        axes[1, :2] = math.cos(angle), math.sin(angle)
    return axes
