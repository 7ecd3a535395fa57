"""`--json`: every command has it, prints one object and nothing else on stdout, and has the keys that the docs name."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mistakes import STORY, TINY, sw
from statewise.cli.main import main, parser
from statewise.recipes.recipe import Trial
from statewise.recipes.registry import get
from statewise.recipes.results import Results, Run

DOCS = Path(__file__).parents[2] / "docs" / "command-line.md"

LINES = {
    "train": "train story.txt --units 3 --embedding 2 --epochs 1 --no-plot --out new --force",
    "generate": "generate m.statewise --prompt mice --length 3",
    "evaluate": "evaluate m.statewise story.txt",
    "info": "info",
    "info MODEL": "info m.statewise",
    "info --clear-cache": "info --clear-cache",
    "verify": "verify m.statewise story.txt",
    "memory": "memory m.statewise story.txt --steps 8",
    "run": "run {json} old.py",
    "recipes": "recipes",
    "recipes show": "recipes show alphabet-naive",
    "recipes run": "recipes run alphabet-naive --repeats 1",
}
"""A line for each command in the table of the docs; `--json` goes to the end, or where {json} stands."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("json")
    model = sw.TextModel(**TINY)
    model.fit(STORY, epochs=1, verbose=0)
    model.save(folder / "m.statewise")
    (folder / "story.txt").write_text(STORY)
    (folder / "old.py").write_text(
        "print('hello')\nfrom statewise.legacy.spellings import note\nnote('lr=', 'Adam(rate)')\nraise SystemExit(3)\n"
    )
    recipe = get("alphabet-naive")
    trial = Trial({figure.name: 1.0 for figure in recipe.figures}, {}, {"loss": [1.0]})
    Results(folder / "recipe-results").add(recipe, Run.of(recipe, 0, False, trial, 2.0, []))
    return folder


def documented() -> dict[str, set[str]]:
    """Returns the keys of each command by the table of the docs."""
    rows = re.findall(r"^\| `([^`]+)` \| (`.*) \|$", DOCS.read_text(), re.MULTILINE)
    return {command: set(re.findall(r"`(\w+)`", keys)) for command, keys in rows}


def commands(given: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Returns the parsers of all commands, and of theirs, by name."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in given._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                found |= {name: inner} | {f"{name} {more}": deeper for more, deeper in commands(inner).items()}
    return found


def test_every_command_has_it_and_its_keys_are_documented() -> None:
    found = commands(parser())
    for name, command in found.items():
        assert ("--json" in command._option_string_actions) == (name != "help"), name
    assert found.keys() - {"help", "stream"} <= documented().keys() == LINES.keys()


@pytest.mark.parametrize("command", LINES)
def test_it_prints_one_object_with_the_documented_keys(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("STATEWISE_CACHE", str(folder / "cache"))
    line = LINES[command].format(json="--json")
    status = main(shlex.split(line if "--json" in line else f"{line} --json"))
    found: dict[str, Any] = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert status == (3 if command == "run" else 0)
    assert found.keys() == documented()[command]


def test_what_a_script_prints_goes_to_stderr(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    main(["run", "--json", "old.py"])
    printed = capsys.readouterr()
    assert printed.err == "hello\n"
    assert json.loads(printed.out) == {
        "script": "old.py",
        "status": 3,
        "spellings": [{"line": 3, "old": "lr=", "modern": "Adam(rate)"}],
    }


def test_recipes_take_it_before_and_after_the_action(capsys: pytest.CaptureFixture[str]) -> None:
    for line in (["--json", "show", "alphabet-naive"], ["show", "--json", "alphabet-naive"]):
        main(["recipes", *line])
        (told,) = json.loads(capsys.readouterr().out)["recipes"]
        assert told["code"] == get("alphabet-naive").code
        assert told["question"] == get("alphabet-naive").paragraphs["Question"]
