"""Pushes of an object, in four directions, until it is at its goal.

A push meets a face of the object, and another face would turn it: so it is turned by quarter turns
alone, and a goal that lies aside takes two pushes. Which one is next, and how the hand gets there,
follows from the scene alone, and passes smoothly from one to the other: a clone has no memory, and
blurs what is sharp.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.demos.experts.fetch_reach import rise

Array = NDArray[np.float64]

# Distances in strides; of two, the first is where something begins to change, and the second where
# it has changed.
_ALIGNED, _TOUCHING, _LOW = (0.25, 0.6), (0.36, 0.75), (0.3, 0.6)
"""How far from where the hand pushes it may be, aside, along the push and above, and still push."""
_BEHIND = (-0.24, -0.06)
"""How far the hand is behind the object when it need not pass over it any more."""
_CLIMBS, _FAR = (0.6, 0.9), (2.5, 3.3)
"""How much the hand has to rise before it moves on, and how far from the object it need not."""
_OVER = 2.2
"""How high the hand passes over what it might push on its way."""
_ROOM = 0.25
"""How far behind the place where it pushes the hand comes down."""
_LEFT = (0.18, 0.36)
"""What is left along a push that is as good as over."""
_DONE = (0.3, 0.6)
"""How far from its goal the object is left."""
_SLOPE = 0.3
"""How far a push may lead aside, as a share of its length."""
_STICKS = 15.0
"""How much farther another push must lead to be preferred to the one that the hand is at."""


@dataclass(frozen=True)
class Push:
    """One push of an object, in one of four directions."""

    offset: Array  # (dim,), of the hand from the object meanwhile
    direction: Array  # (dim,), of the push
    plane: Array  # (dim,), 1 for the axes in which it is turned, 0 for others
    stride: float  # how far the hand comes in a step

    def urgency(self, hand: Array, thing: Array, goal: Array) -> float:
        """Return how much there is to push, and far more where the hand is about it."""
        left = self._left(thing, goal)
        begun = self._at_face(hand, thing) * self._rise(left, _LEFT)
        return left + _STICKS * self.stride * begun

    def way(self, hand: Array, thing: Array, goal: Array, clearance: float) -> Array:
        """Return the way of the hand: around the object and behind it, then on with it.

        Args:
            hand: where it is, ``(dim,)``.
            thing: where the object is.
            goal: where it is to be.
            clearance: how much higher than it has to the hand passes over the object.
        """
        at_face = self._at_face(hand, thing)
        forward, around = self._on(hand, thing, goal), self._around(hand, thing, clearance)
        needed = self._rise(float(np.linalg.norm((goal - thing) * self.plane)), _DONE)
        return np.asarray(needed * (at_face * forward + (1.0 - at_face) * around))

    def _left(self, thing: Array, goal: Array) -> float:
        return float((goal - thing) @ self.direction)

    def _at_face(self, hand: Array, thing: Array) -> float:
        """Return how far the hand may push: 1 where the demonstration did."""
        away = (hand - thing - self.offset) * self.plane
        along = float(away @ self.direction)
        miss = float(np.linalg.norm(away - along * self.direction))
        return (
            (1.0 - self._rise(miss, _ALIGNED))
            * (1.0 - self._rise(abs(along), _TOUCHING))
            * (1.0 - self._rise(self._height(hand, thing), _LOW))
        )

    def _on(self, hand: Array, thing: Array, goal: Array) -> Array:
        """Return the way on with the object, along the push and a little aside."""
        left = (goal - thing) * self.plane
        forward = (left @ self.direction) * self.direction
        sideways, most = left - forward, _SLOPE * float(np.linalg.norm(forward))
        sideways *= min(1.0, most / max(float(np.linalg.norm(sideways)), 1e-9))
        behind = thing + self.offset - hand
        return np.asarray(forward + sideways + behind - (behind @ self.direction) * self.direction)

    def _around(self, hand: Array, thing: Array, clearance: float) -> Array:
        """Return the way behind the object, and over it if need be."""
        to_stance = thing + self.offset - _ROOM * self.stride * self.direction - hand
        behind = self._rise(float((thing + self.offset - hand) @ self.direction), _BEHIND)
        # In a plane there is no way over it.
        over = 0.0 if self.plane.all() else _OVER * self.stride + clearance
        hover = (1.0 - behind) * over
        climb = hover - self._height(hand, thing)
        distance = float(np.linalg.norm((hand - thing) * self.plane))
        clear = max(1.0 - self._rise(climb, _CLIMBS), self._rise(distance, _FAR))
        up = (1.0 - self.plane) * (to_stance + hover)
        return np.asarray(clear * to_stance * self.plane + up)

    def _height(self, hand: Array, thing: Array) -> float:
        """Return how far above the height of the push the hand is; 0 where nothing is up."""
        return float(((hand - thing - self.offset) * (1.0 - self.plane)).sum())

    def _rise(self, value: float, limits: tuple[float, float]) -> float:
        return rise(value / self.stride, limits)


def four_pushes(
    offset: Array, direction: Array, axes: tuple[int, int], stride: float
) -> tuple[Push, ...]:
    """Return a push and its quarter turns.

    Args:
        offset: of the hand from the object meanwhile, ``(dim,)``.
        direction: of the push, ``(dim,)``.
        axes: in whose plane it is turned.
        stride: how far the hand comes in a step.
    """
    plane = np.isin(np.arange(len(offset)), axes).astype(float)
    turns = [_quarter_turns(count, axes, len(offset)) for count in range(4)]
    return tuple(Push(turn @ offset, turn @ direction, plane, stride) for turn in turns)


def way_of(
    pushes: Sequence[Push],
    hand: Array,
    thing: Array,
    goal: Array,
    *,
    clearance: float = 0.0,
) -> Array:
    """Return the way of the hand by the push that is due, ``(dim,)``.

    Args:
        pushes: to choose from.
        hand: where it is, ``(dim,)``.
        thing: where the object is.
        goal: where it is to be.
        clearance: how much higher than it has to the hand passes over the object.
    """
    push = max(pushes, key=lambda push: push.urgency(hand, thing, goal))
    return push.way(hand, thing, goal, clearance)


def shortened(way: Array, longest: float) -> Array:
    """Return a way that leads where ``way`` does, and not farther than ``longest``."""
    return way * min(1.0, longest / max(float(np.linalg.norm(way)), 1e-9))


def _quarter_turns(count: int, axes: tuple[int, int], dim: int) -> Array:
    """Return the rotation in the plane, ``(dim, dim)``."""
    first, second = axes
    cosine, sine = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[count]
    rotation = np.eye(dim)
    rotation[first, first] = rotation[second, second] = cosine
    rotation[first, second], rotation[second, first] = -sine, sine
    return rotation
