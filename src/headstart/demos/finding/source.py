"""What an attempt has found, as a skill that can be played in other scenes."""

import numpy as np

from headstart.data.episode import Episode
from headstart.demos.expansion.skill import Move, Skill, UnusableError, read_skill
from headstart.demos.expansion.workspace import Array, Workspace
from headstart.demos.finding.seeker import Find

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
