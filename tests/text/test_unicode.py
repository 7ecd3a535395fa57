"""TextModel and texts beyond ASCII."""

# ruff: noqa: RUF001 - other scripts are what is tested

from __future__ import annotations

import json
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import statewise as sw
from mistakes import STORY, TINY, fit
from statewise.cli.main import main
from statewise.errors import StatewiseWarning
from statewise.storage.artifact import read_artifact, write_artifact

CHINESE = "北山愚公者，年且九十，面山而居。惩山北之塞，出入之迂也，聚室而谋曰。" * 2
COLORED = "\x1b[31mred\x1b[0m or \x9b1mbold\tand plain\n" * 8


def taught(text: str, tokens: str = "char") -> sw.TextModel:
    """Returns a model that has read a text once."""
    model = sw.TextModel(**TINY, tokens=tokens, seed=3)
    fit(model, text, epochs=1)
    return model


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_texts_and_prompts_may_have_either_normal_form_and_any_line_ends(tokens: str) -> None:
    text = "l'été à Zürich,\nle café de la gare.\n" * 4
    other = "\ufeff" + decomposed(text).replace("\n", "\r\n")
    assert other != text
    one, two = taught(text, tokens), taught(other, tokens)
    assert one.vocabulary == two.vocabulary
    assert one.evaluate(other) == one.evaluate(text) == two.evaluate(text)
    assert one.has_learned(other)
    assert two.generate("l'été à", 20) == two.generate(decomposed("l'été à"), 20)
    assert two.plan(text, new_symbols="refuse") == one.plan(other, new_symbols="refuse")


def test_what_is_generated_by_word_continues_as_a_prompt() -> None:
    model = taught("In the U.S. it costs 3.14 (e.g. 1,000 . 5 ) a.b . c don't ' t " * 3, tokens="word")
    for seed in range(4):
        told = model.generate("the U.S.", 30, temperature=3, seed=seed)
        ids = model.vocabulary.encode(told)
        assert len(ids) == 30
        assert model.vocabulary.decode(model.vocabulary.encode("the U.S.").tolist() + ids.tolist()).endswith(told)


def test_a_file_from_before_there_were_rules_works_as_it_did(tmp_path: Path) -> None:
    text = decomposed("le café coûte 3.14 € à Zürich. ") * 4
    model, old = taught(STORY, "word"), tmp_path / "old.statewise"
    symbols = ["le", "cafe", "\u0301", "cou", "\u0302", "te", "3"]
    model.save(old)
    artifact = read_artifact(old)
    config = {"tokens": "word", "symbols": symbols, "tight_before": ["\u0301"], "tight_after": ["\u0301"]}
    write_artifact(old, replace(artifact, header={**artifact.header, "vocabulary": config}))
    loaded: Any = sw.load(old)
    assert loaded.vocabulary.encode(decomposed("le café coûte 3")).tolist() == list(range(7))
    assert loaded.evaluate(text).tokens > 0
    assert loaded.generate(decomposed("le café"), 5)
    loaded.save(old)
    again: Any = sw.load(old)
    assert again.vocabulary == loaded.vocabulary


def test_words_that_are_clauses_are_warned_of() -> None:
    with pytest.warns(StatewiseWarning, match=r"as long as clauses, such as '.*use tokens='char' \(--tokens char\)"):
        model = taught(CHINESE, "word")
    fit(model, CHINESE, epochs=1)  # it is known by now
    taught(CHINESE)


# ------------------------------------------------------------------------------------------- command line


@pytest.fixture(scope="module")
def colored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("colored") / "colored.statewise"
    model = sw.TextModel(**TINY)
    model.fit(COLORED, epochs=1, verbose=0)
    model.save(place)
    return place


@pytest.mark.parametrize("options", [[], ["--json"], ["--quiet"]], ids=str)
def test_a_terminal_is_given_no_control_characters(
    colored: Path, options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["generate", str(colored), "--prompt", "\x1b[31mred\t", "--length", "200", *options]
    assert main(command) == 0
    piped = capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "\x9b" in piped
    assert not {"\x1b", "\x9b"} & set(shown)
    assert shown.replace("\\u001b", "\x1b").replace("\\u009b", "\x9b") == piped.replace("\\u001b", "\x1b")
    if options == ["--json"]:
        assert json.loads(shown) == json.loads(piped)
    else:
        assert {"\n", "\t"} <= set(shown)


def test_the_sample_of_a_training_commands_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, out = tmp_path / "log.txt", str(tmp_path / "log.statewise")
    text.write_text(COLORED)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert (
        main(["train", str(text), "--out", out, "--units", "3", "--embedding", "2", "--epochs", "1", "--no-plot"]) == 0
    )
    shown = capsys.readouterr().out
    assert "\\u001b" in shown
    assert not {"\x1b", "\x9b"} & set(shown)
