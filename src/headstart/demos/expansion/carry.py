"""A demonstrated way to an object and with it to its goal, laid into another scene."""

import numpy as np

from headstart.demos.expansion.flight import APPROACH, LANDING, flown
from headstart.demos.expansion.route import Route, Scene, share_of_way
from headstart.demos.expansion.skill import Move, Skill, near
from headstart.demos.expansion.workspace import Array, Workspace

_DWELL = (3, 8)
"""Steps that the hand waits for the gripper at least and at most."""
_RISES = 0.9
"""How far a hand rises that leaves what it has let go upwards, in strides."""
_FROM_ABOVE = 0.6
"""Share of the height in the way on which an object comes down on its place."""
_LOW, _FALLS = 0.06, 0.6
"""How far an object may be above where it comes to rest when it is let go, and from where on it is
meant to fall, in strides."""
_STILL = 0.3
"""How far a hand or an object may move and still be where it is, in strides."""


class CarryLayer:
    """Lays one move of a demonstration into a scene: a carry, or the way of a hand alone.

    Around the place where the object is taken, the way is that of the demonstration relative to the
    object, and where it is left that relative to the goal. Between these, what it is shifted by
    changes with the length of the way.

    Args:
        skill: the demonstration.
        move: which part of it.
        scene: the other scene.
        workspace: of the environment.
        clearance: how much higher than in the demonstration the way leads in between.
    """

    def __init__(
        self, skill: Skill, move: Move, scene: Scene, workspace: Workspace, clearance: float = 0.0
    ) -> None:
        self._skill, self._move, self._scene = skill, move, scene
        self._workspace, self._clearance = workspace, clearance
        self._is_last = move is skill.moves[-1]
        self._flies = bool(len(scene.others)) and len(workspace.upward) == 1
        states = slice(move.first, move.last + 1)
        self._hand = skill.hand[states]
        self._object = skill.objects[states, move.component]
        self._closing = skill.closing[states]
        self._grab, self._place = move.grab - move.first, move.place - move.first
        self._shift = np.zeros_like(self._hand)
        self._correction = np.zeros_like(self._hand)
        self._follows = np.zeros(len(self._hand))
        self._careful = np.zeros(len(self._hand), bool)
        self._held = np.zeros(len(self._hand), bool)
        self._flight = np.zeros(len(self._hand), np.int64)

    def route(self) -> Route:
        """Return the route."""
        scene, move, stride = self._scene, self._move, self._workspace.stride
        to_goal = scene.goal - self._skill.objects[-1, move.component]
        changes = np.flatnonzero(self._closing[self._place :])
        released = self._place + int(changes[0]) if len(changes) else None
        arrives = self._place
        if released is not None:
            limits = min(self._grab + 1, self._place), len(self._hand) - 1
            arrives, _ = near(self._hand, self._place, stride, *limits)
            self._careful[arrives:] = True
        self._shift[arrives:] = to_goal
        if released is not None:
            self._let_down(released)
            if not self._is_last:
                self._leave_upwards(released)
        start, at_start = 0, scene.hand - self._hand[0]
        if move.kind == "carry":
            start = self._approach(at_start, max(arrives - 1, self._grab))
            at_start = self._shift[start].copy()
            self._held[self._grab : released] = True
            landed = arrives if released is None else self._come_down(arrives, released)
            self._flight[start : landed + 1] = LANDING
        self._blend(start, arrives, at_start, self._shift[arrives].copy())
        if move.kind == "carry":
            self._lift(self._grab, arrives)
        return self._finished()

    def _come_down(self, begins: int, ends: int) -> int:
        """Return where a flight ends: at the second of two states, if the hand comes from above.

        From which side it came has nothing to do with this scene.
        """
        way = self._hand[begins:ends] - self._hand[ends]
        height = np.abs(way[:1, self._workspace.upward]).max(initial=0.0)
        if not self._flies or height < _FROM_ABOVE * np.linalg.norm(way[:1]):
            return begins
        axes = list(self._workspace.layout.shift_axes)
        self._shift[begins:ends, axes] -= way[:, axes]
        return ends

    def _approach(self, at_start: Array, last: int) -> int:
        """Shift the way to the object, and return the state up to which it is relative to it."""
        scene, grab, stride = self._scene, self._grab, self._workspace.stride
        begins, left = near(self._hand, grab, stride, 0, last)
        self._shift[begins : left + 1] = scene.object - self._object[grab]
        # The object may have been touched before it was grasped.
        self._shift[begins:grab] = scene.object - self._object[begins:grab]
        self._careful[begins:grab] = True
        landed = self._come_down(begins, grab)
        self._follows[: begins + 1] = self._blend(0, begins, at_start, self._shift[begins].copy())
        self._follows[begins : grab + 1] = 1.0
        self._flight[: landed + 1] = APPROACH
        # The hand is to close where it held the object afterwards.
        move = self._move
        held = slice(min(move.grab + 2, move.place), move.place + 1)
        offset = self._skill.hand[held] - self._skill.objects[held, move.component]
        correction = np.median(offset, axis=0) - (self._hand[grab] - self._object[grab])
        share = np.linspace(0.0, 1.0, grab - begins + 1) if grab > begins else np.ones(1)
        self._correction[begins : grab + 1] = share[:, None] * correction
        return left

    def _let_down(self, released: int) -> None:
        """Let go of the object nearly where it came to rest, unless it was to fall."""
        stride = self._workspace.stride
        for axis in self._workspace.upward:
            height = self._object[released, axis] - self._object[-1, axis]
            if _LOW * stride < height < _FALLS * stride:
                self._shift[released, axis] -= height - _LOW * stride

    def _leave_upwards(self, released: int) -> None:
        """Let a hand that rises from what it has let go do nothing else.

        In the demonstration it may have been on its way to the next object, which is elsewhere now.
        """
        left = self._hand[released:] - self._hand[released]
        rise = np.abs(left[-1, self._workspace.upward]).max(initial=0.0)
        if rise > _RISES * self._workspace.stride:
            axes = list(self._workspace.layout.shift_axes)
            self._shift[released:, axes] -= left[:, axes]

    def _blend(self, first: int, last: int, before: Array, after: Array) -> Array:
        """Let the shift change along the way between two states; return how far each is, 0 to 1."""
        if last < first:
            return np.ones(0)
        share = share_of_way(self._hand[first : last + 1])
        part = share[:, None]
        self._shift[first : last + 1] = (1.0 - part) * before + part * after
        for axis in self._workspace.upward:
            self._shift[first : last + 1, axis] += self._clearance * np.sin(np.pi * share)
        return share

    def _lift(self, first: int, last: int) -> None:
        """Let an object that was lifted not be dragged, which may pull it out of the hand."""
        share = share_of_way(self._hand[first : last + 1])
        stride = self._workspace.stride
        for axis in self._workspace.upward:
            if np.ptp(self._object[:, axis]) < _STILL * stride:
                continue
            height = self._object[first : last + 1, axis] + self._shift[first : last + 1, axis]
            least = (1.0 - share) * height[0] + share * height[-1]
            least += (stride + self._clearance) * np.sin(np.pi * share)
            self._shift[first : last + 1, axis] += np.maximum(least - height, 0.0)

    def _finished(self) -> Route:
        stride = self._workspace.stride
        dwell = np.zeros(len(self._hand), np.int64)
        for state in np.flatnonzero(self._closing):
            dwell[state] = self._waits(int(state))
        route = Route(
            hand=self._hand + self._shift + self._correction,
            object=self._object + self._shift,
            others=self._skill.others[self._move.first : self._move.last + 1],
            is_careful=self._careful,
            is_held=self._held,
            follows=self._follows,
            dwell=dwell,
            flight=self._flight,
            turns=np.zeros(len(self._hand)),
        ).dense(stride)
        if not self._flies:
            return route
        return flown(route, self._scene.others, self._workspace.upward[0], stride)

    def _waits(self, state: int) -> int:
        """Return for how many steps the hand stays where it is when the gripper moves."""
        gone = np.linalg.norm(self._hand[state:] - self._hand[state], axis=1)
        away = gone > _STILL * self._workspace.stride
        stays = int(np.argmax(away)) if away.any() else len(away)
        return int(np.clip(stays, *_DWELL))
