"""What a demonstration shows, taken apart: which object is moved when, and how."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headstart.data.episode import Episode
from headstart.demos.expansion.workspace import Array, Workspace

Kind = Literal["reach", "carry", "push"]

# Distances in strides: how far the hand moves in a step.
_MOVED = 0.6
"""What has gone less far has not been moved; what is nearer to a place is there."""
_STILL = 0.3
_LIFTED = 1.5
"""How far an object rises that is carried without a gripper."""
_CREEP = 0.05
"""What an object moves by in a step if it moves at all."""
_NEAR, _CLEAR, _LEAVES = 1.35, 1.8, 4.0
"""How far the hand is from where it takes an object, or has let it go, when it is on its way; and
how far it leaves the last one."""
_TAKES, _WITHIN = 3.0, 2.0
"""How far from an object the hand may be that takes it, also in the shortest distance between them.
"""
_KEEPS = 0.1
"""Command of the gripper, as a share of the largest one, below which it stays as it is."""
_MEDIAN = 5
"""States of which the gripper's state is the most frequent one: hands shake."""


class UnusableError(ValueError):
    """A demonstration from which nothing can be made; says why in a few words."""


@dataclass(frozen=True)
class Move:
    """One object on its way to its place; numbers of states of the demonstration."""

    kind: Kind
    component: int
    """Which of the goal's places it is."""
    first: int
    """Where the hand sets out."""
    grab: int
    """Where it takes the object: the gripper closes, or the object begins to move."""
    place: int
    """Where the object has arrived."""
    last: int
    """Where the hand has left it, or the same."""


@dataclass(frozen=True)
class Skill:
    """A demonstration of ``T`` steps as ways of hand and objects."""

    hand: Array  # (T + 1, dim)
    objects: Array  # (T + 1, count, dim)
    others: Array  # (T + 1, action_dim), actions at every state, smoothed; the hand's are 0
    closing: NDArray[np.bool_]  # (T + 1,), whether the gripper gets another command there
    moves: tuple[Move, ...]


def read_skill(episode: Episode, workspace: Workspace) -> Skill:
    """Take a demonstration apart.

    Its goal is taken to be what it achieved: one that failed shows as much.

    Raises:
        UnusableError: if it moves nothing.
    """
    hand = workspace.hand(episode.observations)
    objects = workspace.objects(episode.achieved_goals)
    others, changes = _commands(episode, workspace)
    stride = workspace.stride
    moves = [
        _move(hand, objects[:, number], number, changes, workspace)
        for number in range(objects.shape[1])
        if _distance(objects[:, number], objects[0, number]).max() > _MOVED * stride
    ]
    if not moves:
        at_goal = episode.is_success.all()
        raise UnusableError("it started at its goal" if at_goal else "the object never moved")
    moves.sort(key=lambda move: move.grab)
    ordered = _with_ends(moves, hand, changes, stride)
    return Skill(hand, objects, others, changes, tuple(ordered))


def near(
    points: Array, middle: int, stride: float, first: int, last: int, radius: float = _NEAR
) -> tuple[int, int]:
    """Return the states around one in which the hand stays near to where it is there.

    Args:
        points: where the hand is, ``(T + 1, dim)``.
        middle: the state.
        stride: how far the hand moves in a step.
        first: the first state that may be among them.
        last: the last one.
        radius: what is near, in strides.
    """
    close = _distance(points, points[middle]) < radius * stride
    low = high = middle
    while low > first and close[low - 1]:
        low -= 1
    while high < last and close[high + 1]:
        high += 1
    return low, high


def _commands(episode: Episode, workspace: Workspace) -> tuple[Array, NDArray[np.bool_]]:
    """Return the actions, without what moves the hand, and where the gripper's changes."""
    actions = episode.actions.astype(float)
    others = np.repeat(np.median(actions, axis=0)[None], len(actions) + 1, axis=0)
    others[:, list(workspace.layout.hand_actions)] = 0.0
    changes = np.zeros(len(actions) + 1, bool)
    entry = workspace.layout.gripper_action
    if entry is None:
        return others, changes
    given, is_high = _gripper_commands(
        actions[:, entry], workspace.low[entry], workspace.high[entry]
    )
    for state in (True, False):
        if (given & (is_high == state)).any():
            command = np.median(actions[given & (is_high == state), entry])
            others[:-1][is_high == state, entry] = command
        elif given.any():
            others[:-1][is_high == state, entry] = (
                workspace.low[entry] + workspace.high[entry]
            ) / 2.0
    others[-1] = others[-2]
    changes[1:-1] = is_high[1:] != is_high[:-1]
    return others, changes


def _gripper_commands(
    commands: Array, low: float, high: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where the gripper is given a command, and whether that, or the last one, is high.

    A command in the middle keeps the fingers as they are. Before the first other one they are taken
    to be what that changes.
    """
    share = (2.0 * commands - low - high) / (high - low)
    given = np.abs(share) > _KEEPS
    if not given.any():
        return ~given, share > 0.0
    first = int(np.argmax(given))
    last = np.maximum.accumulate(np.where(given, np.arange(len(share)), first))
    is_high = share[last] > 0.0
    is_high[:first] = not is_high[first]
    return given, _most_frequent(is_high)


def _most_frequent(values: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return of each value the most frequent one around it."""
    half = _MEDIAN // 2
    padded = np.pad(values.astype(float), half, mode="edge")
    return np.convolve(padded, np.ones(_MEDIAN), "valid") > _MEDIAN / 2.0


def _move(
    hand: Array, way: Array, number: int, changes: NDArray[np.bool_], workspace: Workspace
) -> Move:
    """Return when an object is taken and has arrived; where it begins is not known yet."""
    stride, last = workspace.stride, len(way) - 1
    away = _distance(way, way[-1]) > _MOVED * stride
    place = int(np.flatnonzero(away)[-1]) + 1 if away.any() else last
    if np.allclose(way, hand, atol=0.01 * stride):
        return Move("reach", number, 0, 0, place, place)
    apart = _distance(hand, way)
    # What is called the hand may be some way above its fingers.
    within = max(_TAKES * stride, _WITHIN * float(apart.min()))
    grasp = _last_grasp(way, changes[: place + 1], apart < within, stride)
    if grasp is not None:
        grab, let_go = grasp
        return Move("carry", number, 0, grab, let_go, let_go)
    still = _distance(way[: place + 1], way[0]) < _STILL * stride
    grab = int(np.flatnonzero(still)[-1])
    # What is pushed may be tipped over.
    rises = np.ptp(way[:, workspace.upward], axis=0).max(initial=0.0) > _LIFTED * stride
    kind: Kind = "carry" if rises or not workspace.plane else "push"
    if kind == "carry":
        return Move(kind, number, 0, grab, place, place)
    first, start, end = _longest_push(way, stride)
    return Move(kind, number, first, start, end, end)


def _last_grasp(
    way: Array, changes: NDArray[np.bool_], in_reach: NDArray[np.bool_], stride: float
) -> tuple[int, int] | None:
    """Return where an object is grasped for the last time, and where it has arrived or is let go.

    What is let go may fall, which is not to be taken for being carried: the gripper closes and
    opens in turn, and after one kind of change objects move farther than after the other.
    """
    states = np.flatnonzero(changes)
    ends = np.append(states, len(changes) - 1)[1:]
    moved = _distance(way[ends], way[states])
    grasps = slice(int(np.argmax(moved)) % 2, None, 2) if len(states) else slice(None)
    for state, end in zip(states[grasps][::-1], ends[grasps][::-1], strict=True):
        if in_reach[state] and _distance(way[state], way[-1]) > _MOVED * stride:
            return int(state), int(end)
    return None


def _longest_push(way: Array, stride: float) -> tuple[int, int, int]:
    """Return where the hand sets out for the push that moves an object most, its start, its end."""
    moving = np.linalg.norm(np.diff(way, axis=0), axis=1) > _CREEP * stride
    # A step of rest between two of motion is part of the push.
    moving[1:-1] |= moving[:-2] & moving[2:]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], moving, [False]]).astype(int)))
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(np.linalg.norm(way[ends] - way[starts], axis=1)))
    first = int(ends[longest - 1]) if longest else 0
    return first, int(starts[longest]), int(ends[longest])


def _with_ends(
    moves: list[Move], hand: Array, changes: NDArray[np.bool_], stride: float
) -> list[Move]:
    """Return the moves with where each begins and ends."""
    ordered, start = [], 0
    for number, move in enumerate(moves):
        is_last = number + 1 == len(moves)
        limit = len(hand) - 1 if is_last else max(moves[number + 1].grab - 1, move.place)
        released = np.flatnonzero(changes[move.place : limit + 1]) + move.place
        last = move.place
        if len(released) or not is_last:
            first = int(released[0]) if len(released) else move.place
            radius = _LEAVES if is_last else _CLEAR
            last = min(near(hand, first, stride, first, limit, radius)[1] + 1, limit)
        # What went before the gripper opened for the last time, such as another grasp, is left out.
        before = np.flatnonzero(changes[start : move.grab]) + start
        first = max(int(before[-1]) if len(before) else start, move.first)
        ordered.append(Move(move.kind, move.component, first, move.grab, move.place, last))
        start = last
    return ordered


def _distance(points: Array, point: Array) -> Array:
    return np.asarray(np.linalg.norm(points - point, axis=-1))
