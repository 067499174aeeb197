"""Pictures of the places in an observation, for environments that nothing draws."""

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from headstart.data.layout import StateLayout

_PAPER, _GRID, _GOAL, _OBJECT, _HAND = "#f7f7f5", "#e2e2de", "#d03030", "#202020", "#2060c0"
_VIEWS = ((0, 1), (0, 2))
"""Axes to the right and up: from above, and from the front."""


class Diagram:
    """Draws goal (ring), what is to be there (square) and hand (cross), from above and the front.

    The scale grows with what has been seen, so that nothing ever lies outside.

    Args:
        layout: what is known of the observation; without positions, goals are taken for places.
        size: width and height of a view in pixels.
    """

    def __init__(self, layout: StateLayout, size: int) -> None:
        self._layout, self._size = layout, size
        self._low, self._high = np.full(3, np.inf), np.full(3, -np.inf)
        self._views = _VIEWS[: 2 if layout.dim > 2 else 1]

    def close(self) -> None:
        """Nothing is lent."""

    def draw(
        self, observation: Mapping[str, NDArray[Any]]
    ) -> Generator[NDArray[np.uint8], None, None]:
        """Yield each view of what is observed, ``(size, size, 3)``."""
        places = {
            _GOAL: self._places(observation["desired_goal"], self._layout.goal_positions),
            _OBJECT: self._places(observation["achieved_goal"], self._layout.goal_positions),
            _HAND: [],
        }
        if self._layout.hand is not None:
            hand = (self._layout.hand,)
            places[_HAND] = self._places(observation["observation"], hand)
        everything = np.stack([place for found in places.values() for place in found])
        self._low = np.minimum(self._low, everything.min(axis=0))
        self._high = np.maximum(self._high, everything.max(axis=0))
        for axes in self._views:
            yield self._view(places, axes)

    def _places(self, vector: NDArray[Any], firsts: tuple[int, ...]) -> list[NDArray[np.float64]]:
        """Return positions in a vector as points in space, ``(3,)``, zeros where it has less."""
        dim = min(self._layout.dim, len(vector), 3)
        points = [np.zeros(3) for _ in firsts or (0,)]
        for point, first in zip(points, firsts or (0,), strict=True):
            point[:dim] = vector[first : first + dim]
        return points

    def _view(
        self, places: Mapping[str, list[NDArray[np.float64]]], axes: tuple[int, int]
    ) -> NDArray[np.uint8]:
        size = self._size
        image = Image.new("RGB", (size, size), _PAPER)
        draw = ImageDraw.Draw(image)
        for line in range(size // 10, size, size // 10):
            draw.line([(line, 0), (line, size)], _GRID)
            draw.line([(0, line), (size, line)], _GRID)
        middle = (self._low + self._high) / 2
        scale = 0.8 * size / max(float((self._high - self._low).max()), 1e-6)
        for color, points in places.items():
            for point in points:
                right, up = (scale * (point - middle)[list(axes)]).tolist()
                _MARKS[color](draw, size / 2 + right, size / 2 - up, size / 30)
        return np.asarray(image)


def _ring(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=_GOAL, width=3)


def _square(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    half = radius / 2
    draw.rectangle([x - half, y - half, x + half, y + half], _OBJECT)


def _cross(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    draw.line([(x - radius, y), (x + radius, y)], _HAND, 3)
    draw.line([(x, y - radius), (x, y + radius)], _HAND, 3)


_MARKS = {_GOAL: _ring, _OBJECT: _square, _HAND: _cross}
