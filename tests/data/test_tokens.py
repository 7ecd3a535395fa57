"""What becomes of the characters of a text, and what a word is."""

# ruff: noqa: RUF001 - other scripts and typographic marks are what is tested

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from statewise.data.codecs import Vocabulary
from statewise.data.tokens import are_clauses, as_read, first_tokens, tokenize
from statewise.errors import DataError

ROOT = Path(__file__).parents[2]

WORDS: dict[str, tuple[str, Sequence[str]]] = {
    "apostrophes": ("don't stop, now", ["don't", "stop", ",", "now"]),
    "quotes": ("l’été 'n' rock", ["l’été", "'", "n", "'", "rock"]),
    "hyphens": ("well-known -- x", ["well", "-", "known", "-", "-", "x"]),
    "marks": ("_x é!?", ["_x", "é", "!", "?"]),
    "chinese": ("猫和老鼠。好", ["猫和老鼠", "。", "好"]),
    "blank": (" \n\t", []),
    "decimals": ("3.14 of v1.2.3, 0.5x.", ["3.14", "of", "v1.2.3", ",", "0.5x", "."]),
    "thousands": ("1,000 12,345,678.90 10,00,000", ["1,000", "12,345,678.90", "10,00,000"]),
    "lists": ("1,2 2009,901 1,0000", ["1", ",", "2", "2009", ",", "901", "1", ",", "0000"]),
    "ends": ("In 1999. 5, 6.", ["In", "1999", ".", "5", ",", "6", "."]),
    "sentences": ("end.Next Mr.X", ["end", ".", "Next", "Mr", ".", "X"]),
    "arabic numbers": ("٣٫١٤ ١٬٠٠٠", ["٣٫١٤", "١٬٠٠٠"]),
    "abbreviations": (
        "U.S.A. (e.g. the U.S.A) i.e., É.U.",
        ["U.S.A.", "(", "e.g.", "the", "U.S.A", ")", "i.e.", ",", "É.U."],
    ),
    "initials": ("J.R.R.Tolkien A. b.cd", ["J.R.R.", "Tolkien", "A", ".", "b", ".", "cd"]),
    "hindi": ("नमस्ते दुनिया।", ["नमस्ते", "दुनिया", "।"]),
    "hindi abbreviation": ("कि.मी. है", ["कि.मी.", "है"]),
    "thai": ("น้ำ ที่นี่", ["น้ำ", "ที่นี่"]),
    "arabic": ("كِتَابٌ، قَلَمٌ", ["كِتَابٌ", "،", "قَلَمٌ"]),
    "hebrew": ("שָׁלוֹם עוֹלָם", ["שָׁלוֹם", "עוֹלָם"]),
    "persian": ("می\u200cخواهم کتاب", ["می\u200cخواهم", "کتاب"]),
    "malayalam": ("ന\u0d4d\u200d അവൻ", ["ന\u0d4d\u200d", "അവൻ"]),
    "emoji": ("👩\u200d🚀! ❤\ufe0f 1\ufe0f\u20e3", ["👩\u200d🚀", "!", "❤\ufe0f", "1\ufe0f\u20e3"]),
    "mark alone": ("a \u0301 b", ["a", "\u0301", "b"]),
}


@pytest.mark.parametrize(("text", "words"), WORDS.values(), ids=WORDS)
def test_words_and_marks(text: str, words: Sequence[str]) -> None:
    composed = [unicodedata.normalize("NFC", word) for word in words]
    for form in ("NFC", "NFD"):
        assert list(tokenize(unicodedata.normalize(form, text), "word")) == composed


def test_the_texts_that_come_with_the_package_are_read_as_by_the_first_rules() -> None:
    places = [*ROOT.glob("examples/*.txt"), *ROOT.glob("src/statewise/recipes/**/*.txt")]
    assert len(places) == 3
    for place in places:
        text = place.read_text(encoding="utf-8")
        assert tokenize(text, "char") == text
        assert list(tokenize(text, "word")) == re.findall(r"\w+(?:['’]\w+)*|[^\w\s]", text)


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_both_normal_forms_are_one_text(tokens: str) -> None:
    composed = "Café à Zürich, 한국어 Ὀδυσσεύς"
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    vocabulary = Vocabulary.of(decomposed, tokens)
    assert vocabulary == Vocabulary.of(composed, tokens)
    assert vocabulary.encode(decomposed).tolist() == vocabulary.encode(composed).tolist()


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_line_ends_and_byte_order_marks_make_no_difference(tokens: str) -> None:
    plain = "one\ntwo\n\nthree\n"
    vocabulary = Vocabulary.of(plain, tokens)
    for text in (plain.replace("\n", "\r\n"), plain.replace("\n", "\r"), "\ufeffone\r\ntwo\n\ufeff\rthree\r\n\ufeff"):
        assert Vocabulary.of(text, tokens) == vocabulary
        assert vocabulary.encode(text).tolist() == vocabulary.encode(plain).tolist()


def test_first_tokens_are_a_beginning() -> None:
    assert first_tokens("cafe\u0301 noir", "char", 4) == "café"
    assert first_tokens("\ufeffU.S. at\r\n3.14, now", "word", 3) == "U.S. at\n3.14"
    assert first_tokens(" ", "word", 3) == ""


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_half_characters_are_refused(tokens: str) -> None:
    vocabulary = Vocabulary.of("one two", tokens)
    for read in (
        lambda text: Vocabulary.of(text, tokens),
        vocabulary.encode,
        vocabulary.encode_known,
        vocabulary.unknown,
    ):
        with pytest.raises(DataError, match=r"half of a surrogate pair, .* at position 4"):
            read("one \ud800two")


# ------------------------------------------------------------------------------------------- whatever comes

TRICKY = "ab3٣½ .,٬'’-_=!\n\r\t\ufeff\u0301\u0338\u0327\u200c\u200d\ufe0f\u20e3éक्षि👩🚀가\u1100\u1161중\u00a0\u2028"
TEXTS = st.text(st.one_of(st.sampled_from(TRICKY), st.characters(exclude_categories=["Cs"])), max_size=40)
"""Texts of any characters but halves, among which those that belong together are frequent."""

whatever = settings(max_examples=400, deadline=None, database=None)


def spelled(text: str) -> str:
    """Returns the text that tokens spell: Python reads line ends so, and Unicode has one normal form C."""
    lines = io.StringIO(text, newline=None).read()
    return unicodedata.normalize("NFC", "".join(character for character in lines if character != "\ufeff"))


@whatever
@given(TEXTS)
def test_a_text_is_read_in_one_form(text: str) -> None:
    assert as_read(text) == spelled(text) == as_read(as_read(text))
    for form in ("NFC", "NFD"):
        assert list(tokenize(unicodedata.normalize(form, text), "word")) == list(tokenize(text, "word"))


@whatever
@given(TEXTS)
def test_words_leave_out_white_space_only(text: str) -> None:
    words = tokenize(text, "word")
    assert "".join(words) == "".join(spelled(text).split())
    assert all(list(tokenize(word, "word")) == [word] for word in words)


@whatever
@given(TEXTS)
def test_characters_are_decoded_as_they_were_read(text: str) -> None:
    assume(spelled(text).strip() and len(set(spelled(text))) > 1)
    vocabulary = Vocabulary.of(text, "char")
    assert vocabulary.decode(vocabulary.encode(text)) == spelled(text)


@whatever
@given(TEXTS, st.integers(0, 2**32 - 1))
def test_any_words_are_decoded_to_a_text_of_these_words(text: str, seed: int) -> None:
    assume(len(set(tokenize(text, "word"))) > 1)
    vocabulary = Vocabulary.of(text, "word")
    read = vocabulary.encode(text)
    drawn = np.random.default_rng(seed).integers(0, len(vocabulary), 12)
    marks = frozenset(vocabulary.symbols)
    everywhere_tight = Vocabulary("word", vocabulary.symbols, marks, marks)
    for decoder in (vocabulary, everywhere_tight):
        for numbers in (read, drawn):
            assert vocabulary.encode(decoder.decode(numbers)).tolist() == numbers.tolist()
            cut = seed % (len(numbers) + 1)
            rest = "".join(decoder.pieces(numbers[cut:].tolist(), after=numbers[:cut].tolist()))
            assert decoder.decode(numbers[:cut]) + rest == decoder.decode(numbers)


# ------------------------------------------------------------------------------------------------- clauses

CLAUSES = {
    "chinese": "太行王屋二山，方七百里，高万仞。本在冀州之南，河阳之北。北山愚公者，年且九十，面山而居。",
    "japanese": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "thai": "ประเทศไทยมีชื่ออย่างเป็นทางการว่าราชอาณาจักรไทย เป็นรัฐชาติอันตั้งอยู่ในภูมิภาคเอเชียตะวันออกเฉียงใต้",
    "english": "thereisnoblankinthissentence thereisnoneinthisoneeither",
}
SPACED = {
    "english": "The internationalization of incomprehensible organizations was discussed by the mice.",
    "finnish": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan.",
    "german": "Die Donaudampfschifffahrtsgesellschaft hat ihren Kapitän entlassen, und zwar ohne Angabe von Gründen.",
    "korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
    "chinese in words": "太行 王屋 二 山 ， 方 七百 里 ， 高 万 仞 。",
    "hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "malayalam": "മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും അന്തസ്സോടും സ്വാതന്ത്ര്യത്തോടുംകൂടി ജനിച്ചിട്ടുള്ളവരാണ്.",
    "numbers": "0.9749279121818236,0.43388373911755823,2016-01-01",
    "marks": "... !!!",
}


@pytest.mark.parametrize("text", CLAUSES.values(), ids=CLAUSES)
def test_words_without_blanks_between_them_are_clauses(text: str) -> None:
    assert are_clauses(tokenize(text, "word"))


@pytest.mark.parametrize("text", SPACED.values(), ids=SPACED)
def test_long_words_are_words(text: str) -> None:
    assert not are_clauses(tokenize(text, "word"))
