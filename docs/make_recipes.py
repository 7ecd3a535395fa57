"""Writes recipes.md from the recipes themselves and from their results in recipes.json.

statewise recipes run --all --json > docs/recipes.json
python docs/make_recipes.py
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from statewise.foundation.files import write_whole
from statewise.foundation.words import plural
from statewise.recipes.quantities import decimals, published, seconds
from statewise.recipes.recipe import Figure, Recipe
from statewise.recipes.registry import every
from statewise.recipes.results import Results
from statewise.recipes.statistics import summarize
from statewise.recipes.table import plain
from statewise.recipes.telling import tell

HERE = Path(__file__).parent
PAGE, MEASURED = HERE / "recipes.md", HERE / "recipes.json"

INTRODUCTION = """# Recipes

<!-- Made by `make docs` from the recipes themselves: change those. -->

The tutorials that made LSTM networks popular each report one run and ask the reader to repeat it and compare. Each
recipe here is such an experiment as a short file of ordinary code, and one command runs it over many seeds:

```
statewise recipes                                   # lists them
statewise recipes show alphabet-stateful            # the question, a picture of the data, what to expect
statewise recipes run alphabet-stateful --repeats 30
statewise recipes run --all --report report.html    # everything, as a page with plots: 15 minutes on two cores
```

Each run is saved as a JSON file in `recipe-results/` as soon as it is done: if it was interrupted, the same command
continues, and with more repeats only the new ones are run. If you change a recipe's code, it is run again.

**How to read the figures.** Next to the *mean* is its 95 % confidence interval (Student's t). *Range* is the smallest
to the largest result. Another run would fall in this range with a probability of at least 82 % for ten runs, and 95 %
from 39 on. A published figure is a single run, so it is *inside* if it lies in that range. *Unseen* figures are
measured on cases that the network was not trained on. ([Why](decisions/0012-intervals-of-recipes.md))
"""

HEAD = "runs | published | mean | 95 % of the mean | median | range | published inside? | solved |"
RULE = "--:|--:|--:|--:|--:|--:|---|--:|"


def page(measured: dict[str, Any]) -> str:
    """Returns the page as Markdown; `measured` is what `statewise recipes run --json` printed."""
    found = {entry["recipe"]: entry for entry in measured["recipes"]}
    sections = [_section(recipe, found.get(recipe.name)) for recipe in every()]
    return "\n".join([INTRODUCTION, *_overview(found), "", *sections])


def _overview(found: dict[str, Any]) -> list[str]:
    lines = [f"| recipe and its first figure | {HEAD}", f"|---|{RULE}"]
    for recipe in every():
        if recipe.name in found:
            figure = recipe.figures[0]
            cells = _cells(figure, found[recipe.name]["figures"][figure.name])
            lines.append(f"| [{recipe.name}](#{recipe.name}): {_named(figure)} | {cells}")
    return lines


def _section(recipe: Recipe, entry: dict[str, Any] | None) -> str:
    """Returns the section on one recipe."""
    text = recipe.paragraphs
    told = {lead: f"**{lead}.** {text[lead]}" for lead in text}
    framing, model = _block(str(recipe.framing())), _block(recipe.summary())
    parts = [
        f"## {recipe.name}",
        f"{recipe.title} ([the code](../{_place(recipe)}))",
        told["Question"],
        told["Framing"],
    ]
    parts += [framing, model, told["Expect"], told["Beyond"], *map(_source, recipe.figures)]
    return "\n\n".join([*filter(None, parts), *([] if entry is None else [_table(recipe, entry)])]) + "\n"


def _block(text: str) -> str:
    return f"```\n{text}\n```"


def _place(recipe: Recipe) -> str:
    return recipe.path.relative_to(HERE.parent).as_posix()


def _source(figure: Figure) -> str:
    given = figure.published
    if given is None:
        return ""
    note = f" ({given.note})" if given.note else ""
    value = f"{published(given, decimals(figure, given.span))} {figure.unit}".strip()
    return f"Published: {figure.meaning}, {value}{note}; <{given.source}>."


def _table(recipe: Recipe, entry: dict[str, Any]) -> str:
    changed = "" if entry["version"] == recipe.version else ", by an earlier version of the code"
    runs = f"{plural(len(entry['seeds']), 'run')}, median {seconds(entry['median_seconds'])} s{changed}"
    lines = [f"| {runs} | {HEAD}", f"|---|{RULE}"]
    for figure in recipe.figures:
        unseen = " *(unseen)*" if figure.unseen else ""
        lines.append(f"| {_named(figure)}{unseen} | {_cells(figure, entry['figures'][figure.name])}")
    return "\n".join(lines)


def _named(figure: Figure) -> str:
    return f"{figure.meaning}, {figure.unit}" if figure.unit else figure.meaning


def _cells(figure: Figure, measured: dict[str, Any]) -> str:
    """Returns the row of a table below `HEAD`."""
    told = tell(summarize(figure, [*measured["values"], *[math.nan] * measured["lost"]]))
    runs = str(len(measured["values"]) + measured["lost"])
    cells = (runs, told.published, told.mean, told.interval, told.median, told.runs, told.verdict, told.solved)
    return f"{' | '.join(cells)} |"


def measured_in(folder: str) -> list[dict[str, Any]]:
    """Returns the results of all kept runs of each recipe, as `statewise recipes run --json` prints them."""
    kept = [(recipe, Results(folder).of(recipe)) for recipe in every()]
    return [plain(recipe, runs) for recipe, runs in kept if runs]


def main(folders: Sequence[str]) -> None:
    """Writes the page; if a folder of runs is named, writes their results first."""
    for folder in folders:
        lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in measured_in(folder))
        write_whole(MEASURED, f'{{"recipes": [\n{lines}\n]}}\n'.encode())
    write_whole(PAGE, page(json.loads(MEASURED.read_text(encoding="utf-8"))).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
