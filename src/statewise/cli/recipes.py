"""recipes: list, explain and run the published experiments on LSTM networks, over many seeds, with intervals."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statewise.cli.output import put, say, say_json
from statewise.errors import ConfigurationError
from statewise.foundation.files import check_writable, write_whole
from statewise.foundation.shapes import check_whole
from statewise.foundation.words import plural

if TYPE_CHECKING:
    from statewise.recipes.recipe import Figure, Recipe
    from statewise.recipes.results import Results, Run

NAMES = "a recipe, a family such as alphabet, or a pattern such as 'story*'"

WIDTH = 100
"""Maximum width of paragraphs."""

QUIET_SECONDS = 10.0
"""Minimum time between two progress lines."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    json_help = "print one JSON object instead of text"
    parser.add_argument("--json", action="store_true", help=json_help)
    actions = parser.add_subparsers(
        title="actions (without one, the recipes are listed)", metavar="ACTION", dest="action"
    )
    show = actions.add_parser("show", help="explain a recipe's question, how its data is framed, and what to expect")
    show.add_argument("names", metavar="NAME", nargs="+", help=NAMES)
    show.add_argument("--code", action="store_true", help="print the recipe's file instead")
    show.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=json_help)
    running = actions.add_parser(
        "run",
        help="run recipes over several seeds and report intervals",
        epilog="Results are saved after each run: after Ctrl-C, or for more runs, repeat the same command.",
    )
    running.add_argument("names", metavar="NAME", nargs="*", help=NAMES)
    running.add_argument("--all", action="store_true", help="run all recipes; those longer than 20 s run once")
    running.add_argument("--repeats", type=int, default=10, metavar="N", help="number of seeds")
    running.add_argument("--seed", type=int, default=0, metavar="N", help="first seed")
    running.add_argument("--jobs", type=int, metavar="N", help="parallel processes (default: one per core)")
    running.add_argument(
        "--results", default="recipe-results", metavar="FOLDER", help="where results are saved, as JSON"
    )
    running.add_argument("--report", metavar="FILE", help="write an HTML page with pictures")
    running.add_argument("--short", action="store_true", help="shorten long runs, only to check that they work")
    running.add_argument("--answers", action="store_true", help="print the predictions of the first seed's network")
    running.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=json_help)


def run(options: argparse.Namespace) -> None:
    """Lists, shows or runs recipes as specified by `options`."""
    actions = {None: _list, "show": _show, "run": _run}
    actions[options.action](options)


# -- list and show -------------------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> None:
    from statewise.recipes.registry import every

    if options.json:
        say_json({"recipes": [_facts(recipe) for recipe in every()]})
        return
    rows = [(r.name, _published(r.figures[0]), _time(r.seconds), r.title.rstrip(".")) for r in every()]
    rows = [("recipe", "published", "a run", ""), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, published, seconds, title in rows:
        say(f"{name.ljust(widths[0])}  {published.rjust(widths[1])}  {seconds.rjust(widths[2])}  {title}".rstrip())
    say()
    say("statewise recipes show NAME     its question, how its data is framed, what to expect")
    say("statewise recipes run NAME      ten seeds, with intervals; --all runs every recipe")
    say("NAME may be a family, such as alphabet, or a pattern, such as 'story*'")


def _time(seconds: float) -> str:
    """Returns a rounded duration."""
    if seconds < 1:
        return "< 1 s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _published(figure: Figure) -> str:
    """Returns the published value of a figure, with its unit."""
    from statewise.recipes.quantities import decimals, published

    if figure.published is None:
        return ""
    return f"{published(figure.published, decimals(figure, figure.published.span))} {figure.unit}".rstrip()


def _show(options: argparse.Namespace) -> None:
    from statewise.recipes.registry import choose

    if options.json:
        say_json({"recipes": [_facts(recipe) | _details(recipe) for recipe in choose(options.names)]})
        return
    for number, recipe in enumerate(choose(options.names)):
        if number:
            say()
        put(recipe.code) if options.code else say(_page(recipe))


def _facts(recipe: Recipe) -> dict[str, Any]:
    """Returns a recipe's entry in the list, as JSON values."""
    figures = [
        {
            "name": figure.name,
            "meaning": figure.meaning,
            "unit": figure.unit,
            "published": None if figure.published is None else list(figure.published.span),
            "source": None if figure.published is None else figure.published.source,
        }
        for figure in recipe.figures
    ]
    return {"recipe": recipe.name, "title": recipe.title, "seconds": recipe.seconds, "figures": figures}


def _details(recipe: Recipe) -> dict[str, Any]:
    """Returns what `show` adds, as JSON values."""
    texts = {lead.lower(): text for lead, text in recipe.paragraphs.items()}
    return {**texts, "picture": str(recipe.framing()), "network": recipe.summary(), "code": recipe.code}


def _page(recipe: Recipe) -> str:
    """Returns a recipe as text."""
    text = recipe.paragraphs
    width = min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    filled = {lead: textwrap.fill(f"{lead}. {text[lead]}", width) for lead in text}
    parts = [f"{recipe.name}: {recipe.title}", filled["Question"], filled["Framing"]]
    parts += [textwrap.indent(str(recipe.framing()), "  "), textwrap.indent(recipe.summary(), "  ")]
    parts += [filled["Expect"], filled["Beyond"]]
    for figure in recipe.figures:
        if figure.published is not None:
            note = f" ({figure.published.note})" if figure.published.note else ""
            parts.append(f"Published: {figure.meaning}, {_published(figure)}{note}\n  {figure.published.source}")
    parts.append(f"A run takes {_time(recipe.seconds)}. The code: {recipe.path}, or add --code")
    return "\n\n".join(parts)


# -- run -----------------------------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> None:
    recipes, wanted = _wanted(options)
    if options.report:
        check_writable(options.report)
    from statewise.recipes.results import Results
    from statewise.recipes.runner import missing

    results = Results(options.results)
    left = missing(wanted, results, short=options.short)
    planned, lacking = sum(map(len, wanted.values())), sum(map(len, left.values()))
    if not options.json and lacking < planned:
        say(f"{plural(planned - lacking, 'run')} of {planned:,} already in {results.folder}")
    try:
        _fill(left, results, options)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"finished runs are saved in {results.folder}; repeat the same command to continue"
        ) from None
    found = [(recipe, _chosen(recipe, wanted, results, options.short)) for recipe in recipes]
    _tell(found, options)


def _wanted(options: argparse.Namespace) -> tuple[tuple[Recipe, ...], dict[str, range]]:
    """Returns the recipes to run, and the seeds for each."""
    from statewise.recipes.registry import choose, every
    from statewise.recipes.runner import LONG_SECONDS

    if options.all and options.names:
        raise ConfigurationError("recipes run: expected names or --all, got both; remove one of them")
    if not options.all and not options.names:
        raise ConfigurationError("recipes run: expected a NAME, or --all; `statewise recipes` lists the names")
    repeats, first = check_whole("repeats", options.repeats), check_whole("seed", options.seed, least=0)
    recipes = every() if options.all else choose(options.names)
    once = {recipe.name for recipe in recipes if options.all and recipe.seconds > LONG_SECONDS and not options.short}
    return recipes, {r.name: range(first, first + (1 if r.name in once else repeats)) for r in recipes}


def _fill(left: dict[str, list[int]], results: Results, options: argparse.Namespace) -> None:
    """Runs what is missing, with a progress bar."""
    if not left:
        return
    from tqdm import tqdm

    from statewise.recipes.runner import about
    from statewise.recipes.runner import run as make

    total = sum(map(len, left.values()))
    jobs = check_whole("jobs", _cores() if options.jobs is None else options.jobs)
    if not options.json and not options.short:
        say(f"{plural(total, 'run')} to do: {_time(about(left, jobs))}, plus compilation")
    with tqdm(total=total, unit="run", disable=None, leave=False) as bar:
        quiet = QuietProgress(total) if bar.disable and not options.json else None

        def told(recipe: Recipe, run: Run) -> None:
            bar.set_postfix_str(f"{recipe.name} took {run.seconds:.1f} s", refresh=False)
            bar.update()
            if quiet is not None:
                quiet.count(recipe.name)

        make(left, results, short=options.short, jobs=jobs, told=told)


class QuietProgress:
    """Replaces the progress bar by occasional lines when the output is not a terminal."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._printed = total, 0, time.monotonic()

    def count(self, name: str) -> None:
        """Counts one more finished run, of the recipe `name`."""
        self._done += 1
        if time.monotonic() - self._printed >= QUIET_SECONDS:
            self._printed = time.monotonic()
            sys.stderr.write(f"{self._done:,} of {self._total:,} runs, the last of {name}\n")
            sys.stderr.flush()


def _cores() -> int:
    """Returns the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chosen(recipe: Recipe, wanted: dict[str, range], results: Results, short: bool) -> list[Run]:
    return [run for run in results.of(recipe, short=short) if run.seed in wanted[recipe.name]]


def _tell(found: Sequence[tuple[Recipe, list[Run]]], options: argparse.Namespace) -> None:
    from statewise.recipes.table import answers, plain, table

    if options.json:
        say_json({"short": options.short, "recipes": [plain(recipe, runs) for recipe, runs in found]})
    else:
        for recipe, runs in found:
            say("\n".join([*table(recipe, runs), *(answers(runs[0]) if options.answers else [])]) + "\n")
        seconds = sum(run.seconds for _, runs in found for run in runs)
        count = sum(len(runs) for _, runs in found)
        say(f"{plural(count, 'run')}, {seconds:,.0f} s of compute time, saved in {options.results}")
        if any(run.short for _, runs in found for run in runs):
            say("Shortened runs only show that a recipe works; ignore their figures.")
    if options.report:
        from statewise.recipes.report import report

        write_whole(options.report, report(found).encode())
        if not options.json:
            say(f"report: {Path(options.report)}")
