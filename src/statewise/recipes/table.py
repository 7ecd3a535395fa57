"""The figures of runs as lines of text for a terminal, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import astuple
from statistics import median
from typing import Any

from statewise.foundation.words import plural
from statewise.recipes.quantities import seconds
from statewise.recipes.recipe import Figure, Recipe
from statewise.recipes.results import Run
from statewise.recipes.statistics import Summary, coverage_of, summaries
from statewise.recipes.telling import tell

COLUMNS = ("", "mean", "95 % of mean", "median", "range", "solved", "published", "inside?")

NAME = 42
"""Columns of a figure's name."""


def table(recipe: Recipe, runs: Sequence[Run]) -> list[str]:
    """Returns the recipe's lines: the number of runs, and the results for each figure."""
    rows = [COLUMNS, *(row for summary in summaries(recipe, runs) for row in _rows(summary))]
    widths = [NAME, *(max(len(row[column]) for row in rows) for column in range(1, len(COLUMNS)))]
    lines = [
        "  ".join([row[0].ljust(NAME), *(c.rjust(w) for c, w in zip(row[1:-1], widths[1:-1], strict=True)), row[-1]])
        for row in rows
    ]
    return [_heading(recipe, runs), *(f"  {line}".rstrip() for line in lines)]


def _heading(recipe: Recipe, runs: Sequence[Run]) -> str:
    times = [run.seconds for run in runs]
    one = f", {seconds(median(times))} s per run (median)" if len(runs) > 1 else ""
    short = ", shortened" if any(run.short for run in runs) else ""
    return f"{recipe.name}: {plural(len(runs), 'run')}{short}, {seconds(sum(times))} s{one}{_chance(len(runs))}"


def _chance(count: int) -> str:
    return (
        f"; another run would fall in the range with probability {100 * coverage_of(count):.0f} %" if count > 1 else ""
    )


def answers(run: Run) -> list[str]:
    """Returns what the network said in a run, line by line."""
    lines = [f"  {asked}:\n      {said}" for asked, said in run.answers.items()]
    return [f"answers of seed {run.seed}", *lines] if lines else []


def _rows(summary: Summary) -> list[tuple[str, ...]]:
    """Returns the line of a figure, and continuation lines if its name is long."""
    name, *rest = textwrap.wrap(_name(summary.figure), NAME)
    values = astuple(tell(summary))
    return [(name, *values), *((line, *[""] * len(values)) for line in rest)]


def _name(figure: Figure) -> str:
    unit = f", {figure.unit}" if figure.unit else ""
    return f"{figure.meaning}{unit}{' (unseen)' if figure.unseen else ''}"


def plain(recipe: Recipe, runs: Sequence[Run]) -> dict[str, Any]:
    """Returns what `table` shows, and which code ran, as JSON."""
    return {
        "recipe": recipe.name,
        "version": recipe.version,
        "seeds": [run.seed for run in runs],
        "seconds": round(sum(run.seconds for run in runs), 1),
        "median_seconds": round(median(run.seconds for run in runs), 3),
        "figures": {summary.figure.name: _plain(summary) for summary in summaries(recipe, runs)},
    }


def _plain(summary: Summary) -> dict[str, Any]:
    given = summary.figure.published
    none = not summary.values  # JSON has no NaN
    return {
        "meaning": summary.figure.meaning,
        "unit": summary.figure.unit,
        "unseen": summary.figure.unseen,
        "mean": None if none else summary.mean,
        "interval": summary.interval,
        "median": None if none else summary.median,
        "range": None if none else [summary.least, summary.most],
        "coverage": summary.coverage,
        "solved": summary.solved,
        "published": None if given is None else list(given.span),
        "inside": summary.inside,
        "values": list(summary.values),
        "lost": summary.lost,
    }
