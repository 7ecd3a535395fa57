"""Intervals over runs, against published tables and simulation."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from statewise.recipes.recipe import Figure, Published
from statewise.recipes.statistics import summarize

STUDENT_T = {2: 12.706, 3: 4.303, 10: 2.262, 30: 2.045}
"""Two-sided 95 % points for n runs (n - 1 degrees of freedom), from any printed table."""

SCORE = Figure("score", "a score", unit="")
PERCENT = Figure("accuracy", "right answers", solved=100.0)


@pytest.mark.parametrize("count", STUDENT_T)
def test_interval_of_the_mean_is_students(count: int) -> None:
    values = np.random.default_rng(count).normal(50, 10, count).tolist()
    found = summarize(SCORE, values)
    half = STUDENT_T[count] * statistics.stdev(values) / math.sqrt(count)
    assert found.interval == pytest.approx((statistics.mean(values) - half, statistics.mean(values) + half), rel=1e-3)
    assert found.mean == pytest.approx(statistics.mean(values))
    assert found.median == pytest.approx(statistics.median(values))


def test_percentages_have_no_interval_beyond_100() -> None:
    found = summarize(PERCENT, [100.0, 96.0, 100.0, 60.0])
    assert found.interval is not None
    assert found.interval[1] == 100.0
    assert found.interval[0] > 0.0


def test_one_run_has_neither_interval_nor_verdict() -> None:
    found = summarize(Figure("accuracy", "right", published=Published(84.0, "somewhere")), [84.0])
    assert (found.interval, found.inside, found.coverage) == (None, None, 0.0)


@pytest.mark.parametrize(("count", "out"), [(2, 1), (10, 1), (38, 1), (39, 1), (79, 2), (199, 5)])
def test_range_of_runs_leaves_out_what_it_can(count: int, out: int) -> None:
    values = list(np.random.default_rng(count).permutation(count).astype(float))
    found = summarize(SCORE, values)
    assert (found.least, found.most) == (out - 1, count - out)
    assert found.coverage == pytest.approx((count + 1 - 2 * out) / (count + 1))
    assert found.coverage <= 0.951


@pytest.mark.parametrize("count", [3, 10, 39, 100])
def test_a_further_run_falls_inside_as_often_as_is_said(count: int) -> None:
    draws = np.random.default_rng(7).exponential(size=(2000, count + 1))
    inside = [
        found.least <= further <= found.most for *runs, further in draws.tolist() for found in [summarize(SCORE, runs)]
    ]
    assert np.mean(inside) == pytest.approx(summarize(SCORE, draws[0, :-1].tolist()).coverage, abs=0.03)


@pytest.mark.parametrize(
    ("published", "inside"),
    [
        (Published(86.96, ""), True),  # 20 of 23, rounded
        (Published(86.90, ""), False),
        (Published(90.0, "", to=100.0), False),
        (Published(80.0, "", to=87.0), True),
    ],
)
def test_published_figures_are_compared_as_they_are_printed(published: Published, inside: bool) -> None:
    exact = 100 * 20 / 23
    assert summarize(Figure("a", "a", published=published), [exact] * 9).inside is inside


def test_too_few_runs_refute_nothing() -> None:
    figure = Figure("a", "a", published=Published(84.0, ""))
    assert summarize(figure, [80.0, 80.0]).inside is None
    assert summarize(figure, [80.0, 88.0]).inside is True
    assert summarize(figure, [80.0] * 8).inside is None
    assert summarize(figure, [80.0] * 9).inside is False


def test_no_loss_has_an_interval_below_0() -> None:
    low, _ = summarize(Figure("loss", "loss", "nats", falls=True), [0.1, 0.9]).interval or (None, None)
    assert low == 0.0
    low, _ = summarize(SCORE, [0.1, 0.9]).interval or (0.0, None)
    assert low < 0.0


def test_runs_that_reach_the_goal_are_counted() -> None:
    assert summarize(PERCENT, [100.0, 99.9, 100.0]).solved == 2
    assert summarize(Figure("loss", "loss", unit="nats", solved=0.1, falls=True), [0.05, 0.1, 0.2]).solved == 2
    assert summarize(SCORE, [1.0, 2.0]).solved is None


def test_runs_without_a_number_are_counted_as_lost_and_forbid_a_verdict() -> None:
    figure = Figure("a", "a", published=Published(84.0, ""), solved=80.0)
    found = summarize(figure, [84.0, math.nan, 84.0, math.inf])
    assert (found.values, found.lost, found.mean, found.solved, found.inside) == ((84.0, 84.0), 2, 84.0, 2, None)
    none = summarize(figure, [math.nan])
    assert (none.values, none.lost, none.solved, none.inside, none.coverage) == ((), 1, 0, None, 0.0)
    assert math.isnan(none.mean)
