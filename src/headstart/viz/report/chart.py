"""Line charts as SVG whose colours the page decides, each with its numbers in a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.viz.report.html import table, text

FloatArray = NDArray[np.float64]
STYLES = 8
"""Colours and dashes of lines; more lines begin again."""
_WIDTH, _HEIGHT = 440.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 416.0, 10.0, 212.0
_MOST_MARKS = 40


@dataclass(frozen=True)
class Series:
    """One line."""

    name: str
    style: int  # of its colour and dashes
    x: FloatArray  # (points,), ascending
    y: FloatArray  # (points,)
    low: FloatArray | None = None  # (points,), of the band around it
    high: FloatArray | None = None


@dataclass(frozen=True)
class Chart:
    """Lines over one axis."""

    title: str
    x_label: str
    series: Sequence[Series]
    is_rate: bool = False
    """Whether values are shares, drawn from 0 to 1."""

    def figure(self, name: str) -> str:
        """Return the chart and the table beside it; ``name`` is unique on the page."""
        legend = "".join(
            f'<li><button type="button" aria-pressed="true" data-series="{index}">'
            f'<svg class="key" viewBox="0 0 26 8" aria-hidden="true">'
            f'<path class="line s{each.style}" d="M1 4H25"/></svg>{text(each.name)}</button></li>'
            for index, each in enumerate(self.series)
        )
        return (
            f'<figure class="chart"><figcaption>{text(self.title)}</figcaption>{self._svg(name)}'
            f'<p class="readout" aria-hidden="true">&nbsp;</p><ul class="legend">{legend}</ul>'
            f"<details><summary>Numbers</summary>{self._table()}</details></figure>"
        )

    def _svg(self, name: str) -> str:
        scale = _Scale.of(self.series, self.is_rate)
        lines = [_line(index, it, scale) for index, it in enumerate(self.series)]
        ends = " ".join(f"{end:.6g}" for end in (scale.x_low, scale.x_high))
        return (
            f'<svg class="plot" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" '
            f'aria-labelledby="{name}-title {name}-words" data-ends="{ends}" '
            f'data-frame="{_LEFT:g} {_RIGHT:g}"><title id="{name}-title">{text(self.title)}</title>'
            f'<desc id="{name}-words">{self._words()}</desc>{scale.axes(self)}{"".join(lines)}'
            f'<path class="cursor" d="M0 {_TOP:g}V{_BOTTOM:g}" visibility="hidden"/></svg>'
        )

    def _words(self) -> str:
        """Return what the chart shows, for those who do not see it."""
        said = [
            f"{text(it.name)}: {self._value(it.y[0])} at {number(it.x[0])} {self.x_label}, "
            f"{self._value(it.y[-1])} at {number(it.x[-1])}."
            for it in self.series
        ]
        return " ".join([*said, "All numbers are in the table below."])

    def _table(self) -> str:
        steps = sorted({float(x) for it in self.series for x in it.x})
        rows = []
        for step in steps:
            cells = [self._cell(it, step) for it in self.series]
            rows.append([f'<data value="{step:.6g}">{number(step)}</data>', *cells])
        head = [text(self.x_label), *(text(it.name) for it in self.series)]
        return table(text(self.title), head, rows)

    def _cell(self, series: Series, step: float) -> str:
        found = np.flatnonzero(series.x == step)
        if not len(found):
            return ""
        at = found[-1]
        value = self._value(series.y[at])
        if series.low is None or series.high is None or series.low[at] == series.high[at]:
            return value
        return f"{value} ({self._value(series.low[at])} to {self._value(series.high[at])})"

    def _value(self, value: float) -> str:
        return f"{value:.1%}" if self.is_rate else f"{value:.4g}"


@dataclass(frozen=True)
class _Scale:
    """From values to places in the picture."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    @classmethod
    def of(cls, series: Sequence[Series], is_rate: bool) -> "_Scale":
        x = np.concatenate([it.x for it in series])
        sides = [side for it in series for side in (it.y, it.low, it.high) if side is not None]
        y = np.concatenate(sides)
        y = y[np.isfinite(y)]
        low, high = (0.0, 1.0) if is_rate or not len(y) else (float(y.min()), float(y.max()))
        if low == high:
            low, high = low - 0.5, high + 0.5
        x_low, x_high = float(x.min()), float(x.max())
        if x_low == x_high:
            x_low, x_high = min(x_low, 0.0), max(x_high, 1.0)
        return cls(x_low, x_high, low, high)

    def x(self, value: float) -> float:
        return _LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (_RIGHT - _LEFT)

    def y(self, value: float) -> float:
        return _BOTTOM - (value - self.y_low) / (self.y_high - self.y_low) * (_BOTTOM - _TOP)

    def axes(self, chart: Chart) -> str:
        parts = []
        for value in ticks(self.y_low, self.y_high):
            label, y = f"{value:.0%}" if chart.is_rate else f"{value:g}", self.y(value)
            parts.append(
                f'<path class="grid" d="M{_LEFT:g} {y:.1f}H{_RIGHT:g}"/>'
                f'<text class="tick end" x="{_LEFT - 6:g}" y="{y + 4:.1f}">{label}</text>'
            )
        for value in ticks(self.x_low, self.x_high, most=5):
            parts.append(
                f'<text class="tick middle" x="{self.x(value):.1f}" y="{_BOTTOM + 16:g}">'
                f"{number(value)}</text>"
            )
        middle = (_LEFT + _RIGHT) / 2
        parts.append(
            f'<path class="axis" d="M{_LEFT:g} {_BOTTOM:g}H{_RIGHT:g}"/>'
            f'<text class="label middle" x="{middle:g}" y="{_HEIGHT - 6:g}">'
            f"{text(chart.x_label)}</text>"
        )
        return "".join(parts)


def _line(index: int, series: Series, scale: _Scale) -> str:
    """Return a line with its band, and marks where there are few points."""
    shown = np.isfinite(series.y)
    x = [scale.x(value) for value in series.x[shown]]
    y = [scale.y(value) for value in series.y[shown]]
    parts = []
    if series.low is not None and series.high is not None:
        low = [scale.y(value) for value in series.low[shown]]
        high = [scale.y(value) for value in series.high[shown]]
        edge = _path([*x, *x[::-1]], [*high, *low[::-1]])
        parts.append(f'<path class="band s{series.style}" d="{edge}Z"/>')
    parts.append(f'<path class="line s{series.style}" d="{_path(x, y)}"/>')
    if len(x) <= _MOST_MARKS:
        parts += [
            f'<circle class="mark s{series.style}" cx="{at:.1f}" cy="{value:.1f}" r="2.2"/>'
            for at, value in zip(x, y, strict=True)
        ]
    return f'<g data-series="{index}">{"".join(parts)}</g>'


def _path(x: Sequence[float], y: Sequence[float]) -> str:
    places = [f"{at:.1f} {value:.1f}" for at, value in zip(x, y, strict=True)]
    return f"M{'L'.join(places)}" if places else "M0 0"


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers between two others, at most so many."""
    rough = (high - low) / most
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def number(value: float) -> str:
    """Return a count as it stands at an axis: 2,500 or 120k."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 100 * size or (size >= 1e6 and abs(value) >= size):
            return f"{value / size:.4g}{sign}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"
