"""Charts of many runs: a dot for each run of a figure, and a line for each run's curve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median

from statewise.foundation.curves import Axis, Curve, curves_chart, horizontal, tick_label
from statewise.foundation.markup import label, line, svg
from statewise.foundation.words import plural
from statewise.recipes.quantities import between, decimals, number, published, with_unit
from statewise.recipes.statistics import Summary

_WIDTH = 420.0  # px
_DOT, _PILE = 7.0, 98.0  # px: a dot's width, and how high dots that lie upon each other are piled


def strip_plot(summary: Summary, seeds: Sequence[int]) -> str:
    """Returns a chart with a dot for each run, the mean with its interval, the range of runs and the published figure.

    Args:
        summary: of the figure; its values are finite.
        seeds: of the values.
    """
    mark = summary.figure.published.span if summary.figure.published else ()
    axis = _axis([*summary.values, *(summary.interval or ()), *mark], summary.figure.unit == "%")
    places = _piled([axis.at(value) for value in summary.values])
    levels = max(level for _, level in places)
    step = min(_DOT, _PILE / max(levels, 1))
    floor = 24 + levels * step + _DOT
    parts = [
        *_published(summary, axis, floor + 50),
        label(0, floor + 1, "runs", "name", "start"),
        *_dots(summary, seeds, places, axis, floor, step),
        *_span(axis, floor + 22, "mean", summary.interval or (), "interval"),
        f'<circle cx="{axis.at(summary.mean):.5g}" cy="{floor + 22:.5g}" r="4" class="mean"/>',
        *_span(axis, floor + 42, "range", (summary.least, summary.most), "range"),
        *_ground(axis, floor + 54),
    ]
    return svg(_WIDTH, floor + 74, _told(summary), parts, "strip")


def runs_chart(name: str, curves: Sequence[Curve]) -> str:
    """Returns a chart with a faint line for each run and, if all runs have the same places, their median.

    Values that are not finite leave a gap. If no value is finite, the result is empty.
    """
    lines = [(curve, "run") for curve in curves]
    if middle := _median_of(curves):
        lines.append((middle, "median"))
    kind = "curves few" if len(curves) < 4 else "curves"
    return curves_chart(f"{name}: {plural(len(curves), 'run')}", lines, kind, _WIDTH)


def _axis(values: Sequence[float], percent: bool) -> Axis:
    """Returns the axis of a strip plot, never so narrow that random differences look large."""
    low, high = min(values), max(values)
    least = 10.0 if percent else 0.2 * max(abs(low), abs(high)) or 1.0
    missing = max(least - (high - low), 0.0)
    low, high = low - missing / 2, high + missing / 2
    if percent:
        low, high = low - max(high - 100, 0), high - min(low, 0)
        low, high = max(low, 0.0), min(high, 100.0)
    edge = 0.04 * (high - low)
    return horizontal(low - edge, high + edge, _WIDTH)


def _piled(places: Sequence[float]) -> list[tuple[float, int]]:
    """Returns each dot's place with its level, the lowest at which it touches no dot to its left."""
    ends: list[float] = []
    levels = {}
    for index in sorted(range(len(places)), key=places.__getitem__):
        level = next((n for n, end in enumerate(ends) if places[index] - end >= _DOT), len(ends))
        ends[level : level + 1] = [places[index]]
        levels[index] = level
    return [(place, levels[index]) for index, place in enumerate(places)]


def _dots(
    summary: Summary, seeds: Sequence[int], places: Sequence[tuple[float, int]], axis: Axis, floor: float, step: float
) -> Iterator[str]:
    digits = decimals(summary.figure, summary.values)
    yield line(axis.start, floor + 6, axis.end, floor + 6, "grid")
    for seed, value, (x, level) in zip(seeds, summary.values, places, strict=True):
        told = f"<title>seed {seed}: {with_unit(number(value, digits), summary.figure)}</title>"
        yield f'<circle cx="{x:.4g}" cy="{floor - 2 - level * step:.4g}" r="3.2">{told}</circle>'


def _published(summary: Summary, axis: Axis, bottom: float) -> Iterator[str]:
    given = summary.figure.published
    if given is None:
        return
    left, right = map(axis.at, given.span)
    if right > left:
        yield f'<rect x="{left:.5g}" y="18" width="{right - left:.5g}" height="{bottom - 18:.5g}" class="span"/>'
    yield line(left, 18, left, bottom, "published")
    yield line(right, 18, right, bottom, "published")
    words = with_unit(published(given, decimals(summary.figure, summary.values)), summary.figure)
    middle = (left + right) / 2
    place, anchor = middle, "middle"
    if not _WIDTH / 3 < middle < _WIDTH * 2 / 3:  # too near to an edge to stand in the middle
        place, anchor = (left, "start") if middle < _WIDTH / 2 else (right, "end")
    yield label(place, 12, f"published {words}", "mark", anchor)


def _span(axis: Axis, y: float, name: str, ends: Sequence[float], kind: str) -> Iterator[str]:
    yield label(0, y + 4, name, "name", "start")
    if ends:
        left, right = map(axis.at, ends)
        yield line(left, y, right, y, kind)
        yield line(left, y - 4, left, y + 4, kind)
        yield line(right, y - 4, right, y + 4, kind)


def _ground(axis: Axis, y: float) -> Iterator[str]:
    yield line(axis.start, y, axis.end, y, "axis")
    for tick in axis.ticks():
        yield line(axis.at(tick), y, axis.at(tick), y + 4, "axis")
        yield label(axis.at(tick), y + 16, tick_label(tick), "tick")


def _told(summary: Summary) -> str:
    figure, digits = summary.figure, decimals(summary.figure, summary.values)
    spread = between(min(summary.values), max(summary.values), digits)
    told = [f"{plural(len(summary.values), 'run')}: {spread}", f"mean {number(summary.mean, digits)}"]
    if figure.published:
        told.append(f"published {published(figure.published, digits)}")
    return f"{figure.meaning}, " + "; ".join(with_unit(words, figure) for words in told)


def _median_of(curves: Sequence[Curve]) -> list[tuple[int, float]]:
    """Returns the median by place of three or more runs; nothing if their places differ or a value is not finite."""
    places = [place for place, _ in curves[0]]
    alike = all([place for place, _ in curve] == places for curve in curves)
    if len(curves) < 3 or not alike or not all(math.isfinite(value) for curve in curves for _, value in curve):
        return []
    return [(place, median(curve[index][1] for curve in curves)) for index, place in enumerate(places)]
