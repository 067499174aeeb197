"""Trying to move an object: the hand goes to it, does anything, and what was found is a skill."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.demos.expansion.skill import Move, Skill, UnusableError, read_skill
from headstart.demos.expansion.workspace import Array, Workspace

Observation = Mapping[str, NDArray[Any]]
Find = Literal["lift", "push", "reach"]

_GAIN = 0.36
"""Share of the way to the object that the hand is to move in a step."""
# Steps; as many times more as the hand lags.
_PATIENCE = 3
"""Steps without progress after which the hand is as near as it gets."""
_STEPS = 12
"""Random steps of a try."""
_HELD_FOR = (3, 7)
"""Steps for which a random action is held, from and up to but without."""
_TRIES = 6
"""How often an attempt tries, where states are restored."""

# Distances in strides: how far the hand moves in a step.
_PROGRESS = 0.1
"""How much nearer the hand must come to have made progress."""
_RISE = 0.9
"""How far an object must rise to be lifted."""
_PUSHED = 2.0
"""How far an object must be moved to be pushed."""
_STILL = 0.3
"""How far it may rise or sink meanwhile."""


@dataclass
class _Try:
    """What is known of a try while it lasts."""

    begun: int
    """Steps of the episode before it."""
    action: NDArray[np.float64]
    hold: int = 0
    """Steps for which the action is held on."""


class Seeker:
    """Goes to the object and tries random actions there; a ``Branching`` behaviour.

    Args:
        workspace: of the environment.
        find: what is to happen to the object.
        gripper: action of the gripper on the way to the object, if there is a gripper.
        restores: whether states are restored, so that it can be tried again at the object.
    """

    def __init__(self, workspace: Workspace, find: Find, gripper: float, restores: bool) -> None:
        self._workspace, self._find, self._restores = workspace, find, restores
        self._slowness = 1.0 + workspace.layout.hand_lag
        self._low, self._high = (
            np.asarray(bound, float) for bound in (workspace.low, workspace.high)
        )
        self._others = np.zeros_like(self._low)
        entry = workspace.layout.gripper_action
        if entry is not None:
            self._others[entry] = gripper
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Begin an episode."""
        self._rng = np.random.default_rng(seed)
        self._nearest, self._stalled, self._tries = np.inf, 0, 0
        self._try: _Try | None = None
        self._height: Array | None = None

    def __call__(self, observation: Observation) -> NDArray[np.float32]:
        """Return the action that leads to the object, or any."""
        if self._try is None:
            return self._workspace.act(_GAIN * self._way(observation), self._others)
        if self._try.hold == 0:
            self._try.action = self._rng.uniform(self._low, self._high)
            # Half of the time the fingers move more than the hand.
            share = min(1.0, 2.0 * self._rng.random())
            self._try.action[list(self._workspace.layout.hand_actions)] *= share
            self._try.hold = round(self._slowness * self._rng.integers(*_HELD_FOR))
        self._try.hold -= 1
        return self._try.action.astype(np.float32)

    def review(
        self, observation: Observation, *, is_success: bool, num_steps: int, finished: bool
    ) -> int | None:
        """Return where to continue: at the object, as long as nothing has happened to it."""
        thing = self._object(observation)
        if self._try is None:
            if finished:
                return None
            if self._is_there(observation):
                self._try, self._start = _Try(num_steps, self._others), thing
            return num_steps
        ended = finished or num_steps - self._try.begun >= _STEPS * self._slowness
        if ended and self._is_found(observation):
            return None
        if not ended:
            return num_steps
        self._tries += 1
        if not self._restores or self._tries >= _TRIES:
            return None
        self._try = _Try(self._try.begun, self._others)
        return self._try.begun

    def _is_there(self, observation: Observation) -> bool:
        """Return whether the hand is as near to the object as it gets."""
        stride = self._workspace.stride
        away = float(np.linalg.norm(self._way(observation)))
        if away < self._nearest - _PROGRESS * stride:
            self._nearest, self._stalled = away, 0
        else:
            self._stalled += 1
        return self._stalled >= _PATIENCE * self._slowness

    def _is_found(self, observation: Observation) -> bool:
        moved = self._object(observation) - self._start
        return is_moved(moved, self._find, self._workspace)

    def _way(self, observation: Observation) -> Array:
        return self._object(observation) - self._workspace.hand(observation["observation"])

    def _object(self, observation: Observation) -> Array:
        return np.asarray(self._workspace.objects(observation["achieved_goal"])[0])


def has_found(episode: Episode, find: Find, workspace: Workspace) -> bool:
    """Return whether an episode ends with the object lifted, or pushed."""
    thing = workspace.objects(episode.achieved_goals)[:, 0]
    return is_moved(thing[-1] - thing[0], find, workspace)


def is_moved(way: Array, find: Find, workspace: Workspace) -> bool:
    """Return whether an object has been lifted, or pushed.

    Args:
        way: by what it has moved, ``(dim,)``.
        find: which of the two is asked for.
        workspace: of the environment.
    """
    stride = workspace.stride
    if find == "lift":
        return bool(way[workspace.upward].max(initial=0.0) > _RISE * stride)
    aside = float(np.linalg.norm(way[workspace.plane]))
    rise = float(np.abs(way[workspace.upward]).max(initial=0.0))
    return aside > _PUSHED * stride and rise < _STILL * stride


_ABOVE = 2.2
"""How far above the object the hand is before it comes down, in strides."""
_POINTS = 6
"""Points of each part of a way."""


def skills_of(
    found: list[Episode], find: Find, workspace: Workspace
) -> tuple[list[int], list[Skill]]:
    """Return the skills of what was found, the plainest first, each with the episode's number.

    Args:
        found: episodes that end with the object lifted or pushed.
        find: which of the two.
        workspace: of the environment.
    """
    usable: list[tuple[float, int, Skill]] = []
    for number, episode in enumerate(found):
        try:
            skill = (
                lift_again(episode, workspace) if find == "lift" else read_skill(episode, workspace)
            )
        except UnusableError:
            continue
        usable.append((_aside(skill, find, workspace), number, skill))
    usable.sort(key=lambda entry: entry[:2])
    return [number for _, number, _ in usable], [skill for _, _, skill in usable]


def straight_reach(workspace: Workspace) -> Skill:
    """Return the skill of a hand that goes straight to where it is to be."""
    start = np.zeros(workspace.layout.dim)
    points = _line(start, start + workspace.stride)
    last = len(points) - 1
    return Skill(
        hand=points,
        objects=points[:, None],
        others=np.zeros((len(points), len(workspace.low))),
        closing=np.zeros(len(points), bool),
        moves=(Move("reach", 0, 0, 0, last, last),),
    )


def lift_again(episode: Episode, workspace: Workspace) -> Skill:
    """Return a skill that takes the object as an episode has, and nothing else of it.

    The hand comes from above, closes where it held the object at the end, and lifts it straight.
    """
    hand = workspace.hand(episode.observations)
    thing = workspace.objects(episode.achieved_goals)[:, 0]
    held, rise = hand[-1] - thing[-1], thing[-1] - thing[0]
    grab = thing[0] + held
    above = grab.copy()
    above[workspace.upward] += _ABOVE * workspace.stride
    to_above, down, up = _line(hand[0], above), _line(above, grab), _line(grab, grab + rise)
    points = np.concatenate([to_above[:-1], down, up[1:]])
    closes, last = 2 * _POINTS - 2, 3 * _POINTS - 3
    objects = np.repeat(thing[:1], len(points), axis=0)
    objects[closes:] = points[closes:] - held
    others, closing = np.zeros((len(points), len(workspace.low))), np.zeros(len(points), bool)
    entry = workspace.layout.gripper_action
    if entry is not None:
        low, high = workspace.low[entry], workspace.high[entry]
        closed_is_high = bool(episode.actions[-1, entry] > (low + high) / 2.0)
        others[:closes, entry] = low if closed_is_high else high
        others[closes:, entry] = high if closed_is_high else low
        closing[closes] = True
    move = Move("carry", 0, 0, closes, last, last)
    return Skill(points, objects[:, None], others, closing, (move,))


def _aside(skill: Skill, find: Find, workspace: Workspace) -> float:
    """Return how far from the middle of the object, or of its face, the hand works."""
    move = skill.moves[0]
    working = slice(min(move.grab + 1, move.place), move.place + 1)
    offset = np.median(skill.hand[working] - skill.objects[working, 0], axis=0)
    if find == "lift":
        return float(np.linalg.norm(offset))
    return float(np.abs(offset[workspace.plane]).min())


def _line(start: Array, end: Array) -> Array:
    return np.asarray(np.linspace(start, end, _POINTS))
