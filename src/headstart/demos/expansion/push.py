"""The pushes that a demonstrated one leads to: kept is where the hand meets the object."""

import numpy as np

from headstart.demos.expansion.skill import Move, Skill
from headstart.demos.expansion.workspace import Workspace
from headstart.demos.experts.pushing import Push, four_pushes

_TILTED = 0.45
"""How far aside of a face's middle the hand pushes, as a share of its distance, by accident."""


def pushes_of(skill: Skill, move: Move, workspace: Workspace) -> tuple[Push, ...]:
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
    first, second = workspace.plane
    return four_pushes(offset, direction, (first, second), workspace.stride)
