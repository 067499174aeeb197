"""A demonstrated push, turned by quarter turns so that it leads to another goal.

A push meets a face of the object, and another face would turn it: so it is not turned by any other
angle. A goal that lies aside takes two pushes.
"""

from dataclasses import dataclass

import numpy as np

from headstart.demos.expansion.route import Route, Scene, share_of_way
from headstart.demos.expansion.skill import Move, Skill, near
from headstart.demos.expansion.workspace import Array, Workspace

# Distances in strides.
_ASIDE = 0.6
"""How far beside its line the hand may be and still push."""
_OVER = 2.0
"""How high the hand passes over what it might push on its way."""
_ROOM = 0.3
"""How far behind the place where it pushes the hand comes down."""
_OFF = 0.5
"""How far the hand backs off after a push."""
_FEW = 4
"""States of a way that say too little of its course."""
_NEAR = 2.4
"""How near to the object the hand cannot move freely."""
_LEFT = 0.3
"""What is left of a way when it is done."""
_SLOPE = 0.3
"""How far a push may lead aside, as a share of its length."""


@dataclass(frozen=True)
class Push:
    """One push of an object, in one of four directions."""

    offset: Array  # (dim,), of the hand from the object meanwhile
    direction: Array  # (dim,), of the push
    rotation: Array  # (dim, dim), from that of the demonstration
    plane: Array  # (dim,), 1 for the axes in which it is turned, 0 for others
    stride: float

    @classmethod
    def towards(cls, skill: Skill, move: Move, way: Array, workspace: Workspace) -> "Push":
        """Turn the push of a demonstration so that it shortens a way most.

        Args:
            skill: the demonstration.
            move: which part of it.
            way: of the object to its goal, ``(dim,)``.
            workspace: of the environment.
        """
        pushing = slice(min(move.grab + 1, move.place), move.place + 1)
        offset = np.median(skill.hand[pushing] - skill.objects[pushing, move.component], axis=0)
        direction = np.zeros_like(offset)
        direction[workspace.plane] = -offset[workspace.plane]
        direction /= max(float(np.linalg.norm(direction)), 1e-9)
        rotations = [_quarter_turns(count, workspace) for count in range(4)]
        best = max(rotations, key=lambda rotation: float(way @ rotation @ direction))
        plane = np.isin(np.arange(len(way)), workspace.plane).astype(float)
        return cls(best @ offset, best @ direction, best, plane, workspace.stride)

    def left(self, thing: Array, goal: Array) -> float:
        """Return how far the object has to be pushed on."""
        return float((goal - thing) @ self.direction)

    def is_done(self, thing: Array, goal: Array) -> bool:
        """Return whether the object has come as far as this push leads."""
        return self.left(thing, goal) < _LEFT * self.stride

    def aside(self, hand: Array, thing: Array) -> float:
        """Return how far the hand is from the line on which it pushes."""
        away = thing + self.offset - hand
        return float(np.linalg.norm(away - (away @ self.direction) * self.direction))

    def step(self, hand: Array, thing: Array, goal: Array, ahead: float) -> Array:
        """Return the way of the hand: behind the object, and on as far as it is in line.

        Args:
            hand: where it is, ``(dim,)``.
            thing: where the object is.
            goal: where it is to be.
            ahead: how far the hand may aim.
        """
        behind = thing + self.offset - hand
        across = behind - (behind @ self.direction) * self.direction
        in_line = max(0.0, 1.0 - float(np.linalg.norm(across)) / (_ASIDE * self.stride))
        # A little more: the last of it would take forever.
        forward = min(max(self.left(thing, goal) + _LEFT * self.stride, 0.0), ahead) * in_line
        left = (goal - thing) * self.plane
        sideways = left - (left @ self.direction) * self.direction
        sideways *= min(1.0, _SLOPE * forward / max(float(np.linalg.norm(sideways)), 1e-9))
        return np.asarray(across + sideways + (forward + behind @ self.direction) * self.direction)


def push_route(
    skill: Skill, move: Move, push: Push, scene: Scene, workspace: Workspace, clearance: float
) -> Route:
    """Return the way of the hand to where it begins to push.

    Around the object it is that of the demonstration, turned about the object.

    Args:
        skill: the demonstration.
        move: which part of it.
        push: in which direction.
        scene: the other scene.
        workspace: of the environment.
        clearance: how much higher the way leads than it has to.
    """
    stride, states = workspace.stride, slice(move.first, move.grab + 1)
    points = skill.hand[states]
    begins, _ = near(points, len(points) - 1, stride, 0, len(points) - 1)
    around = points - skill.objects[states, move.component]
    turned = scene.object + around @ push.rotation.T - _ROOM * stride * push.direction
    up = np.zeros_like(scene.hand)
    up[workspace.upward] = _OVER * stride + clearance
    is_near = np.linalg.norm(scene.hand - scene.object) < _NEAR * stride
    if is_near or begins < _FEW:
        way = _over(scene, push, up, turned[begins])
        share = np.linspace(0.0, 1.0, len(way))
    else:
        share = share_of_way(points[: begins + 1])[:-1]
        straight = points[:begins] + scene.hand - points[0]
        way = straight + share[:, None] * (turned[:begins] - straight)
        way += np.clip(4.0 * np.minimum(share, 1.0 - share), 0.0, 1.0)[:, None] * up
    hand = np.concatenate([way, turned[begins:]])
    careful = np.arange(len(hand)) >= len(way)
    # Its corners are not cut.
    careful[:2] |= is_near
    return Route(
        hand=hand,
        object=hand,
        others=np.repeat(skill.others[move.grab][None], len(hand), axis=0),
        is_careful=careful,
        is_held=np.zeros(len(hand), bool),
        follows=np.concatenate([share, np.ones(len(turned) - begins)]),
        dwell=np.zeros(len(hand), np.int64),
    ).dense(stride)


def _over(scene: Scene, push: Push, up: Array, end: Array) -> Array:
    """Return the way off an object and over it, ``(4, dim)``: the hand may be pressed to a face."""
    off = (scene.hand - scene.object) * push.plane
    back = scene.hand + _OFF * push.stride * off / max(float(np.linalg.norm(off)), 1e-9)
    above = np.where(up > 0.0, np.maximum(scene.hand + up, end), end)
    return np.stack([scene.hand, back, back + up, above])


def _quarter_turns(count: int, workspace: Workspace) -> Array:
    """Return the rotation in the plane, ``(dim, dim)``."""
    first, second = workspace.plane
    cosine, sine = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[count]
    rotation = np.eye(workspace.layout.dim)
    rotation[first, first] = rotation[second, second] = cosine
    rotation[first, second], rotation[second, first] = -sine, sine
    return rotation
