"""`statewise recipes`: the list, a recipe told, runs that go on, tables, JSON, mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from statewise.cli.main import main
from statewise.recipes.recipe import LEADS, Recipe, Trial
from statewise.recipes.registry import every, get
from statewise.recipes.results import Results, Run
from statewise.recipes.runner import LONG_SECONDS

Printed = pytest.CaptureFixture[str]


def keep(folder: Path, name: str, values: list[float], *, short: bool = False) -> Recipe:
    recipe = get(name)
    for seed, value in enumerate(values):
        trial = Trial({figure.name: value for figure in recipe.figures}, {}, {"loss": [1.0, value]})
        Results(folder).add(recipe, Run.of(recipe, seed, short, trial, 2.0, []))
    return recipe


def test_list_has_every_recipe_with_what_was_published(capsys: Printed) -> None:
    assert main(["recipes"]) == 0
    printed = capsys.readouterr().out
    assert all(recipe.name in printed and recipe.title[:-1] in printed for recipe in every())
    assert "alphabet-naive" in printed
    assert "84.00 %" in printed


def test_listing_does_not_import_jax() -> None:
    code = "import sys; from statewise.cli.main import main; main(['recipes']); assert 'jax' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_show_tells_question_picture_network_and_source(capsys: Printed) -> None:
    assert main(["recipes", "show", "alphabet-naive"]) == 0
    printed = capsys.readouterr().out
    for expected in (
        *(f"{lead}. " for lead in LEADS),
        "| A |   ->   B",
        "lstm   LSTM",
        "84.00 %",
        "https://",
        "naive.py",
    ):
        assert expected in printed
    assert max(map(len, printed.splitlines())) <= 120


def test_show_code_prints_the_file(capsys: Printed) -> None:
    assert main(["recipes", "show", "alphabet-naive", "--code"]) == 0
    assert capsys.readouterr().out.strip() == get("alphabet-naive").code.strip()


def test_runs_that_are_kept_are_not_made_again(tmp_path: Path, capsys: Printed) -> None:
    keep(tmp_path, "alphabet-naive", [80.0, 84.0, 84.0, 88.0])
    command = ["recipes", "run", "alphabet-naive", "--repeats", "4", "--results", str(tmp_path)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "4 runs of 4 already in" in printed
    row = next(line for line in printed.splitlines() if "25 learned pairs" in line).split()
    assert row[-2:] == ["84.00", "yes"]
    assert " ".join(row[-12:-2]) == "78.80 to 89.20 84.00 80.00 to 88.00 0 of 4"
    assert "4 runs, 8 s of compute time" in printed


def test_json_holds_what_the_table_shows(tmp_path: Path, capsys: Printed) -> None:
    recipe = keep(tmp_path, "alphabet-naive", [80.0, 84.0, 88.0])
    assert main(["recipes", "run", "alphabet-naive", "--repeats", "2", "--results", str(tmp_path), "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["recipes"]
    assert (entry["recipe"], entry["version"], entry["seeds"]) == ("alphabet-naive", recipe.version, [0, 1])
    figure = entry["figures"]["accuracy"]
    assert (figure["mean"], figure["range"], figure["published"], figure["inside"]) == (
        82.0,
        [80.0, 84.0],
        [84, 84],
        True,
    )


def test_report_is_written(tmp_path: Path, capsys: Printed) -> None:
    keep(tmp_path, "alphabet-naive", [80.0, 84.0])
    page = tmp_path / "report.html"
    command = ["recipes", "run", "alphabet-naive", "--repeats", "2", "--results", str(tmp_path)]
    assert main([*command, "--report", str(page)]) == 0
    assert "alphabet-naive" in page.read_text()
    assert f"report: {page}" in capsys.readouterr().out


def test_all_runs_long_recipes_once(tmp_path: Path, capsys: Printed) -> None:
    for recipe in every():
        keep(tmp_path, recipe.name, [1.0, 2.0, 3.0])
    assert main(["recipes", "run", "--all", "--repeats", "3", "--results", str(tmp_path), "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["recipes"]
    counts = {entry["recipe"]: len(entry["seeds"]) for entry in entries}
    assert counts == {recipe.name: 1 if recipe.seconds > LONG_SECONDS else 3 for recipe in every()}


def test_answers_are_printed_when_asked_for(tmp_path: Path, capsys: Printed) -> None:
    recipe = get("alphabet-naive")
    trial = Trial({figure.name: 1.0 for figure in recipe.figures}, {"after A": "B"})
    Results(tmp_path).add(recipe, Run.of(recipe, 0, False, trial, 2.0, []))
    command = ["recipes", "run", "alphabet-naive", "--repeats", "1", "--results", str(tmp_path)]
    assert main(command) == 0
    assert "after A" not in capsys.readouterr().out
    assert main([*command, "--answers"]) == 0
    assert "answers of seed 0\n  after A:\n      B\n" in capsys.readouterr().out


def test_output_in_another_encoding_is_no_mistake() -> None:
    command = [sys.executable, "-m", "statewise", "recipes", "show", "story-deeper-chinese"]
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    shown = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"Yu Gong" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run"], "expected a NAME, or --all"),
        (["run", "alphabet-naive", "--all"], "got both"),
        (["run", "alphabet-nave"], "did you mean 'alphabet-naive'"),
        (["show", "ecco"], "unknown recipe 'ecco'"),
        (["run", "alphabet-naive", "--repeats", "0"], "repeats"),
        (["run", "alphabet-naive", "--seed", "-1"], "seed"),
        (["run", "alphabet-naive", "--jobs", "0"], "jobs"),
        (["run", "alphabet-naive", "--report", "no/such/folder/page.html"], "no/such/folder does not exist"),
        (["run", "alphabet-naive", "--results", "/dev/null/results"], "cannot keep runs in /dev/null/results"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], expected: str, tmp_path: Path, capsys: Printed) -> None:
    with_folder = ["--results", str(tmp_path)] if arguments[0] == "run" and "--results" not in arguments else []
    assert main(["recipes", *arguments, *with_folder]) == 2
    errors = capsys.readouterr().err
    assert expected in errors
    assert len(errors.strip().splitlines()) == 1
