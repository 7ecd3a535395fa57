"""Runs in processes of their own: kept one by one, resumed, interrupted, and the same as in this process."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from statewise.errors import DivergenceError, StatewiseError, StatewiseWarning
from statewise.recipes import runner
from statewise.recipes.recipe import Recipe, Trial
from statewise.recipes.registry import get
from statewise.recipes.results import Results, Run
from statewise.recipes.runner import measure, missing, run

NAIVE, OTHER = "alphabet-naive", "lifecycle-regression"


def test_missing_are_the_seeds_of_which_no_run_is_kept(tmp_path: Path) -> None:
    results, recipe = Results(tmp_path), get("alphabet-prefix")
    trial = Trial({figure.name: 1.0 for figure in recipe.figures})
    results.add(recipe, Run.of(recipe, 1, False, trial, 1.0, []))
    results.add(recipe, Run.of(recipe, 2, True, trial, 1.0, []))
    assert missing({recipe.name: range(3)}, results, short=False) == {recipe.name: [0, 2]}
    assert missing({recipe.name: range(3)}, results, short=True) == {recipe.name: [0, 1]}
    assert missing({recipe.name: range(1, 2)}, results, short=False) == {}


def test_processes_give_what_this_one_gives_and_each_run_is_told_once_kept(tmp_path: Path) -> None:
    results, told = Results(tmp_path), []

    def note(recipe: Recipe, made: Run) -> None:
        told.append((recipe.name, made.seed, len(results.of(recipe, short=True))))

    run({NAIVE: [4, 6], OTHER: [4]}, results, short=True, jobs=2, told=note)
    assert sorted(told) == sorted([(NAIVE, 4, 1), (NAIVE, 6, 2), (OTHER, 4, 1)])
    for name, seed in ((NAIVE, 4), (OTHER, 4)):
        kept, here = results.of(get(name), short=True)[0], measure(get(name), seed, short=True)
        losses = [[loss for _, loss in made.curves["loss by epoch"]] for made in (kept, here)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)
        assert any("one time step" in warning for warning in kept.warnings)


def test_warnings_of_others_are_not_kept_as_ours() -> None:
    recipe = get(NAIVE)

    def trial(seed: int, **_: object) -> Trial:
        warnings.warn("ours", StatewiseWarning, stacklevel=1)
        warnings.warn("ours", StatewiseWarning, stacklevel=1)
        warnings.warn("NumPy's", DeprecationWarning, stacklevel=1)
        return Trial({figure.name: float(seed) for figure in recipe.figures})

    trial.__module__ = recipe.trial.__module__
    assert measure(replace(recipe, trial=trial), 3, short=False).warnings == ["ours"]


def test_a_process_that_ends_too_early_is_told_with_the_way_out(tmp_path: Path) -> None:
    def kill(*_: object) -> None:
        for process in multiprocessing.active_children():
            process.kill()

    results = Results(tmp_path)
    with pytest.raises(StatewiseError, match=r"alphabet-naive with seed 1 ended.*--jobs 1"):
        run({NAIVE: [0, 1]}, results, short=True, told=kill)
    assert [made.seed for made in results.of(get(NAIVE), short=True)] == [0]
    assert not multiprocessing.active_children()


def test_a_mistake_inside_a_recipe_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "measure", lambda *_: 1 / 0)
    error = runner._made(NAIVE, 3, True)
    assert isinstance(error, RuntimeError)
    assert "alphabet-naive with seed 3" in str(error)
    assert "ZeroDivisionError" in str(error)


def test_a_run_that_diverges_is_kept_without_numbers() -> None:
    def trial(*_: object) -> Trial:
        raise DivergenceError("the loss became NaN")

    trial.__module__ = get(NAIVE).trial.__module__
    made = measure(replace(get(NAIVE), trial=trial), 3, short=False)
    assert all(math.isnan(value) for value in made.figures.values())
    assert made.warnings == ["the loss became NaN"]


@pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent otherwise")
def test_ctrl_c_keeps_the_runs_so_far_and_ends_all_processes(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "statewise",
        "recipes",
        "run",
        NAIVE,
        "--repeats",
        "500",
        "--results",
        str(tmp_path),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / NAIVE).exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; finished runs are saved in" in errors
    assert "Traceback" not in errors
    kept = Results(tmp_path).of(get(NAIVE))
    assert 0 < len(kept) < 500
    assert all(len(made.curves["loss by epoch"]) == 200 for made in kept)  # none was cut short
