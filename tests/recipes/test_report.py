"""The report page: whole, by itself, and true to the runs."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import ModuleType

import numpy as np
import pytest

from statewise import __version__
from statewise.network import summarize
from statewise.recipes.alphabet.naive import RECIPE
from statewise.recipes.quantities import NONE
from statewise.recipes.recipe import Figure, Published, Recipe, Trial
from statewise.recipes.report import report
from statewise.recipes.report.sheet import SHEET
from statewise.recipes.results import Run

MADE = datetime(2031, 5, 4, 9, 30, tzinfo=UTC)
EVIL = "<script>alert('&')</script>"
TEXT = f"""A title {EVIL}.

Question. What is {EVIL}? See `memory_report`.

Framing. None.

Expect. {EVIL}

Beyond. Nothing.
"""
ACCURACY = Figure(
    "accuracy", f"right {EVIL}", published=Published(86.96, "https://example.org/?a=1&b=2", note=EVIL), solved=100.0
)
UNSEEN = Figure("left_out", "right answers on others", unseen=True)


@pytest.fixture
def recipe() -> Iterator[Recipe]:
    """Yields a recipe whose every text is hostile; its file is that of another."""
    module = ModuleType("hostile_recipe")
    module.__doc__, module.__file__ = TEXT, sys.modules[RECIPE.trial.__module__].__file__

    def trial(_: int) -> Trial:
        raise NotImplementedError

    trial.__module__ = module.__name__
    sys.modules[module.__name__] = module
    yield replace(RECIPE, name="hostile", figures=(ACCURACY, UNSEEN), trial=trial)
    del sys.modules[module.__name__]


def made(values: list[float], **given: object) -> list[Run]:
    run = Run(0, "0123456789ab", False, 2.0, {})
    return [
        replace(run, seed=seed, figures={"accuracy": value, "left_out": 0.0}, **given)  # type: ignore[arg-type]
        for seed, value in enumerate(values)
    ]


class Page(HTMLParser):
    """Reads a page and complains of tags that are not closed in order."""

    VOID = ("meta", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.tables: list[list[list[tuple[str, int, int]]]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append(("", int(found.get("rowspan") or 1), int(found.get("colspan") or 1)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))
        if {"th", "td"} & set(self.open):
            words, rows, columns = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = (f"{words} {data}".replace("\N{NO-BREAK SPACE}", " ").strip(), rows, columns)

    def attributes(self, name: str) -> list[str]:
        return [value for _, found in self.tags for key, value in found.items() if key == name and value]

    @property
    def words(self) -> str:
        told = " ".join(data for tag, data in self.texts if tag != "style")
        return " ".join(told.replace("\N{NO-BREAK SPACE}", " ").split())

    def row(self, table: int, row: int) -> list[str]:
        return [" ".join(words.split()) for words, _, _ in self.tables[table][row]]


def page(*runs: tuple[Recipe, list[Run]]) -> Page:
    return Page(report(runs, made=MADE))


def test_the_page_is_whole_and_by_itself(recipe: Recipe) -> None:
    runs = made(
        [84.0, 88.0, 86.0], answers={f"what {EVIL}": EVIL}, warnings=[EVIL], curves={EVIL: [(1, 2.0), (5, 1.0)]}
    )
    text = report([(recipe, runs), (RECIPE, made([80.0, 84.0]))], made=MADE)
    read = Page(text)
    assert "script" not in {tag for tag, _ in read.tags}
    assert not {"link", "img", "iframe", "object", "style"} & {tag for tag, _ in read.tags} - {"style"}
    assert not read.attributes("src")
    assert not re.search(r"url\(|@import|on\w+=", SHEET)
    assert not [key for _, found in read.tags for key in found if key.startswith("on")]
    identities = read.attributes("id")
    assert len(set(identities)) == len(identities)
    assert {target[1:] for target in read.attributes("href") if target.startswith("#")} <= set(identities)


def test_each_row_of_a_table_has_as_many_columns_as_its_head(recipe: Recipe) -> None:
    both = replace(ACCURACY, name="other")
    runs = [replace(run, figures={**run.figures, "other": 1.0}) for run in made([84.0, 88.0], answers={"K": "L"})]
    read = page((replace(recipe, figures=(ACCURACY, both, UNSEEN)), runs), (recipe, made([math.nan])))
    for table in read.tables:
        width, hanging = sum(columns for _, _, columns in table[0]), [0] * 20
        for row in table:
            across = sum(columns for _, _, columns in row) + sum(left > 0 for left in hanging)
            assert across == width
            hanging = [max(left - 1, 0) for left in hanging] + [rows - 1 for _, rows, _ in row]


def test_text_from_a_recipe_is_shown_as_it_is(recipe: Recipe) -> None:
    runs = made([84.0], answers={"K": f"L{EVIL}\n愚公"}, warnings=[f"look at {EVIL}"])
    words = page((recipe, runs)).words
    for told in (f"A title {EVIL}", f"What is {EVIL}?", f"right {EVIL}", f"L{EVIL} 愚公", f"look at {EVIL}"):
        assert told in words
    assert "RECIPE = Recipe(" in words


def test_the_summary_has_the_figures_that_were_published(recipe: Recipe) -> None:
    values = [80.0, 84.0, 84.0, 88.0, 100.0]
    read = page((recipe, made(values)))
    half = 2.776 * np.std(values, ddof=1) / math.sqrt(5)  # Student's t for 4 degrees of freedom
    mean = np.mean(values)
    assert read.row(0, 1) == [
        "hostile 5 runs",
        "accuracy",
        "87.20 %",
        f"{mean - half:.2f} to {mean + half:.2f}",
        "84.00",
        "80.00 to 100.00",
        "20 % 1 of 5",
        "86.96 %",
        "yes",
        "2.0",
    ]
    assert len(read.tables[0]) == 2


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([70.0, *[80.0] * 8], "no, higher"),
        ([90.0, *[95.0] * 8], "no, lower"),
        ([70.0, 80.0], NONE),
        ([80.0, 90.0], "yes"),
        ([86.96], NONE),
    ],
)
def test_verdicts(recipe: Recipe, values: list[float], verdict: str) -> None:
    read = page((recipe, made(values)))
    assert read.row(0, 1)[-2] == verdict
    told = {"yes": "runs: 1 of 1.", NONE: "No published figure is compared"}.get(verdict, "runs: 0 of 1.")
    assert told in read.words


def test_a_recipe_without_published_figures_shows_its_first(recipe: Recipe) -> None:
    read = page((replace(recipe, figures=(UNSEEN,)), made([1.0, 2.0])))
    assert read.row(0, 1)[1] == "left out"
    assert read.row(0, 1)[-3:-1] == [NONE, NONE]


def test_shortened_runs_are_told_and_not_judged(recipe: Recipe) -> None:
    read = page((recipe, made([70.0, 80.0], short=True)), (RECIPE, made([84.0, 88.0])))
    assert "Shortened runs. They only show that everything works" in read.words
    assert read.row(0, 1)[-2] == NONE
    assert read.row(0, 2)[-2] == "yes"
    assert "2 runs, shortened" in read.row(0, 1)[0]
    assert "Shortened" not in page((recipe, made([70.0, 80.0]))).words


def test_runs_without_a_number_are_told_and_not_judged(recipe: Recipe) -> None:
    read = page((recipe, made([80.0, math.nan, 90.0, 100.0])))
    assert read.row(0, 1)[2] == "90.00 %"
    assert read.row(0, 1)[6] == "25 % 1 of 4"
    assert read.row(0, 1)[-2] == NONE
    assert "accuracy: 1 run gave no number" in read.words
    assert "nan" not in page((recipe, made([math.nan, math.inf]))).words


def test_recipes_without_runs_are_left_out(recipe: Recipe) -> None:
    read = page((recipe, []), (RECIPE, made([84.0])))
    assert "hostile" not in read.words
    assert "1 recipe, 1 run." in read.words
    assert "There are no runs yet" in page((recipe, [])).words


def test_equal_answers_are_told_once_and_of_three_runs(recipe: Recipe) -> None:
    runs = [
        replace(run, answers={"from K": said})
        for run, said in zip(made([1.0] * 4), ["LMN", "BCD", "LMN", "XYZ"], strict=True)
    ]
    read = page((recipe, runs))
    assert [row[1:] for row in ([cell[0] for cell in row] for row in read.tables[-1])] == [[], ["LMN"], ["BCD"]]
    assert [cell[0][0] for cell in read.tables[-1]] == ["from K", "seeds 0, 2", "seed 1"]


def test_distinct_warnings_are_counted(recipe: Recipe) -> None:
    first, second, third = made([1.0] * 3)
    told = page((recipe, [replace(first, warnings=["short", "odd"]), replace(second, warnings=["odd"]), third])).words
    assert "short (1 of 3 runs)" in told
    assert "odd (2 of 3 runs)" in told


def test_the_model_is_shown_as_its_summary_tells_it(recipe: Recipe) -> None:
    model = recipe.model(0)
    told = summarize(model.network, model.params)
    rows = page((recipe, made([84.0]))).tables[1][1:]
    assert len(rows) == len(model.network.layers)
    for row in rows:
        assert re.search(r"\s+".join(re.escape(words) for words, _, _ in row), told)


def test_unseen_figures_are_marked(recipe: Recipe) -> None:
    read = page((recipe, made([84.0])))
    named = [row[0][0] for table in read.tables for row in table if row[0][0].startswith("right")]
    assert [("unseen cases" in name) for name in named] == [False, True]


def test_when_and_with_what_it_was_made(recipe: Recipe) -> None:
    read = page((recipe, made([84.0, 85.0], statewise="0.0.1")))
    assert f"Made on 2031-05-04 09:30 with statewise {__version__}; some runs were made with 0.0.1." in read.words
    assert read.attributes("datetime") == ["2031-05-04T09:30+00:00"]


def test_thirty_noisy_runs_of_25_recipes_stay_below_3_mb(recipe: Recipe) -> None:
    rng = np.random.default_rng(0)
    runs = [
        replace(run, curves={name: list(enumerate(rng.random(200).tolist(), 1)) for name in ("loss", "accuracy")})
        for run in made(rng.uniform(0, 100, 30).tolist())
    ]
    assert len(report([(recipe, runs)], made=MADE).encode()) < 3_000_000 / 25


def brightness(colour: str) -> float:
    """Returns the relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("ink", ["ink", "quiet", "link", "mark", "good", "bad"])
def test_words_stand_out_in_light_and_dark(scheme: int, ground: str, ink: str) -> None:
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6});", part)) for part in SHEET.split("@media", 2)[:2])
    colours = (light, dark)[scheme]
    bright, dim = sorted((brightness(colours[ground]), brightness(colours[ink])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= 4.5
