"""One move being played: where the hand is to go next, and whether the move has failed."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from headstart.demos.expansion.carry import CarryLayer
from headstart.demos.expansion.follower import AHEAD, Follower
from headstart.demos.expansion.push import pushes_of
from headstart.demos.expansion.route import Scene
from headstart.demos.expansion.skill import Move, Skill
from headstart.demos.expansion.workspace import Array, Workspace
from headstart.demos.experts.pushing import shortened, way_of

_GAIN, _CAREFUL_GAIN = 0.5, 0.8
"""Share of the way to where it aims that the hand is to move in a step; near what it takes."""
# Distances in strides.
_LOST = 0.9
"""How far an object may be from where it should be in the hand."""
_LEFT = 0.75
"""What may be left of a push along each axis at its end."""


class Play(Protocol):
    """A move being played."""

    @property
    def ended(self) -> bool:
        """Whether its way is at its end, so that the object should be at its goal."""

    @property
    def is_held(self) -> bool:
        """Whether the object should be in the hand, or is the hand."""

    def step(self, scene: Scene) -> Array:
        """Return how far the hand is to move next in the scene as it is now, ``(dim,)``."""

    def others(self) -> Array:
        """Return the action of the moment, without what moves the hand, ``(action_dim,)``."""

    def is_lost(self, scene: Scene) -> bool:
        """Return whether it cannot succeed any more."""


@dataclass(frozen=True)
class Lesson:
    """What is played, and how."""

    skill: Skill
    """What is shown."""
    move: Move
    """Which part of it."""
    workspace: Workspace
    speed: float
    clearance: float
    """How much higher the way leads than in the demonstration."""


class CarryPlay:
    """Plays a carry, or the way of a hand alone.

    Args:
        lesson: what is played.
        scene: in which the move begins; the object may be taken to be aside of where it is.
        thing: where the object is.
    """

    def __init__(self, lesson: Lesson, scene: Scene, thing: Array) -> None:
        move, workspace = lesson.move, lesson.workspace
        route = CarryLayer(lesson.skill, move, scene, workspace, lesson.clearance).route()
        self._follower = Follower(route, thing, workspace.stride, lesson.speed)
        self._is_reach, self._stride = move.kind == "reach", workspace.stride

    @property
    def ended(self) -> bool:
        """Whether its way is at its end."""
        return self._follower.ended

    @property
    def is_held(self) -> bool:
        """Whether the hand should hold the object here, or is itself what is to get to the goal."""
        return self._is_reach or self._follower.is_held

    def step(self, scene: Scene) -> Array:
        """Return how far the hand is to move, at the end what it holds to the goal."""
        follower = self._follower
        if self.ended and self.is_held:
            return _GAIN * (scene.goal - scene.object)
        way = follower.way(scene.hand, scene.object, scene.change)
        # A hand that creeps up to where its fingers move looks like one that stays.
        step = (_CAREFUL_GAIN if follower.is_careful else _GAIN) * way
        return shortened(step, _GAIN * follower.ahead(careful=False))

    def others(self) -> Array:
        """Return the action of the moment, without what moves the hand."""
        return np.asarray(self._follower.route.others[self._follower.point])

    def is_lost(self, scene: Scene) -> bool:
        """Return whether the object is not in the hand."""
        follower = self._follower
        if not follower.is_held or follower.is_near:
            return False
        if follower.route.dwell[follower.point]:
            return False
        return follower.slip(scene.hand, scene.object) > _LOST * self._stride


class PushPlay:
    """Plays pushes, one after another, until the object is at its goal.

    The arguments are those of ``CarryPlay``.
    """

    is_held = False

    def __init__(self, lesson: Lesson, scene: Scene, thing: Array) -> None:
        self._lesson, self._workspace = lesson, lesson.workspace
        self._pushes = pushes_of(lesson.skill, lesson.move, lesson.workspace)
        self._aside = scene.object - thing
        self.ended = self._is_done(scene)
        """Whether no push is left to do."""

    def step(self, scene: Scene) -> Array:
        """Return how far the hand is to move."""
        self.ended = self._is_done(scene)
        way = way_of(
            self._pushes,
            scene.hand,
            scene.object + self._aside,
            scene.goal + self._aside,
            clearance=self._lesson.clearance,
        )
        reach = AHEAD * self._workspace.stride * self._lesson.speed
        return _GAIN * shortened(way, reach)

    def others(self) -> Array:
        """Return the action of the moment, without what moves the hand."""
        return np.asarray(self._lesson.skill.others[self._lesson.move.grab])

    def is_lost(self, scene: Scene) -> bool:
        """Return that it never is: a push that has failed is begun again from where it is."""
        return False

    def _is_done(self, scene: Scene) -> bool:
        left = np.abs(scene.goal - scene.object)[self._workspace.plane].max()
        return bool(left < _LEFT * self._workspace.stride)
