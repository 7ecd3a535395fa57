"""Charts, read back: what is drawn is turned into numbers by the chart's own tick labels."""

from __future__ import annotations

import math
import re
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from statewise.foundation.curves import Axis
from statewise.recipes.recipe import Figure, Published
from statewise.recipes.report.charts import runs_chart, strip_plot
from statewise.recipes.statistics import summarize

SVG = "{http://www.w3.org/2000/svg}"
ACCURACY = Figure("accuracy", "right answers", published=Published(95.0, "a book", to=100.0))
LOSS = Figure("loss", "loss at the <end>", unit="nats", published=Published(0.4158, "a book"), falls=True)
TRAINED = Figure("trained", "what <was> trained & more")


class Drawn:
    """A chart as it is seen."""

    def __init__(self, text: str) -> None:
        self.root = ElementTree.fromstring(text)
        self.title = self.root.findtext(f"{SVG}title") or ""
        self.words = [("".join(t.itertext()), t.attrib) for t in self.root.iter(f"{SVG}text")]
        self.dots = [c for c in self.root.iter(f"{SVG}circle") if "class" not in c.attrib]

    def of_class(self, kind: str) -> list[dict[str, str]]:
        return [element.attrib for element in self.root.iter() if element.get("class") == kind]

    def value(self, pixel: float, axis: str = "x", anchor: str = "middle") -> float:
        """Returns the value at a pixel, from the first and the last tick label."""
        ticks = [(text, at) for text, at in self.words if at["class"] == "tick" and at["text-anchor"] == anchor]
        (first, start), (last, end) = ticks[0], ticks[-1]
        low, high = (float(text.replace("\N{MINUS SIGN}", "-").replace(",", "")) for text in (first, last))
        from_, to = float(start[axis]), float(end[axis])
        return low + (pixel - from_) / (to - from_) * (high - low)


def strip(figure: Figure, values: list[float]) -> Drawn:
    return Drawn(strip_plot(summarize(figure, values), range(len(values))))


@pytest.mark.parametrize("figure", [ACCURACY, LOSS, TRAINED])
@pytest.mark.parametrize("count", [1, 2, 30])
def test_each_run_is_a_dot_at_its_value(figure: Figure, count: int) -> None:
    values = np.random.default_rng(count).uniform(20, 90, count).tolist()
    drawn = strip(figure, values)
    assert [drawn.value(float(dot.attrib["cx"])) for dot in drawn.dots] == pytest.approx(values, abs=0.5)
    titles = [dot.findtext(f"{SVG}title") or "" for dot in drawn.dots]
    assert [title.partition(":")[0] for title in titles] == [f"seed {seed}" for seed in range(count)]


def test_dots_do_not_touch_unless_they_are_many() -> None:
    drawn = strip(TRAINED, np.random.default_rng(1).normal(80, 5, 30).tolist())
    places = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in drawn.dots]
    assert min(math.dist(a, b) for a, b in combinations(places, 2)) > 6.4


def test_equal_runs_are_piled_within_the_chart() -> None:
    drawn = strip(TRAINED, [100.0] * 200)
    heights = [float(dot.attrib["cy"]) for dot in drawn.dots]
    assert len(set(heights)) == 200
    assert min(heights) > 10
    assert max(heights) < float(drawn.root.attrib["height"])


def test_mean_interval_range_and_publication_stand_at_their_values() -> None:
    values = np.random.default_rng(2).uniform(0.2, 0.7, 12).tolist()
    drawn, found = strip(LOSS, values), summarize(LOSS, values)
    ends = [[float(x) for x in re.findall(r"[ML](\S+)", at["d"])] for at in drawn.of_class("interval")[:1]]
    assert [drawn.value(x) for x in ends[0]] == pytest.approx(found.interval, abs=2e-3)
    ends = [[float(x) for x in re.findall(r"[ML](\S+)", at["d"])] for at in drawn.of_class("range")[:1]]
    assert [drawn.value(x) for x in ends[0]] == pytest.approx((min(values), max(values)), abs=2e-3)
    assert drawn.value(float(drawn.of_class("mean")[0]["cx"])) == pytest.approx(found.mean, abs=2e-3)
    mark = re.findall(r"M(\S+)", drawn.of_class("published")[0]["d"])
    assert drawn.value(float(mark[0])) == pytest.approx(0.4158, abs=2e-3)


def test_a_published_span_is_a_band() -> None:
    (band,) = strip(ACCURACY, [88.0, 93.0]).of_class("span")
    drawn = strip(ACCURACY, [88.0, 93.0])
    left, width = float(band["x"]), float(band["width"])
    assert [drawn.value(left), drawn.value(left + width)] == pytest.approx([95, 100], abs=0.1)
    assert "published 95.00 to 100.00\N{NO-BREAK SPACE}%" in [words for words, _ in drawn.words]


@pytest.mark.parametrize("values", [[100.0] * 3, [0.0], [0.0, 100.0], [99.9, 100.0]])
def test_percentages_have_no_ticks_outside_of_0_to_100(values: list[float]) -> None:
    drawn = strip(TRAINED, values)
    ticks = [float(words) for words, at in drawn.words if at["class"] == "tick"]
    assert len(ticks) > 1
    assert min(ticks) >= 0
    assert max(ticks) <= 100


def test_a_chart_can_be_read_out() -> None:
    drawn = strip(LOSS, [0.25, 0.75])
    assert drawn.root.attrib["role"] == "img"
    assert drawn.title.replace("\N{NO-BREAK SPACE}", " ") == (
        "loss at the <end>, 2 runs: 0.2500 to 0.7500 nats; mean 0.5000 nats; published 0.4158 nats"
    )


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 1e4), (0.99999, 1.00001), (1e-9, 3e-9), (12345, 12399)])
@pytest.mark.parametrize("most", [3, 6])
def test_ticks_are_even_and_few(low: float, high: float, most: int) -> None:
    ticks = Axis(low, high, 0, 1).ticks(most)
    assert 1 <= len(ticks) <= most
    assert all(low - 1e-9 * abs(low) <= tick <= high + 1e-9 * abs(high) for tick in ticks)
    assert np.ptp(np.diff(ticks)) < 1e-6 * (high - low) if len(ticks) > 1 else True


def lines(drawn: Drawn, kind: str) -> list[list[tuple[float, float]]]:
    """Returns the points of each line of a chart of curves, in its units; a broken line's parts one after another.

    A tick's words stand on a line 4 pixels below their tick.
    """
    found = []
    for at in drawn.of_class(kind):
        points: list[tuple[float, float]] = []
        for command, x, y in re.findall(r"([Ml])(-?\d+)\s?(-?\d+)", at["d"]):
            before = points[-1] if command == "l" else (0.0, 0.0)
            points.append((before[0] + int(x), before[1] + int(y)))
        found.append([(drawn.value(x / 4), drawn.value(y / 4 + 4, "y", "end")) for x, y in points])
    return found


def read_at(points: list[tuple[float, float]], places: list[int]) -> np.ndarray:
    return np.interp(places, [x for x, _ in points], [y for _, y in points])


def test_each_run_is_a_line_through_its_values_and_their_median_is_strong() -> None:
    rng = np.random.default_rng(3)
    places = list(range(1, 402, 4))
    values = 2 * np.exp(-np.arange(101) / 30) + 0.3 * rng.random((5, 101))
    curves = [list(zip(places, map(float, row), strict=True)) for row in values]
    drawn = Drawn(runs_chart("loss by epoch", curves))
    assert drawn.title == "loss by epoch: 5 runs"
    for points, row in zip(lines(drawn, "run"), values, strict=True):
        np.testing.assert_allclose(read_at(points, places), row, atol=0.02)
    (middle,) = lines(drawn, "median")
    np.testing.assert_allclose(read_at(middle, places), np.sort(values, axis=0)[2], atol=0.02)


def test_straight_lines_are_short() -> None:
    level = [(place, 0.5) for place in range(1, 201)]
    rising = [(place, place / 200) for place in range(1, 201)]
    drawn = Drawn(runs_chart("loss", [level, rising]))
    assert len(drawn.of_class("run")[0]["d"]) < 600
    assert [max(y for _, y in points) for points in lines(drawn, "run")] == pytest.approx([0.5, 1.0], abs=0.01)


def test_values_that_are_not_finite_leave_a_gap() -> None:
    curve = [(1, 3.0), (2, 2.0), (3, math.nan), (4, math.inf), (5, 1.0)]
    drawn = Drawn(runs_chart("loss", [curve, curve, curve]))
    assert [at["d"].count("M") for at in drawn.of_class("run")] == [2, 2, 2]
    assert not drawn.of_class("median")
    assert "nan" not in ElementTree.tostring(drawn.root, "unicode")


@pytest.mark.parametrize("curve", [[(1, 0.0)], [(1, 5.0), (2, 5.0)], [(1, -2.0), (9, -1.0)], [(1, 1e9), (2, 1e-9)]])
def test_any_finite_curve_is_drawn_within_the_chart(curve: list[tuple[int, float]]) -> None:
    drawn = Drawn(runs_chart("loss", [curve]))
    (at,) = drawn.of_class("run")
    start = re.match(r"M(-?\d+) (-?\d+)", at["d"])
    assert start
    assert 0 <= int(start[1]) / 4 <= 420
    assert 0 <= int(start[2]) / 4 <= 190


@pytest.mark.parametrize("curves", [[[(1, math.nan)]], [[]]])
def test_without_finite_values_there_is_no_chart(curves: list[list[tuple[int, float]]]) -> None:
    assert runs_chart("loss", curves) == ""
