"""What many runs say together: mean and its interval, median, spread, and whether a published run is one of them."""

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
"""Of all intervals."""

ENOUGH = 0.8
"""A published figure is called outside of a range only where that has at least this coverage, from nine runs on."""


@dataclass(frozen=True)
class Summary:
    """A figure over many runs.

    Attributes:
        figure: which.
        values: one a run, of those that gave a number.
        lost: how many runs gave none: NaN, or infinity.
        mean: of the values.
        interval: the 95 % confidence interval of the mean (Student's t), without what no percentage or loss can be;
            None of one run.
        median: of the values.
        least, most: between them a further run falls with `coverage`: the least and the largest run or, of 79 runs and
            more, which can spare some, others further in.
        coverage: at least that probability: (n - 1) / (n + 1) of n runs, up to 95 % and a little more.
        solved: how many runs reached the figure's goal; None if it has none.
        inside: whether what was published lies between `least` and `most`; None if nothing was, where runs were lost,
            of one run, and where it lies outside of too few runs.
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
    """Returns what the values of a figure, one a run, say together.

    A published figure is one run. It is therefore held against the range in which a further run falls, which depends on
    no distribution (order statistics; David and Nagaraja 2003, section 7.3), not against the interval of the mean.

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
    """Returns what the runs say of each of the recipe's figures.

    Nothing that was published is held against shortened runs.
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
    """Returns the k of the k-th least and the k-th largest run that bound the range."""
    return max(1, math.floor((1 - CONFIDENCE) / 2 * (count + 1)))


def coverage_of(count: int) -> float:
    """Returns with which probability, at least, a further run falls in the range of so many."""
    return (count + 1 - 2 * _left_out(count)) / (count + 1) if count else 0.0


def _reaches(figure: Figure, value: float) -> bool:
    goal = float(figure.solved or 0.0)
    return value <= goal if figure.falls else value >= goal - 1e-9


def _verdict(figure: Figure, least: float, most: float, coverage: float) -> bool | None:
    """Returns whether what was published, to so many decimals as it has, lies in the range; None where unclear."""
    if figure.published is None:
        return None
    low, high = figure.published.span
    rounding = 0.5 * 10.0 ** -decimals(figure, (low, high))
    if low - rounding <= most and least - rounding <= high:
        return True
    return False if coverage >= ENOUGH else None
