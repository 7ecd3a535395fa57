"""The whole page: an introduction, the table of all recipes, and a section for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from statewise import __version__
from statewise.foundation.markup import Cell, heading, link, table
from statewise.foundation.words import plural
from statewise.recipes.recipe import Recipe
from statewise.recipes.report.section import HEAD, Outcome, columns, section, spoken
from statewise.recipes.report.sheet import SHEET
from statewise.recipes.results import Run

TITLE = "Published experiments, run again"

READING = {
    "Mean and 95 % interval": "The mean of all runs. Other seeds would give a different mean; 95 of 100 intervals "
    "computed in this way contain the true mean (Student's t, clipped to 0-100 for percentages).",
    "Range of runs": "The smallest and largest result; from 79 runs on, the extremes are trimmed. Another run would "
    "fall in this range with a probability of at least 82 % for 10 runs, 94 % for 30, 95 % from 39 on.",
    "Inside?": "A published figure is a single run. It is therefore compared with the range of runs, not with the "
    "interval of the mean: “yes” means that it could be one of these runs.",
    "Solved": "The share of runs that reach the figure's goal, if it has one.",
    "Unseen cases": "Figures measured on cases that the run was not trained on. What is right only on the other cases "
    "may just be memorized.",
    "Pictures of data": "A row is a sample, a box is a time step with all its features. A circle is a fresh state; "
    "arrows between boxes carry the state; the arrow to a bold word leads to the answer.",
    "Charts": "A dot, or a faint line, is a run. Bars below the dots are the interval of the mean and the range; the "
    "dashed line is the published figure. The strong line among curves is their median.",
    "Seconds per run": "Of the median run, compiling included.",
}
"""How to read the page."""


def report(runs: Sequence[tuple[Recipe, Sequence[Run]]], *, made: datetime | None = None) -> str:
    """Returns an HTML page about all recipes that have runs.

    Args:
        runs: of each recipe, in the order of the page.
        made: the page's date (default: now).
    """
    outcomes = [Outcome(recipe, found) for recipe, found in runs if found]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{TITLE}</title>\n<style>{SHEET}</style>\n</head>\n<body>\n<header>\n<h1>{TITLE}</h1>",
            f'<p class="told">{_made(outcomes, made or datetime.now().astimezone())}</p>',
            _shortened(outcomes),
            f"<p>{_told(outcomes)}</p>\n</header>\n<main>",
            _summary(outcomes) + _reading() if outcomes else "",
            *map(section, outcomes),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _made(outcomes: Sequence[Outcome], made: datetime) -> str:
    count = sum(len(outcome.runs) for outcome in outcomes)
    versions = sorted({run.statewise for outcome in outcomes for run in outcome.runs} - {__version__})
    others = f"; some runs were made with {escape(', '.join(versions))}" if versions else ""
    return (
        f"{plural(len(outcomes), 'recipe')}, {plural(count, 'run')}. Made on "
        f'<time datetime="{made.isoformat(timespec="minutes")}">{made:%Y-%m-%d %H:%M}</time> '
        f"with statewise {__version__}{others}."
    )


def _shortened(outcomes: Sequence[Outcome]) -> str:
    names = [link(f"#{outcome.recipe.name}", outcome.recipe.name) for outcome in outcomes if outcome.short]
    if not names:
        return ""
    return (
        '<p class="notice"><b>Shortened runs.</b> They only show that everything works; ignore their figures. They are '
        f"not compared with published figures: {', '.join(names)}.</p>"
    )


def _told(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return "There are no runs yet. Make some with <code>statewise recipes run --all</code>."
    found = [measured.summary.inside for outcome in outcomes for measured in outcome.measured]
    told = [inside for inside in found if inside is not None]
    if not told:
        return "No published figure is compared with these runs."
    return f"Published figures inside the range of runs: {sum(told)} of {len(told)}."


def _summary(outcomes: Sequence[Outcome]) -> str:
    head = (heading("recipe", "words"), heading("figure", "words"), *HEAD, heading("seconds per run"))
    return table("Measured and published", head, map(_rows, outcomes), "summary")


def _rows(outcome: Outcome) -> list[list[Cell]]:
    """Returns the recipe's rows: one for each published figure, or its first figure."""
    shown = [measured for measured in outcome.measured if measured.figure.published] or outcome.measured[:1]
    rows = [[Cell(escape(spoken(measured.figure)), "words"), *columns(measured)] for measured in shown]
    name = link(f"#{outcome.recipe.name}", outcome.recipe.name)
    rows[0].insert(0, Cell(f"{name} {_count(outcome)}", "words", "rowgroup", rows=len(rows)))
    rows[0].append(Cell(outcome.seconds, rows=len(rows)))
    return rows


def _count(outcome: Outcome) -> str:
    return f"<small>{plural(len(outcome.runs), 'run')}{', shortened' if outcome.short else ''}</small>"


def _reading() -> str:
    rows = (f"<div><dt>{escape(name)}</dt><dd>{escape(words)}</dd></div>" for name, words in READING.items())
    return f'<section id="reading"><h2>How to read this page</h2><dl class="reading">{"".join(rows)}</dl></section>'
