"""Following a route: closed loop, by distance and not by clock."""

import numpy as np

from headstart.demos.expansion.route import Route
from headstart.demos.expansion.workspace import Array

# Distances in strides.
AHEAD, _CAREFUL = 1.75, 0.7
"""How far ahead the hand aims at speed 1: in between, and near what it takes or leaves."""
_ARRIVED = 0.15
"""At which distance from a point where the gripper moves the hand is there."""
_VISIBLE, _SETTLED = 0.2, 0.2
"""By how much fingers that are seen move in a step, in strides, and the share of it by which they
move when they are as good as still."""
_PATIENCE = 5
"""Steps without progress after which the hand continues anyway."""


class Follower:
    """Leads a hand along a route, and the object once the hand holds it.

    Args:
        route: where to.
        thing: where the object was when the route was laid, ``(dim,)``.
        stride: how far the hand moves in a step.
        speed: how far ahead the hand aims, 1 being usual.
    """

    def __init__(self, route: Route, thing: Array, stride: float, speed: float) -> None:
        self.route, self.point = route, 0
        self._planned, self._stride, self._speed = thing, stride, speed
        self._stalled = self._dwelt = 0
        self._largest = 0.0

    @property
    def ended(self) -> bool:
        """Whether the last point is reached."""
        return self.point + 1 >= len(self.route.hand)

    @property
    def is_held(self) -> bool:
        """Whether the hand should hold the object here."""
        return bool(self.route.is_held[self.point])

    @property
    def is_careful(self) -> bool:
        """Whether the hand is near the place where it takes or leaves the object."""
        return bool(self.route.is_careful[self.point])

    @property
    def is_near(self) -> bool:
        """Whether the hand is about to take or to leave the object."""
        return self.is_careful and not self.route.flight[self.point]

    def ahead(self, *, careful: bool) -> float:
        """Return how far ahead the hand aims."""
        return self._stride * self._speed * (_CAREFUL if careful else AHEAD)

    def way(self, hand: Array, thing: Array, change: float) -> Array:
        """Get on along the route, and return the way to where to aim, ``(dim,)``.

        Args:
            hand: where it is, ``(dim,)``.
            thing: where the object is.
            change: how much the fingers have moved since the last step, as far as that is seen.
        """
        if self._dwelt < self.route.dwell[self.point] and not self._is_settled(change):
            self._dwelt += 1
            return self._to(self.point, hand, thing)
        before, self.point = self.point, self._skip(hand, thing)
        while not self.ended:
            following = self.point + 1
            stays = bool(self.route.dwell[following])
            away = float(np.linalg.norm(self._to(following, hand, thing)))
            if away > self._limit(following, stays=stays) and self._stalled < _PATIENCE:
                break
            self.point, self._stalled = following, 0
            if stays:
                self._dwelt, self._largest = 0, 0.0
                return self._to(following, hand, thing)
        self._stalled = self._stalled + 1 if self.point == before else 0
        return self._to(min(self.point + 1, len(self.route.hand) - 1), hand, thing)

    def _is_settled(self, change: float) -> bool:
        """Return whether the fingers have done what was asked of them.

        A hand that waited on would do so by a clock, which no clone has.
        """
        self._largest = max(self._largest, change)
        return self._largest > _VISIBLE * self._stride and change < _SETTLED * self._largest

    def slip(self, hand: Array, thing: Array) -> float:
        """Return how far the object is from where it should be in the hand."""
        route, point = self.route, self.point
        return float(np.linalg.norm(thing - hand - route.object[point] + route.hand[point]))

    def _limit(self, following: int, *, stays: bool) -> float:
        """Return how near the hand must come to the next point before it aims at what follows."""
        if stays:
            return _ARRIVED * self._stride
        if self.route.turns[following] > 0.0:
            return float(self.route.turns[following]) * self._stride
        return self.ahead(careful=self.is_careful)

    def _to(self, point: int, hand: Array, thing: Array) -> Array:
        """Return the way to a point: that of the object if the hand holds it from here on."""
        return np.asarray(self._ways(slice(point, point + 1), hand, thing)[0])

    def _ways(self, points: slice, hand: Array, thing: Array) -> Array:
        route = self.route
        moved = route.follows[points, None] * (thing - self._planned)
        held = (route.is_held[points] & route.is_held[self.point])[:, None]
        return np.where(held, route.object[points] - thing, route.hand[points] + moved - hand)

    def _skip(self, hand: Array, thing: Array) -> int:
        """Return the last point within reach before anything changes: loops are left out."""
        route, point = self.route, self.point
        changes = (
            (route.is_careful[point + 1 :] != route.is_careful[point])
            | (route.is_held[point + 1 :] != route.is_held[point])
            | (route.dwell[point + 1 :] > 0)
            | (route.turns[point + 1 :] > 0.0)
        )
        end = point + 1 + (int(np.argmax(changes)) if changes.any() else len(changes))
        away = np.linalg.norm(self._ways(slice(point, end), hand, thing), axis=1)
        near = np.flatnonzero(away <= self.ahead(careful=self.is_careful))
        return point + int(near[-1]) if len(near) else point
