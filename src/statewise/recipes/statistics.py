"""Many runs summarized: mean and its interval, median, range, and whether a published run could be one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from statewise.recipes.quantities import decimals
from statewise.recipes.recipe import Figure, Recipe
from statewise.recipes.results import Run

CONFIDENCE = 0.95
"""The confidence of all intervals."""

ENOUGH = 0.8
"""A published figure is called outside a range only if that has at least this coverage, from nine runs on."""


@dataclass(frozen=True)
class Summary:
    """A figure over many runs.

    Attributes:
        figure: which.
        values: one for each run that gave a number.
        lost: how many runs gave none: NaN, or infinity.
        mean: of the values.
        interval: the 95 % confidence interval of the mean (Student's t), clipped to the possible values of a
            percentage or loss; None for one run.
        median: of the values.
        least, most: the range in which another run would fall with probability `coverage`: the smallest and largest
            result; from 79 runs on, the extremes are trimmed.
        coverage: a lower bound of that probability: (n - 1) / (n + 1) for n runs, up to a little over 95 %.
        solved: how many runs reached the figure's goal; None if it has none.
        inside: whether the published figure lies between `least` and `most`; None if there is none, if runs were lost,
            for a single run, and if it lies outside the range of too few runs.
    """

    figure: Figure
    values: tuple[float, ...]
    lost: int
    mean: float
    interval: tuple[float, float] | None
    median: float
    least: float
    most: float
    coverage: float
    solved: int | None
    inside: bool | None


def summarize(figure: Figure, values: Sequence[float]) -> Summary:
    """Returns the summary of a figure's values, one per run.

    A published figure is one run. It is therefore compared with the range in which another run would fall, not with the
    interval of the mean. The range assumes no distribution (order statistics; David and Nagaraja 2003, section 7.3).

    >>> found = summarize(Figure("accuracy", "right answers", solved=100.0), [80.0, 84.0, 84.0, 100.0])
    >>> found.mean, found.median, found.solved, found.coverage
    (87.0, 84.0, 1, 0.6)
    """
    data = np.asarray([value for value in values if math.isfinite(value)])
    lost = len(values) - len(data)
    least, most = _range_of_runs(np.sort(data))
    return Summary(
        figure,
        tuple(map(float, data)),
        lost,
        float(data.mean()) if len(data) else math.nan,
        _interval_of_mean(data, figure),
        float(np.median(data)) if len(data) else math.nan,
        least,
        most,
        coverage_of(len(data)),
        None if figure.solved is None else sum(_reaches(figure, value) for value in data.tolist()),
        None if lost or len(data) < 2 else _verdict(figure, least, most, coverage_of(len(data))),
    )


def summaries(recipe: Recipe, runs: Sequence[Run]) -> list[Summary]:
    """Returns the summaries of the recipe's figures.

    Shortened runs are not compared with published figures.
    """
    short = any(run.short for run in runs)
    figures = [replace(figure, published=None) if short else figure for figure in recipe.figures]
    return [summarize(figure, [run.figures[figure.name] for run in runs]) for figure in figures]


def _interval_of_mean(data: np.ndarray, figure: Figure) -> tuple[float, float] | None:
    if len(data) < 2:
        return None
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(data) - 1) * data.std(ddof=1) / math.sqrt(len(data)))
    low, high = float(data.mean()) - half, float(data.mean()) + half
    positive = figure.unit == "%" or figure.falls  # no loss and no error is below 0
    return max(low, 0.0) if positive else low, min(high, 100.0) if figure.unit == "%" else high


def _range_of_runs(ordered: np.ndarray) -> tuple[float, float]:
    if not len(ordered):
        return math.nan, math.nan
    out = _left_out(len(ordered))
    return float(ordered[out - 1]), float(ordered[-out])


def _left_out(count: int) -> int:
    """Returns the k of the k-th smallest and k-th largest results, which bound the range."""
    return max(1, math.floor((1 - CONFIDENCE) / 2 * (count + 1)))


def coverage_of(count: int) -> float:
    """Returns a lower bound of the probability that another run falls in the range of `count` runs."""
    return (count + 1 - 2 * _left_out(count)) / (count + 1) if count else 0.0


def _reaches(figure: Figure, value: float) -> bool:
    goal = float(figure.solved or 0.0)
    return value <= goal if figure.falls else value >= goal - 1e-9


def _verdict(figure: Figure, least: float, most: float, coverage: float) -> bool | None:
    """Returns whether the published figure, to its number of decimals, lies in the range; None if unclear."""
    if figure.published is None:
        return None
    low, high = figure.published.span
    rounding = 0.5 * 10.0 ** -decimals(figure, (low, high))
    if low - rounding <= most and least - rounding <= high:
        return True
    return False if coverage >= ENOUGH else None
