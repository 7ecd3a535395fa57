"""Every recipe is complete: its text, its picture, its network, its figures."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from statewise.errors import ConfigurationError
from statewise.models.sequential import Sequential
from statewise.recipes.recipe import LEADS, Recipe, _bare
from statewise.recipes.registry import choose, every, get
from statewise.recipes.runner import LONG_SECONDS

QUICK = [recipe for recipe in every() if recipe.seconds <= LONG_SECONDS]
"""Those whose networks are made in no time."""

RECIPES = pytest.mark.parametrize("recipe", every(), ids=lambda recipe: recipe.name)


@RECIPES
def test_text_has_a_title_and_four_paragraphs(recipe: Recipe) -> None:
    assert tuple(recipe.paragraphs) == LEADS
    assert all(len(text) > 20 for text in recipe.paragraphs.values())
    assert re.fullmatch(r"[A-Z0-9].{10,100}[.?]", recipe.title)


@RECIPES
def test_figures_are_told_apart_and_sourced(recipe: Recipe) -> None:
    names = [figure.name for figure in recipe.figures]
    assert len(set(names)) == len(names) > 0
    assert all(figure.published.source.startswith("https://") for figure in recipe.figures if figure.published)


@cache
def built(name: str, seed: int) -> Sequential:
    return get(name).model(seed)


@pytest.mark.parametrize("recipe", QUICK, ids=lambda recipe: recipe.name)
def test_picture_is_of_data_that_the_network_reads(recipe: Recipe) -> None:
    framing, network = recipe.framing(), built(recipe.name, 3).network
    assert str(framing)
    features = () if network.symbols is not None else framing.x_shape[2:]
    assert network.input_shape[1:] == features


@pytest.mark.parametrize("recipe", QUICK, ids=lambda recipe: recipe.name)
def test_network_depends_on_the_seed(recipe: Recipe) -> None:
    one, other = (built(recipe.name, seed).get_weights() for seed in (3, 4))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@RECIPES
def test_file_is_short_enough_to_learn_from(recipe: Recipe) -> None:
    assert len(recipe.code.splitlines()) <= 200
    assert "RECIPE = Recipe(" in recipe.code


def test_names_are_told_apart_and_begin_with_their_family() -> None:
    names = [recipe.name for recipe in every()]
    assert len(set(names)) == len(names)
    assert all(name.split("-")[0] == recipe.path.parent.name for name, recipe in zip(names, every(), strict=True))


def test_a_family_stands_for_its_recipes_and_a_name_for_itself() -> None:
    alphabet = choose(["alphabet"])
    assert {recipe.name.split("-")[0] for recipe in alphabet} == {"alphabet"}
    assert len(alphabet) == 7
    assert choose(["alphabet-naive", "alphabet-naive"]) == (get("alphabet-naive"),)
    assert [recipe.name for recipe in choose(["story"])] == ["story"]
    assert len(choose(["story-deeper"])) == 7
    assert {recipe.name for recipe in choose(["story*"])} > {"story", "story-carried", "story-deeper-chinese"}
    assert choose(["alphabet-window", "alphabet-naive"]) == alphabet[:2]


@pytest.mark.parametrize("name", ["alphabet-naiv", "", "alpha", "alpha-*"])
def test_an_unknown_name_is_answered_with_those_that_exist(name: str) -> None:
    with pytest.raises(ConfigurationError, match="unknown recipe"):
        choose([name])


@pytest.mark.parametrize(
    ("file", "line", "changes"),
    [
        ("published.py", "EXTRA = 1", True),
        ("fable.py", "EXTRA = 1", True),
        ("belling_the_cat.txt", "the end", True),
        ("fable_vectors.bin", "0", True),
        ("published.py", "# a remark", False),
        ("layers.py", "EXTRA = 1", False),
    ],
)
def test_version_is_of_the_code_and_what_its_family_shares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, line: str, changes: bool
) -> None:
    story = get("story")
    folder = Path(shutil.copytree(story.path.parent, tmp_path / "story"))
    with (folder / file).open("a", encoding="utf-8") as end:
        end.write(f"{line}\n")
    monkeypatch.setattr(Recipe, "path", folder / "published.py")
    assert (replace(story).version != story_version(story)) is changes


def story_version(story: Recipe) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recipe, "path", Path(str(story.module.__file__)))
        return replace(story).version


def test_version_does_not_change_with_texts_and_comments() -> None:
    code = '"""A text."""\n\n\ndef f(x):\n    """Returns x."""\n    return x + 1  # one more\n'
    assert _bare(code) == _bare("def f(x): return x+1")
    assert _bare(code) != _bare("def f(x): return x+2")
    assert _bare('def f():\n    """Does nothing."""') == _bare("def f(): pass")
    assert (
        _bare("x = 1\nRECIPE = Recipe(seconds=1.0)") == _bare("x = 1\nRECIPE = Recipe(seconds=2.0)") != _bare("x = 2")
    )
