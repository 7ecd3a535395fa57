"""Kept runs: what is written is read again, and runs of other code are not counted."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from statewise.errors import FileError
from statewise.recipes.recipe import Recipe, Trial
from statewise.recipes.registry import get
from statewise.recipes.results import POINTS, Results, Run, thinned

TRIAL = Trial({"accuracy": 84.0, "left_out": 0.0}, {"K": "L 愚公"}, {"loss": [3.0, 2.5, 2.0]})


@pytest.fixture
def recipe() -> Recipe:
    return get("alphabet-naive")


def made(recipe: Recipe, seed: int, *, short: bool = False) -> Run:
    return Run.of(recipe, seed, short, TRIAL, 1.23456, ["steps of one"])


def test_runs_come_back_as_they_were_kept_and_by_seed(recipe: Recipe, tmp_path: Path) -> None:
    results = Results(tmp_path / "new")
    for seed in (5, 1, 3):
        results.add(recipe, made(recipe, seed))
    assert results.of(recipe) == [made(recipe, seed) for seed in (1, 3, 5)]
    assert results.of(recipe, short=True) == []


def test_a_run_of_the_same_seed_takes_the_place_of_the_one_before(recipe: Recipe, tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.add(recipe, made(recipe, 1))
    results.add(recipe, replace(made(recipe, 1), seconds=9.0))
    assert [run.seconds for run in results.of(recipe)] == [9.0]


def test_runs_of_other_code_stay_in_the_file_uncounted(recipe: Recipe, tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.add(recipe, replace(made(recipe, 1), version="before"))
    results.add(recipe, made(recipe, 2))
    assert [run.seed for run in results.of(recipe)] == [2]
    assert [run["seed"] for run in json.loads(results.path(recipe).read_text())["runs"]] == [1, 2]


def test_a_figure_that_is_not_a_number_is_kept_as_null(recipe: Recipe, tmp_path: Path) -> None:
    results = Results(tmp_path)
    curves = {"loss": [(1, 3.0), (2, math.inf)]}
    results.add(recipe, replace(made(recipe, 1), figures={"accuracy": math.nan, "left_out": 0.0}, curves=curves))
    assert not {"NaN", "Infinity"} & set(results.path(recipe).read_text().replace(",", " ").split())
    assert math.isnan(results.of(recipe)[0].curves["loss"][1][1])
    assert math.isnan(results.of(recipe)[0].figures["accuracy"])


@pytest.mark.parametrize(
    "content", ["", "{}", '{"runs": [{"seed": 1}]}', '{"runs": [{"figures": [], "curves": {}}]}', "[1, 2]"]
)
def test_a_file_of_something_else_is_refused_and_left_alone(recipe: Recipe, tmp_path: Path, content: str) -> None:
    results = Results(tmp_path)
    results.path(recipe).write_text(content)
    with pytest.raises(FileError, match=r"alphabet-naive\.json does not hold runs of alphabet-naive"):
        results.add(recipe, made(recipe, 1))
    assert results.path(recipe).read_text() == content


def test_a_trial_measures_what_its_recipe_names(recipe: Recipe) -> None:
    with pytest.raises(ValueError, match="its trial measured"):
        Run.of(recipe, 0, False, Trial({"accuracy": 1.0}), 1.0, [])


@pytest.mark.parametrize("count", [0, 1, 2, POINTS, POINTS + 1, 12_345])
def test_thinned_curves_keep_their_ends(count: int) -> None:
    values = [float(i) ** 2 for i in range(count)]
    points = thinned(values)
    assert len(points) == min(count, POINTS)
    assert all(values[place - 1] == value for place, value in points)
    assert [place for place, _ in points] == sorted({place for place, _ in points})
    if count:
        assert (points[0][0], points[-1][0]) == (1, count)
