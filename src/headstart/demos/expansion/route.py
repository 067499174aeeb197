"""A way of the hand through a scene, and of the object in it."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from headstart.demos.expansion.workspace import Array

_SPACING = 0.15
"""Largest distance between two points of a route, in strides."""


@dataclass(frozen=True)
class Scene:
    """What a move starts from."""

    hand: Array  # (dim,)
    object: Array  # (dim,)
    goal: Array  # (dim,)
    change: float = 0.0  # since the last step, of what else is observed, such as the fingers
    others: Array = field(default_factory=lambda: np.zeros((0, 3)))  # other objects, (m, dim)


@dataclass(frozen=True)
class Route:
    """Points through which hand and object are to pass."""

    hand: Array  # (N, dim)
    object: Array  # (N, dim), where the object is to be while the hand holds it
    others: Array  # (N, action_dim), actions, without what moves the hand
    is_careful: NDArray[np.bool_]  # (N,), near the places where the object is taken or left
    is_held: NDArray[np.bool_]  # (N,), whether the object moves with the hand
    follows: Array  # (N,), share of what the object moves by meanwhile that the hand follows
    dwell: NDArray[np.int64]  # (N,), steps to wait at a point, for the gripper
    flight: NDArray[np.int64]  # (N,), number of the way on which nothing is touched, from 1; or 0
    turns: Array  # (N,), of corners how near to them the hand must come, in strides; else 0

    def dense(self, stride: float) -> "Route":
        """Return the route with points between its own, close to one another."""
        gaps = np.linalg.norm(np.diff(self.hand, axis=0), axis=1)
        counts = np.maximum(np.ceil(gaps / (_SPACING * stride)).astype(int), 1)
        between = [number + np.arange(count) / count for number, count in enumerate(counts)]
        place = np.concatenate([*between, [len(self.hand) - 1]])
        index = np.floor(place).astype(int)
        return replace(
            self,
            hand=_between(place, self.hand),
            object=_between(place, self.object),
            others=self.others[index],
            is_careful=self.is_careful[index],
            is_held=self.is_held[index],
            follows=_between(place, self.follows[:, None])[:, 0],
            dwell=np.where(place == index, self.dwell[index], 0),
            flight=self.flight[index],
            turns=np.where(place == index, self.turns[index], 0.0),
        )


def share_of_way(points: Array) -> Array:
    """Return how far along their way points are, ``(N,)``, from 0 to 1; of one point alone 1."""
    if len(points) < 2:
        return np.ones(len(points))
    gaps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(gaps)])
    if length[-1] == 0.0:
        return np.linspace(0.0, 1.0, len(points))
    return np.asarray(length / length[-1])


def _between(place: Array, values: Array) -> Array:
    """Return rows at fractions of the way between rows."""
    numbers = np.arange(len(values))
    return np.stack([np.interp(place, numbers, column) for column in values.T], axis=1)
