"""The section of the report page on one recipe: its text, its data, its model, and the results of its runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from statistics import median

from statewise.foundation.markup import Cell, heading, link, prose, table
from statewise.foundation.words import plural
from statewise.models.display import layers_table
from statewise.recipes.quantities import NONE, decimals, number, numbered, seconds, with_unit
from statewise.recipes.recipe import Figure, Recipe
from statewise.recipes.report.charts import runs_chart, strip_plot
from statewise.recipes.report.picture import picture
from statewise.recipes.results import Run
from statewise.recipes.statistics import Summary, summaries
from statewise.recipes.telling import tell

ANSWERING = 3
"""For how many runs answers are shown."""

HEAD = (
    *map(heading, ("mean", "95\N{NO-BREAK SPACE}% interval", "median", "range of runs", "solved", "published")),
    heading("inside?", "verdict"),
)
"""The columns that `columns` fills."""


@dataclass(frozen=True)
class Outcome:
    """A recipe with its runs."""

    recipe: Recipe
    runs: Sequence[Run]

    @property
    def short(self) -> bool:
        """Whether any run was shortened: such figures are not compared with published ones."""
        return any(run.short for run in self.runs)

    @property
    def seconds(self) -> str:
        """The seconds of the median run, as text."""
        return seconds(median(run.seconds for run in self.runs))

    @cached_property
    def measured(self) -> list[Measured]:
        """The results for each figure."""
        return [Measured(summary, self._seeds(summary.figure)) for summary in summaries(self.recipe, self.runs)]

    def _seeds(self, figure: Figure) -> list[int]:
        return [run.seed for run in self.runs if math.isfinite(run.figures[figure.name])]


@dataclass(frozen=True)
class Measured:
    """A figure over the runs.

    Attributes:
        summary: the summary of the runs.
        seeds: of the runs that gave a number.
    """

    summary: Summary
    seeds: list[int]

    @property
    def figure(self) -> Figure:
        """The figure that was measured."""
        return self.summary.figure


def columns(measured: Measured) -> list[Cell]:
    """Returns the cells below `HEAD`."""
    told, figure = tell(measured.summary), measured.figure
    return [
        Cell(f"<b>{with_unit(told.mean, figure)}</b>"),
        Cell(told.interval),
        Cell(told.median),
        Cell(told.runs),
        Cell(f"{_share(measured.summary)} <small>{told.solved}</small>" if told.solved else NONE),
        Cell(with_unit(told.published or NONE, figure)),
        Cell(_verdict(told.verdict or NONE), "verdict"),
    ]


def _share(summary: Summary) -> str:
    return f"{100 * (summary.solved or 0) / (len(summary.values) + summary.lost):.0f}\N{NO-BREAK SPACE}%"


def _verdict(words: str) -> str:
    return words if words == NONE else f'<span class="{"yes" if words == "yes" else "no"}">{words}</span>'


def section(outcome: Outcome) -> str:
    """Returns the recipe's section of the page."""
    recipe, runs, model = outcome.recipe, outcome.runs, outcome.recipe.model(0)
    told = f"{plural(len(runs), 'run')}, {numbered([run.seed for run in runs])}; {outcome.seconds} s per run"
    return "\n".join(
        [
            f'<section id="{escape(recipe.name)}">',
            f'<h2>{escape(recipe.title.rstrip("."))} <a class="name" href="#{escape(recipe.name)}">'
            f"{escape(recipe.name)}</a></h2>",
            f'<p class="told">{told}; code {escape(recipe.version)}.</p>',
            '<p class="notice">Shortened runs: ignore these figures.</p>' if outcome.short else "",
            _text(recipe),
            "<h3>Data</h3>",
            _framing(recipe),
            "<h3>Model</h3>",
            layers_table(model.network, model.params),
            "<h3>Figures</h3>",
            _figures(outcome),
            f'<div class="charts">{"".join(_charts(outcome))}</div>',
            *_answers(runs[:ANSWERING]),
            *_warnings(runs),
            _source(recipe),
            "</section>",
        ]
    )


def _text(recipe: Recipe) -> str:
    rows = (f"<dt>{escape(lead)}</dt><dd>{prose(words)}</dd>" for lead, words in recipe.paragraphs.items())
    return f'<dl class="text">{"".join(rows)}</dl>'


def _framing(recipe: Recipe) -> str:
    framing = recipe.framing()
    left = framing.x_shape[0] - len(framing.samples)
    more = f" {plural(left, 'more sample')} not shown." if left else ""
    return (
        f'<figure><div class="wide" role="region" tabindex="0" aria-label="data of {escape(recipe.name)}">'
        f"{picture(framing)}</div><figcaption><code>{escape(framing.heading)}</code><br>"
        f"{prose(_sentence(framing.note))} {framing.state}{more}</figcaption></figure>"
    )


def _sentence(words: str) -> str:
    return words if words.endswith(".") else f"{words}."


def _figures(outcome: Outcome) -> str:
    rows = [[Cell(_named(measured), "words", "row"), *columns(measured)] for measured in outcome.measured]
    notes = "".join(f"<li>{note}</li>" for measured in outcome.measured for note in _notes(measured))
    return table(_chance(outcome), (heading("figure", "words"), *HEAD), [rows], "figures") + (
        f'<ul class="notes">{notes}</ul>' if notes else ""
    )


def _chance(outcome: Outcome) -> str:
    """Returns the number of runs, and the probability that another one falls in their range."""
    runs = plural(len(outcome.runs), "run")
    coverage = max(measured.summary.coverage for measured in outcome.measured)
    return f"{runs}; another run would fall in the range with probability {100 * coverage:.0f} %" if coverage else runs


def _named(measured: Measured) -> str:
    mark = ' <span class="unseen">unseen cases</span>' if measured.figure.unseen else ""
    return escape(measured.figure.meaning) + mark


def _notes(measured: Measured) -> Iterator[str]:
    figure, summary, name = measured.figure, measured.summary, escape(spoken(measured.figure))
    if summary.lost:
        yield f"{name}: {plural(summary.lost, 'run')} gave no number; the results are those of the others."
    if figure.solved is not None:
        digits = decimals(figure, summary.values)
        goal = with_unit(number(figure.solved, digits), figure)
        yield f"{name}: a run solves it if it reaches {goal}{' or less' if figure.falls else ' or more'}."
    if figure.published:
        note = f" ({prose(figure.published.note)})" if figure.published.note else ""
        yield f"{name}: published in {link(figure.published.source, figure.published.source)}{note}."


def spoken(figure: Figure) -> str:
    """Returns the figure's name in words."""
    return figure.name.replace("_", " ")


def _charts(outcome: Outcome) -> Iterator[str]:
    for measured in outcome.measured:
        if measured.seeds:
            drawn = strip_plot(measured.summary, measured.seeds)
            yield f"<figure><figcaption>{_named(measured)}</figcaption>{drawn}</figure>\n"
    for name in dict.fromkeys(name for run in outcome.runs for name in run.curves):
        curves = [run.curves[name] for run in outcome.runs if run.curves.get(name)]
        if drawn := runs_chart(name, curves):
            yield f"<figure><figcaption>{escape(name)}</figcaption>{drawn}</figure>\n"


def _answers(runs: Sequence[Run]) -> Iterator[str]:
    asked = dict.fromkeys(question for run in runs for question in run.answers)
    if asked:
        yield "<h3>Answers</h3>"
        groups = [_answered(question, runs) for question in asked]
        yield table(f"Of the first {plural(len(runs), 'run')}", (), groups, "answers")


def _answered(question: str, runs: Sequence[Run]) -> list[list[Cell]]:
    """Returns the rows of a question: a heading, and each answer with the seeds that gave it."""
    given: dict[str, list[int]] = {}
    for run in runs:
        if question in run.answers:
            given.setdefault(run.answers[question], []).append(run.seed)
    rows = [[Cell(numbered(seeds), "words", "row"), Cell(escape(said), "said")] for said, seeds in given.items()]
    return [[Cell(escape(question), "words", "rowgroup", columns=2)], *rows]


def _warnings(runs: Sequence[Run]) -> Iterator[str]:
    counted = Counter(warning for run in runs for warning in dict.fromkeys(run.warnings))
    if counted:
        told = (
            f"<li>{escape(words)} <small>({n} of {plural(len(runs), 'run')})</small></li>"
            for words, n in counted.items()
        )
        yield f'<h3>Warnings</h3><ul class="warnings">{"".join(told)}</ul>'


def _source(recipe: Recipe) -> str:
    lines = plural(len(recipe.code.splitlines()), "line")
    return (
        f"<details><summary>Source: {escape(recipe.path.name)}, {lines}</summary>"
        f'<pre tabindex="0"><code>{escape(recipe.code)}</code></pre></details>'
    )
