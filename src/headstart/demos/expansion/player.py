"""Playing a demonstration in another scene, move by move."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.demos.expansion.plays import CarryPlay, Lesson, Play, PushPlay
from headstart.demos.expansion.route import Scene
from headstart.demos.expansion.skill import Move, Skill
from headstart.demos.expansion.workspace import Array, Workspace

Observation = Mapping[str, NDArray[Any]]

_PLACED, _ROUGHLY = 0.3, 0.75
"""How far one of several objects may be from its place, in strides; at the last tries."""
_WAIT, _HOLD = 8, 5
"""Steps in which an object in the hand must come to its place once its route has ended, and for
which the goal must be held at the end; as many times more as the hand lags."""
_RESTS = 0.1
"""How far what is at its goal may still move in a step, in strides; at less than ``_PLACED`` from
the middle of its goal it may move."""
_TRIES = 4
"""How often a move is tried, where states are restored."""
# What changes from try to try, in strides.
_HIGHER, _ASIDE = 0.9, 0.1
_FASTER = 1.3
"""How much faster the next try is when the time limit has ended one."""


class Player:
    """Plays one skill; a ``Branching`` behaviour.

    Args:
        skill: what a demonstration shows.
        workspace: of the environment.
        speed: how fast; at 1 the hand moves at nine tenths of its pace where nothing is near.
        restores: whether states are restored, so that a move can be tried again from its beginning.
    """

    def __init__(self, skill: Skill, workspace: Workspace, speed: float, restores: bool) -> None:
        self._skill, self._workspace = skill, workspace
        self._speed, self._restores = speed, restores
        self._slowness = 1.0 + workspace.layout.hand_lag
        self._number = self._begun = self._tries = self._held = self._waited = 0
        self._hurry = 1.0
        self._play: Play | None = None
        self.reset(seed=0)

    def reset(self, *, seed: int) -> None:
        """Begin an episode."""
        self._rng = np.random.default_rng(seed)
        self._last: Array | None = None
        self._object = np.full(self._workspace.layout.dim, np.inf)
        self._number, self._begun, self._hurry = 0, 0, 1.0
        self._start_move(0)

    def __call__(self, observation: Observation) -> NDArray[np.float32]:
        """Return the action that leads on."""
        scene = self._scene(observation)
        if self._play is None:
            self._play = self._begin(scene)
        self._last = self._workspace.rest(observation["observation"])
        return self._workspace.act(self._play.step(scene), self._play.others())

    def review(
        self, observation: Observation, *, is_success: bool, num_steps: int, finished: bool
    ) -> int | None:
        """Return where to continue: here, or at the beginning of a move that has failed."""
        play, is_last = self._play, self._number + 1 == len(self._skill.moves)
        assert play is not None
        done = is_success if len(self._skill.moves) == 1 else self._are_placed(observation)
        self._held = self._held + 1 if is_success and done and play.ended else 0
        rests = self._comes_to_rest(self._scene(observation))
        # What noise keeps moving is held for longer instead.
        held = self._held >= _HOLD * self._slowness * (1 if rests else 2)
        if is_last and (held or (finished and is_success)):
            return None
        if not is_last and play.ended and done:
            self._number, self._begun = self._number + 1, num_steps
            self._start_move(0)
            return num_steps
        self._waited += play.ended and not done
        patience = _WAIT * self._slowness if play.is_held else 0
        if finished or self._waited > patience or play.is_lost(self._scene(observation)):
            self._hurry *= _FASTER if finished else 1.0
            return self._again(None if finished else num_steps)
        return num_steps

    @property
    def _move(self) -> Move:
        return self._skill.moves[self._number]

    def _start_move(self, tries: int) -> None:
        self._tries, self._held, self._waited = tries, 0, 0
        self._play = None

    def _again(self, here: int | None) -> int | None:
        """Return where to try a move again: here, which shows how to recover, or at its beginning.

        Args:
            here: the number of steps so far, or ``None`` if there is no time left.
        """
        if self._tries + 1 >= _TRIES:
            return None
        self._start_move(self._tries + 1)
        if here is not None and self._tries == 1:
            return here
        return self._begun if self._restores else None

    def _begin(self, scene: Scene) -> Play:
        """Lay the way from where hand and object are; every try of a move takes another one."""
        workspace, thing = self._workspace, scene.object
        if self._tries:
            axes = list(workspace.layout.shift_axes)
            thing = thing.copy()
            spread = _ASIDE * workspace.stride * self._tries
            thing[axes] += spread * self._rng.standard_normal(len(axes))
        play = PushPlay if self._move.kind == "push" else CarryPlay
        lesson = Lesson(
            self._skill,
            self._move,
            workspace,
            speed=self._speed * self._hurry,
            clearance=_HIGHER * workspace.stride * self._tries,
        )
        return play(lesson, replace(scene, object=thing), scene.object)

    def _scene(self, observation: Observation) -> Scene:
        workspace, component = self._workspace, self._move.component
        before, rest = self._last, workspace.rest(observation["observation"])
        objects = workspace.objects(observation["achieved_goal"])
        return Scene(
            workspace.hand(observation["observation"]),
            objects[component],
            workspace.objects(observation["desired_goal"])[component],
            0.0 if before is None else float(np.abs(rest - before).max(initial=0.0)),
            np.delete(objects, component, axis=0),
        )

    def _comes_to_rest(self, scene: Scene) -> bool:
        """Return whether the object rests, or is in the middle of its goal.

        A demonstration that ended sooner would not show how to stop.
        """
        before, self._object = self._object, scene.object
        limits = (_RESTS, scene.object - before), (_PLACED, scene.goal - scene.object)
        stride = self._workspace.stride
        return any(float(np.linalg.norm(way)) < share * stride for share, way in limits)

    def _are_placed(self, observation: Observation) -> bool:
        """Return whether all objects that have been moved are where they belong."""
        found, wanted = (
            self._workspace.objects(observation[key]) for key in ("achieved_goal", "desired_goal")
        )
        done = [move.component for move in self._skill.moves[: self._number + 1]]
        away = np.linalg.norm(found[done] - wanted[done], axis=1)
        limit = _PLACED if self._tries < _TRIES // 2 else _ROUGHLY
        # What a policy sees of components says which of them are finished.
        limits = self._workspace.finished or (limit * self._workspace.stride,)
        close = np.flatnonzero(away <= limits[-1])
        carries = np.arange(len(away)) < close[-1] if len(close) else False
        return bool(((away <= limits[0]) | (away <= limits[-1]) & carries).all())
