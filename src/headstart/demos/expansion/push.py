"""A demonstrated push, turned by quarter turns so that it leads to another goal.

What is kept of it is where the hand meets the object. A push meets a face of the object, and
another face would turn it: so it is not turned by any other angle, and a goal that lies aside takes
two pushes. Which one is next, and how the hand gets there, follows from the scene alone: a clone
has no memory either.
"""

from dataclasses import dataclass

import numpy as np

from headstart.demos.expansion.skill import Move, Skill
from headstart.demos.expansion.workspace import Array, Workspace
from headstart.demos.experts.fetch_reach import rise

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
_TILTED = 0.45
"""How far aside of a face's middle the hand pushes, as a share of its distance, by accident."""


@dataclass(frozen=True)
class Push:
    """One push of an object, in one of four directions."""

    offset: Array  # (dim,), of the hand from the object meanwhile
    direction: Array  # (dim,), of the push
    plane: Array  # (dim,), 1 for the axes in which it is turned, 0 for others
    stride: float

    @classmethod
    def all_of(cls, skill: Skill, move: Move, workspace: Workspace) -> tuple["Push", ...]:
        """Return the push of a demonstration and its quarter turns.

        Args:
            skill: the demonstration.
            move: which part of it.
            workspace: of the environment.
        """
        pushing = slice(min(move.grab + 1, move.place), move.place + 1)
        offset = np.median(skill.hand[pushing] - skill.objects[pushing, move.component], axis=0)
        plane = np.isin(np.arange(len(offset)), workspace.plane).astype(float)
        away = offset * plane
        straight = np.where(np.abs(away) == np.abs(away).max(), away, 0.0)
        if np.linalg.norm(away - straight) < _TILTED * np.linalg.norm(straight):
            offset, away = offset - away + straight, straight
        direction = -away / max(float(np.linalg.norm(away)), 1e-9)
        turns = [_quarter_turns(count, workspace) for count in range(4)]
        return tuple(
            cls(turn @ offset, turn @ direction, plane, workspace.stride) for turn in turns
        )

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


def _quarter_turns(count: int, workspace: Workspace) -> Array:
    """Return the rotation in the plane, ``(dim, dim)``."""
    first, second = workspace.plane
    cosine, sine = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[count]
    rotation = np.eye(workspace.layout.dim)
    rotation[first, first] = rotation[second, second] = cosine
    rotation[first, second], rotation[second, first] = -sine, sine
    return rotation
