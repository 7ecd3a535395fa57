"""keras.preprocessing.text returns what Keras 2 does, and says what it cannot read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from golden.keras_calls import recorded, replay, same
from mistakes import Action, Error, case, each, refused, table
from statewise.errors import ConfigurationError, DataError, LifecycleError
from statewise.legacy import text
from statewise.legacy.text import (
    Tokenizer,
    base_filter,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
    tokenizer_from_json,
)

MICE = ["the mice saw the cat", "the cat ran"]


def fitted(**options: Any) -> Tokenizer:
    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(MICE)
    return tokenizer


def items(counts: Any) -> list[list[Any]]:
    return [list(item) for item in counts.items()]


# -------------------------------------------------------------------------------------- Tokenizer


def replayed(call: Any) -> Tokenizer:
    tokenizer = Tokenizer(**call["arguments"])
    tokenizer.fit_on_texts(call["fitted"])
    if call["also"]:
        tokenizer.fit_on_sequences(call["also"])
    return tokenizer


@recorded("Tokenizer")
def test_words_are_counted_and_numbered_as_in_keras(call: Any) -> None:
    tokenizer, expected = replayed(call), call["result"]
    for name in ("word_index", "index_word", "word_counts"):
        assert items(getattr(tokenizer, name)) == expected[name], name
    assert tokenizer.word_docs == expected["word_docs"]
    assert sorted(items(tokenizer.index_docs)) == expected["index_docs"]
    assert tokenizer.document_count == expected["document_count"]


@recorded("Tokenizer")
def test_texts_are_written_as_in_keras(call: Any) -> None:
    tokenizer, expected = replayed(call), call["result"]
    sequences = tokenizer.texts_to_sequences(call["written"])
    assert sequences == expected["sequences"]
    numbers = [*sequences, list(range(9)), [40, 1, 1]]
    assert tokenizer.sequences_to_texts(numbers) == expected["texts"]
    for mode, matrix in expected["matrices"].items():
        same(tokenizer.sequences_to_matrix(numbers, mode), matrix)
    same(tokenizer.texts_to_matrix(call["written"], "count"), expected["text_matrix"])


def described(written: str) -> dict[str, Any]:
    """Everything in a tokenizer's JSON, its counts as dicts, whose order in `word_docs` differs from run to run."""
    found: dict[str, Any] = json.loads(written)
    for name in ("word_counts", "word_docs", "word_index", "index_docs", "index_word"):
        found["config"][name] = json.loads(found["config"][name])
    return found


@recorded("Tokenizer")
def test_tokenizers_are_kept_as_in_keras(call: Any) -> None:
    theirs = call["result"]["json"]
    assert described(replayed(call).to_json()) == described(theirs)
    again = tokenizer_from_json(theirs)
    assert described(again.to_json(indent=1)) == described(theirs)
    assert again.texts_to_sequences(call["written"]) == call["result"]["sequences"]


def test_a_tokenizer_that_was_kept_goes_on_counting() -> None:
    again = tokenizer_from_json(fitted().to_json())
    for tokenizer in (again, whole := fitted()):
        tokenizer.fit_on_texts(["a dog ran"])
    assert described(again.to_json()) == described(whole.to_json())


def test_an_analyzer_finds_the_words() -> None:
    tokenizer = Tokenizer(analyzer=lambda line: (word for word in line.split("|")))
    tokenizer.fit_on_texts(["The|cat", "cat|ran", ["A", "cat"]])
    assert tokenizer.word_index == {"cat": 1, "The": 2, "ran": 3, "a": 4}
    assert tokenizer.texts_to_sequences(["ran|cat"]) == [[3, 1]]


def test_generators_are_read_and_returned() -> None:
    tokenizer = fitted()
    numbers = tokenizer.texts_to_sequences_generator(line for line in MICE)
    assert next(numbers) == [1, 3, 4, 1, 2]
    assert list(tokenizer.sequences_to_texts_generator(numbers)) == ["the cat ran"]


def test_nb_words_is_num_words() -> None:
    assert fitted(nb_words=2).texts_to_sequences(MICE) == fitted(num_words=2).texts_to_sequences(MICE) == [[1, 1], [1]]


def test_arrays_are_sequences_too() -> None:
    tokenizer = fitted()
    rows = tokenizer.sequences_to_matrix(np.array([[1, 1, 4], [2, 0, 1]]), mode="count")
    assert rows.tolist() == [[0, 2, 0, 0, 1, 0], [1, 1, 1, 0, 0, 0]]


@table(
    *each("mode", lambda value: fitted().texts_to_matrix(MICE, value), ConfigurationError, "tfidf", of=("tf", None)),
    case("no-words", lambda: Tokenizer().sequences_to_matrix([[1]]), LifecycleError, "fit_on_texts", "num_words="),
    case("no-texts", lambda: Tokenizer(9).sequences_to_matrix([[1]], "tfidf"), LifecycleError, "fit_on_texts"),
    case("width", lambda: Tokenizer(9.5).sequences_to_matrix([[1]]), ConfigurationError, "num_words", "9.5"),  # type: ignore[arg-type]
    case("number", lambda: fitted().fit_on_texts([float("nan")]), DataError, "a text", "nan", "list of strings"),
    case("bytes", lambda: fitted().texts_to_sequences([b"the"]), DataError, "a text", "b'the'"),
    case("number-in-list", lambda: fitted().texts_to_sequences([["the", 3]]), DataError, "a text", "got 3"),
    case("number-of-letters", lambda: fitted(char_level=True).fit_on_texts([7]), DataError, "a text", "got 7"),
    case("json", lambda: tokenizer_from_json("{}"), DataError, "to_json()", "'{}'"),
    case("no-json", lambda: tokenizer_from_json("mice"), DataError, "to_json()", "'mice'"),
)
def test_what_a_tokenizer_cannot_do(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


# ------------------------------------------------------------------------------- words and hashes


@recorded("text_to_word_sequence")
def test_texts_are_split_as_in_keras(call: Any) -> None:
    replay(call, text_to_word_sequence)


@recorded("hashing_trick")
def test_md5_is_that_of_keras(call: Any) -> None:
    replay(call, hashing_trick)


def test_one_hot_numbers_words_by_pythons_hash() -> None:
    by_hand = [hash(word) % 19 + 1 for word in ("the", "mice", "ran")]
    assert one_hot("The mice ran.", 20) == hashing_trick("The mice ran.", 20) == by_hand
    assert one_hot("a|b", 20, analyzer=lambda line: line.split("|")) == [hash(word) % 19 + 1 for word in "ab"]


def test_a_hash_function_may_be_any() -> None:
    assert hashing_trick("a mouse ran", 4, len) == [2, 3, 1]


def test_the_filter_of_keras_1_keeps_apostrophes_alone() -> None:
    assert text_to_word_sequence("the cat's!", base_filter()) == ["the", "cat's"]


@table(
    *each("split", lambda value: text_to_word_sequence("a", split=value), ConfigurationError, "' '", of=("", None)),
    *each("filters", lambda value: text_to_word_sequence("a", value), ConfigurationError, "single", of=(["ab"],)),
    *each("n", lambda value: one_hot("a", value), ConfigurationError, "more than 1", of=(1, 0, "9")),
    case("hash", lambda: hashing_trick("a", 9, "sha"), ConfigurationError, "hash_function", "'sha'", "md5"),
    case("text", lambda: text_to_word_sequence(None, lower=False), DataError, "a text", "None"),  # type: ignore[arg-type]
)
def test_what_cannot_be_split_or_hashed(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


# ---------------------------------------------------------------------------- the modern spelling


@pytest.mark.parametrize(("char_level", "tokens"), [(False, "word"), (True, "char")])
def test_the_modern_one_is_named(char_level: bool, tokens: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: dict[str, str] = {}
    monkeypatch.setattr(text, "note", noted.__setitem__)
    Tokenizer(nb_words=5, char_level=char_level)
    assert list(noted) == ["Tokenizer(...)", "nb_words="]
    assert f"sw.TextModel(tokens='{tokens}')" in noted["Tokenizer(...)"]
