"""Kept runs: what is written is read again, and runs of other code are not counted."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from statewise.errors import FileError
from statewise.foundation.curves import POINTS, thinned
from statewise.recipes.recipe import Recipe, Trial
from statewise.recipes.registry import get
from statewise.recipes.results import Results, Run

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
    assert results.of(replace(recipe, short={"epochs": 1}), short=True) == []


def test_a_run_of_the_same_seed_takes_the_place_of_the_one_before(recipe: Recipe, tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.add(recipe, made(recipe, 1))
    results.add(recipe, replace(made(recipe, 1), seconds=9.0))
    assert [run.seconds for run in results.of(recipe)] == [9.0]


def test_runs_of_other_code_stay_where_they_are_uncounted(recipe: Recipe, tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.add(recipe, replace(made(recipe, 1), version="before"))
    results.add(recipe, made(recipe, 2))
    assert [run.seed for run in results.of(recipe)] == [2]
    assert len(list((tmp_path / recipe.name).iterdir())) == 2


def test_many_commands_may_keep_runs_in_one_folder(recipe: Recipe, tmp_path: Path) -> None:
    others = [Results(tmp_path) for _ in range(3)]
    for seed in range(9):
        others[seed % 3].add(recipe, made(recipe, seed))
    assert all([run.seed for run in results.of(recipe)] == list(range(9)) for results in others)


def test_what_cannot_be_shortened_has_no_shortened_runs(tmp_path: Path) -> None:
    results, recipe = Results(tmp_path), get("alphabet-naive")
    long = replace(recipe, short={})
    results.add(long, made(long, 1))
    assert [run.seed for run in results.of(long, short=True)] == [1]
    assert results.of(replace(recipe, short={"epochs": 1}), short=True) == []


def test_a_figure_that_is_not_a_number_is_kept_as_null(recipe: Recipe, tmp_path: Path) -> None:
    results = Results(tmp_path)
    curves = {"loss": [(1, 3.0), (2, math.inf)]}
    run = replace(made(recipe, 1), figures={"accuracy": math.nan, "left_out": 0.0}, curves=curves)
    results.add(recipe, run)
    kept = json.loads(results.path(recipe, run).read_text(encoding="utf-8"))
    assert (kept["figures"]["accuracy"], kept["curves"]["loss"][1]) == (None, [2, None])
    assert math.isnan(results.of(recipe)[0].figures["accuracy"])
    assert math.isnan(results.of(recipe)[0].curves["loss"][1][1])


def complete(**changed: object) -> str:
    run = made(get("alphabet-naive"), 1)
    return json.dumps({"recipe": "alphabet-naive", **asdict(run), **changed})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[1, 2]",
        complete(figures=[]),
        complete(figures={}),
        complete(figures={"accuracy": 1.0}),
        complete(recipe="echo-now"),
        complete(curves={"loss": [1]}),
        complete(more=1),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_alone(recipe: Recipe, tmp_path: Path, content: str) -> None:
    results = Results(tmp_path)
    path = results.path(recipe, made(recipe, 1))
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(FileError, match=r"\.json does not hold a run of alphabet-naive: .*move it away"):
        results.of(recipe)
    assert path.read_text() == content


def test_a_folder_that_is_a_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("mine")
    with pytest.raises(FileError, match=r"cannot keep runs in .*runs: it is a file; name a folder"):
        Results(tmp_path / "runs").prepare()


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
