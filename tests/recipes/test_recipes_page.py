"""docs/recipes.md is made of the recipes: it can be out of date in nothing."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from statewise.recipes.registry import every

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_recipes", DOCS / "make_recipes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(maker: ModuleType) -> str:
    """What `make docs` would write now; it makes every recipe's network."""
    made: str = maker.page(json.loads((DOCS / "recipes.json").read_text(encoding="utf-8")))
    return made


def test_page_is_what_the_recipes_say_now(page: str) -> None:
    assert page == (DOCS / "recipes.md").read_text(encoding="utf-8"), "run `make docs`"


def test_every_recipe_was_measured(page: str) -> None:
    for recipe in every():
        assert f"| [{recipe.name}](#{recipe.name}): " in page


def test_what_an_earlier_version_measured_is_told_as_such(maker: ModuleType) -> None:
    recipe = every()[0]
    figures = {figure.name: {"values": [78.0, 82.0], "lost": 0} for figure in recipe.figures}
    entry = {"recipe": recipe.name, "version": "before", "seeds": [0, 1], "median_seconds": 0.5, "figures": figures}
    told = maker._section(recipe, entry)
    assert "2 runs, median 0.50 s, by an earlier version of the code" in told
    assert "| 2 | 84.00 | 80.00 | 54.59 to 100.00 | 80.00 | 78.00 to 82.00 | – | 0 of 2 |" in told  # noqa: RUF001 - the dash it shows


def test_a_figure_without_numbers_has_dashes(maker: ModuleType) -> None:
    cells = maker._cells(every()[0].figures[0], {"values": [], "lost": 1})
    assert cells == "1 | 84.00 | – | – | – | – | – | 0 of 1 |"  # noqa: RUF001 - the dash it shows
