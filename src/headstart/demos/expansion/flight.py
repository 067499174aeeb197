"""Ways over other objects: high enough wherever one is near, and straight down beside it."""

from dataclasses import replace

import numpy as np

from headstart.demos.expansion.route import Route
from headstart.demos.expansion.workspace import Array

APPROACH, LANDING = 1, 2
"""Numbers of flights: to an object, and with it to its place."""

# Distances in strides.
_OVER = 1.9
"""How far above the middle of another object hand, and object in the hand, pass over it."""
_BESIDE, _SLOPE = 2.7, 1.5
"""How far aside of it they may be as low as they like; how much higher a stride nearer must be."""
_FUNNEL = 0.3
"""How far from the end of a way they come down, or from its beginning go up."""
_HOVER = 0.8
"""How far above its place an object is when it begins to come down on it."""
_TURN_UP, _TURN_DOWN = 0.6, 0.25
"""How near the hand must come to a corner."""
_DROP = 0.4
"""What is more than this is straight down, or up, and so has a corner."""


def flown(route: Route, others: Array, axis: int, stride: float) -> Route:
    """Return a dense route that leads over others wherever it flies.

    Args:
        route: a dense one.
        others: where the other objects are, ``(m, dim)``.
        axis: of the height.
        stride: how far the hand moves in a step.
    """
    aside = np.arange(others.shape[1]) != axis
    points = np.where(route.is_held[:, None], route.object, route.hand)
    lift, is_careful = np.zeros(len(points)), route.is_careful.copy()
    for number in np.unique(route.flight[route.flight > 0]):
        flight = np.flatnonzero(route.flight == number)
        way, end = points[flight], points[flight[-1]]
        least = _least(way, others, axis, _OVER, _BESIDE, stride)
        if number == LANDING:
            hover = _least(way, end[None], axis, _HOVER, _FUNNEL, stride)
            least = np.maximum(least, hover)
        is_careful[flight] |= least > way[:, axis].min()
        away = np.linalg.norm((way - end)[:, aside], axis=1)
        comes_down = np.maximum.accumulate(away[::-1])[::-1] < _FUNNEL * stride
        lift[flight] = np.where(comes_down, 0.0, np.maximum(least - way[:, axis], 0.0))
    turns, change = np.zeros(len(lift)), np.diff(lift)
    turns[1:][change > _DROP * stride] = _TURN_UP
    turns[:-1][change < -_DROP * stride] = _TURN_DOWN
    rise = lift[:, None] * ~aside
    return replace(
        route,
        hand=route.hand + rise,
        object=route.object + rise,
        is_careful=is_careful,
        turns=turns,
    ).dense(stride)


def _least(
    way: Array, others: Array, axis: int, over: float, beside: float, stride: float
) -> Array:
    """Return how high points, ``(N, dim)``, must be at least, for all that is near them."""
    aside = np.arange(way.shape[1]) != axis
    away = np.linalg.norm((way[:, None] - others[None])[..., aside], axis=-1)
    slope = _SLOPE * np.maximum(away - beside * stride, 0.0)
    return np.asarray((others[:, axis] + over * stride - slope).max(axis=1))
