"""Line charts by position: epochs, updates. The caller's style sheet sets how the lines look."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from statewise.foundation.markup import label, line, svg

Curve = Sequence[tuple[int, float]]
"""Values by position."""

POINTS = 200
"""The maximum number of points kept of a curve."""

_LEFT, _RIGHT = 56.0, 18.0  # px
_FINE = 4  # points lie on a grid this much finer than a pixel: integers are short


@dataclass(frozen=True)
class Axis:
    """A linear scale: `low` is at pixel `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Returns the pixel position of a value.

        >>> Axis(0, 10, 50, 150).at(2.5)
        75.0
        """
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Returns at most `most` round values along the axis.

        >>> Axis(3, 47, 0, 1).ticks()
        [10.0, 20.0, 30.0, 40.0]
        """
        size = 10.0 ** math.floor(math.log10((self.high - self.low) / most))
        step = next(size * m for m in (1, 2, 5, 10) if self.high / (size * m) - self.low / (size * m) < most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def horizontal(low: float, high: float, width: float) -> Axis:
    """Returns the horizontal axis of a chart `width` pixels wide, with room for labels on its left."""
    return Axis(low, high, _LEFT, width - _RIGHT)


def curves_chart(title: str, lines: Sequence[tuple[Curve, str]], kind: str, width: float) -> str:
    """Returns a chart of curves, each drawn in the style of its class.

    Values that are not finite leave a gap. If no value is finite, the returned text is empty.
    """
    points = [point for curve, _ in lines for point in curve]
    values = [value for _, value in points if math.isfinite(value)]
    if not values:
        return ""
    places = [place for place, _ in points]
    x, y = horizontal(min(places) - 1, max(places), width), _upright(min(values), max(values))
    paths = [f'<path d="{_path(curve, x, y)}" class="{style}"/>' for curve, style in lines]
    parts = [*_grid(x, y), f'<g transform="scale({1 / _FINE:g})">', *paths, "</g>"]
    return svg(width, y.start + 24, title, parts, kind)


def thinned(values: list[float]) -> list[tuple[int, float]]:
    """Returns at most `POINTS` of the values, evenly spaced and with both ends, each with its position from 1.

    >>> thinned([0.5, 0.25])
    [(1, 0.5), (2, 0.25)]
    >>> len(thinned([0.0] * 5000)), thinned([0.0] * 5000)[-1]
    (200, (5000, 0.0))
    """
    count = min(len(values), POINTS)
    places = [round(i * (len(values) - 1) / max(count - 1, 1)) for i in range(count)]
    return [(place + 1, values[place]) for place in places]


def tick_label(value: float) -> str:
    """Returns a number as written next to an axis."""
    return f"{value:,.6g}".replace("-", "\N{MINUS SIGN}")


def _upright(low: float, high: float) -> Axis:
    """Returns the vertical axis of a chart of curves, starting at 0 if the values come near it."""
    if 0 <= low <= 0.5 * high:
        low = 0.0
    edge = 0.05 * (high - low) or 0.5 * abs(high) or 1.0
    return Axis(low if low == 0 and high > 0 else low - edge, high + edge, 190.0, 8.0)


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    for tick in y.ticks():
        yield line(x.start, y.at(tick), x.end, y.at(tick), "grid")
        yield label(x.start - 7, y.at(tick) + 4, tick_label(tick), "tick", "end")
    yield line(x.start, y.start, x.end, y.start, "axis")
    for tick in x.ticks():
        if tick == int(tick):
            yield label(x.at(tick), y.start + 16, tick_label(tick), "tick")


def _path(curve: Curve, x: Axis, y: Axis) -> str:
    """Returns a path in whole steps on the fine grid, broken where a value is not finite."""
    path = ""
    for finite, points in groupby(curve, lambda point: math.isfinite(point[1])):
        if finite:
            path += _drawn([(round(x.at(place) * _FINE), round(y.at(value) * _FINE)) for place, value in points])
    return path


def _drawn(points: Sequence[tuple[int, int]]) -> str:
    """Returns a path through the points, with runs of equal steps merged; a single point becomes a dot."""
    steps = [(there[0] - here[0], there[1] - here[1]) for here, there in pairwise(points)] or [(0, 0)]
    counts = [(step, len(list(same))) for step, same in groupby(steps)]
    return f"M{points[0][0]} {points[0][1]}" + "".join(_move(n * right, n * down) for (right, down), n in counts)


def _move(right: int, down: int) -> str:
    return f"l{right}" + (str(down) if down < 0 else f" {down}")
