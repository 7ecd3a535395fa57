"""Texts as numbers and back."""

# ruff: noqa: RUF001 - other scripts and typographic marks are what is tested

from __future__ import annotations

import json
import random
import re
import unicodedata

import numpy as np
import pytest

from statewise.data.codecs import Vocabulary, split_text
from statewise.data.tokens import as_read, tokenize
from statewise.errors import ConfigurationError, DataError, FileError

TEXTS = {
    "english": "The mice held a council.\n\tWho will bell the cat? -- NOBODY!\n\n",
    "german": "Über Größe läßt sich nicht streiten: „Äpfel“ – Öl.\r\n",
    "chinese": "老鼠们开会商量怎样对付猫。谁去给猫挂铃铛呢？没有人。",
    "mixed": "zero\u200dwidth 👩\u200d🚀 e\u0301 é \u00a0 \x07 𝔘",
}


# ------------------------------------------------------------------------------------------ characters


def test_numbers_with_commas_take_time_in_proportion() -> None:
    """A quarter of a megabyte of short numbers; were it quadratic, it would take minutes."""
    text = ",".join(["12"] * 80_000)
    assert len(tokenize(text, "word")) == 159_999


def test_split_text_parts_no_letter_from_its_mark_and_no_line_end() -> None:
    for text in ("e\u0301" * 6 + "xy", "ab\r\n" * 5):
        for share in (0.05, 0.3, 0.5):
            assert "".join(split_text(text, share)) == as_read(text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_characters_survive_the_round_trip(text: str) -> None:
    vocabulary = Vocabulary.of(text, "char")
    numbers = vocabulary.encode(text)
    spelled = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    assert numbers.dtype == np.int32
    assert len(numbers) == len(spelled)
    assert vocabulary.decode(numbers) == spelled
    assert vocabulary.decode(vocabulary.encode(spelled[::-1])) == spelled[::-1]


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_symbols_are_numbered_by_code_point(tokens: str) -> None:
    text = "b a B Z z ä 中 𝔘 , é"
    vocabulary = Vocabulary.of(text, tokens)
    assert list(vocabulary.symbols) == sorted(set(text) if tokens == "char" else set(text.split()))
    assert vocabulary.numbers == {symbol: number for number, symbol in enumerate(vocabulary.symbols)}
    assert len(vocabulary) == len(vocabulary.symbols)


def test_the_order_of_the_text_does_not_matter() -> None:
    shuffled = list(TEXTS["english"])
    random.Random(3).shuffle(shuffled)
    assert Vocabulary.of("".join(shuffled), "char") == Vocabulary.of(TEXTS["english"], "char")


# ----------------------------------------------------------------------------------------------- words

SPACED = [
    "The mice, said the cat, don't run; they dance.",
    "Who (if any) will bell the cat? The mouse (a brave one) will!",
    "a well-known, state-of-the-art mouse",
    "Das Mäuschen sagt: Nein! Größe zählt nicht.",
    "l’été, c’est l’eau; don't",
    "the cat sat",
]


@pytest.mark.parametrize("text", SPACED)
def test_words_are_spaced_as_they_were(text: str) -> None:
    vocabulary = Vocabulary.of(text, "word")
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_blanks_between_words_are_not_kept() -> None:
    vocabulary = Vocabulary.of("the cat ,  the\n\nmouse", "word")
    assert vocabulary.decode(vocabulary.encode("the cat ,  the\n\nmouse")) == "the cat , the mouse"


def test_most_occurrences_decide_how_a_mark_is_spaced() -> None:
    vocabulary = Vocabulary.of("a, b, c , d", "word")
    assert vocabulary.tight_before == {","}
    assert vocabulary.tight_after == set()
    assert vocabulary.decode(vocabulary.encode("a , b")) == "a, b"
    assert Vocabulary.of("a ,b ,c, d", "word").tight_after == {","}


@pytest.mark.parametrize("text", [*SPACED, "f(_a) g(_a) _a", "x=1 y=2 x = y", "(a) (b) c ) d"])
def test_what_is_decoded_is_encoded_to_the_same_numbers(text: str) -> None:
    """However marks are spaced, words never run into one another."""
    vocabulary, rng = Vocabulary.of(text, "word"), np.random.default_rng(0)
    for _ in range(50):
        numbers = rng.integers(0, len(vocabulary), 8)
        assert vocabulary.encode(vocabulary.decode(numbers)).tolist() == numbers.tolist()


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_pieces_after_a_prompt_read_on_from_it(tokens: str) -> None:
    text = SPACED[1]
    vocabulary = Vocabulary.of(text, tokens)
    numbers = vocabulary.encode(text)
    for cut in range(1, len(numbers)):
        rest = "".join(vocabulary.pieces(numbers[cut:], after=numbers[:cut].tolist()))
        assert vocabulary.decode(numbers[:cut]) + rest == text


# --------------------------------------------------------------------------------------------- unknown


@pytest.mark.parametrize(
    ("tokens", "known", "text", "message"),
    [
        ("char", "the cat", "the Cat", "the model never saw the char 'C'; the nearest it knows: 'c'"),
        ("char", "abc xyz", "xyz€", "the model never saw the char '€', nor one like it; leave it out"),
        ("char", "猫鼠", "狗", "the model never saw the char '狗', nor one like it; leave it out"),
        ("char", "cafe, CAFE", "café", "the model never saw the char 'é'; the nearest it knows: 'E' 'e'"),
        ("char", "café, CAFÉ", "cafe", "the model never saw the char 'e'; the nearest it knows: 'É' 'é'"),
        ("char", "zebra", "zebra\x1b", "the model never saw the char '\\x1b', nor one like it"),
        ("char", "e\u0304 x\u0301", "o\u0304", "the model never saw the char 'ō', nor one like it"),
        ("word", "le cafe est", "le café", "the model never saw the word 'café'; the nearest it knows: 'cafe'"),
        ("word", "the mice saw", "zebra", "the model never saw the word 'zebra', nor one like it; leave it out"),
        ("word", "the mice saw", "the mica", "the model never saw the word 'mica'; the nearest it knows: 'mice'"),
        ("word", "The mice", "the mice", "the model never saw the word 'the'; the nearest it knows: 'The'"),
    ],
)
def test_an_unknown_symbol_is_named_with_the_nearest_known(tokens: str, known: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        Vocabulary.of(known, tokens).encode(text)


def test_the_first_unknown_symbol_is_the_one_named() -> None:
    with pytest.raises(DataError, match="'x'"):
        Vocabulary.of("abc", "char").encode("abxcyaz")


def test_unknown_symbols_may_be_numbered_minus_one() -> None:
    vocabulary = Vocabulary.of("abc", "char")
    assert vocabulary.encode_known("axbyc").tolist() == [0, -1, 1, -1, 2]
    assert vocabulary.encode_known("").tolist() == []
    assert vocabulary.encode_known("").dtype == np.int32


@pytest.mark.parametrize(("text", "tokens"), [("", "char"), ("a", "char"), ("aaaa", "char"), ("cat cat", "word")])
def test_a_text_without_two_symbols_is_refused(text: str, tokens: str) -> None:
    with pytest.raises(DataError, match="two"):
        Vocabulary.of(text, tokens)


def test_other_tokens_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown tokens 'words': did you mean 'word'"):
        Vocabulary.of("a b", "words")


# ---------------------------------------------------------------------------------------- kept and cut


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_a_vocabulary_is_remade_from_its_configuration(tokens: str) -> None:
    vocabulary = Vocabulary.of(SPACED[1] + TEXTS["chinese"], tokens)
    assert Vocabulary.from_config(json.loads(json.dumps(vocabulary.config()))) == vocabulary


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_a_vocabulary_of_an_older_file_reads_as_it_did(tokens: str) -> None:
    """Such a file names no rules: its texts stayed as they were, and its words had no marks, periods or commas."""
    text = "cafe\u0301 3.14\r\nU.S."
    old = ["cafe", "\u0301", "3", ".", "14", "U", ".", "S", "."] if tokens == "word" else list(text)
    config = {"tokens": tokens, "symbols": sorted(set(old)), "tight_before": ["\u0301", "."], "tight_after": ["."]}
    vocabulary = Vocabulary.from_config(config)
    assert [vocabulary.symbols[number] for number in vocabulary.encode(text)] == old
    assert vocabulary.encode(vocabulary.decode(vocabulary.encode(text))).tolist() == vocabulary.encode(text).tolist()
    grown = vocabulary.with_symbols_of(text + "e\u0301!")
    assert grown.unknown(text + "e\u0301!") == []
    assert Vocabulary.from_config(grown.config()).encode(text).tolist() == vocabulary.encode(text).tolist()


def test_a_vocabulary_of_a_newer_file_is_refused() -> None:
    config = Vocabulary.of("abc", "char").config()
    with pytest.raises(FileError, match="rules 99, this statewise knows those up to 2: pip install --upgrade"):
        Vocabulary.from_config({**config, "rules": 99})


@pytest.mark.parametrize(("share", "kept"), [(0.0, 10), (0.1, 9), (0.25, 8), (0.99, 1)])
def test_split_text_cuts_off_the_end(share: float, kept: int) -> None:
    first, rest = split_text("abcdefghij", share)
    assert first + rest == "abcdefghij"
    assert len(first) == kept


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_split_text_refuses_a_share_out_of_range(share: float) -> None:
    with pytest.raises(ConfigurationError, match="held_out"):
        split_text("abc", share)
