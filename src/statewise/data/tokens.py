"""Where a text becomes tokens: line ends and normal form of its characters, and what a word is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

import numpy as np

from statewise.errors import DataError, unknown_name
from statewise.foundation.characters import clean_lines, compose, is_mark, is_wide

TOKENS = ("char", "word")

RULES = 2
"""The rules of this module. By the first ones a text stayed as it was, and words had no marks, periods or commas.

A vocabulary keeps the rules that it was made by, so that a model which was saved under older ones reads as it did.
"""

FIRST_MARK = 0x300
"""No character before this one is a mark."""

FIRST_WORDS = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
"""Words and punctuation marks by the first rules."""

LONGEST_WORDS = 12
"""Words that have more letters on average are clauses."""

WIDE = 3
"""A letter of Chinese, Japanese or Korean counts as so many."""

SAMPLED = 1000
"""So many tokens at the beginning of a text tell whether its words are clauses."""


def check_tokens(tokens: str) -> str:
    """Returns `tokens` if it is `char` or `word`."""
    if tokens not in TOKENS:
        raise unknown_name("tokens", tokens, TOKENS)
    return tokens


def check_text(text: object) -> None:
    """Raises DataError unless `text` is one that a file can hold."""
    if not isinstance(text, str):
        raise DataError(f"expected a text (str), got {type(text).__name__}; read_text(path) reads one from a file")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"the text has half of a surrogate pair, {text[error.start]!r}, at position {error.start}, which no file "
            "in UTF-8 can hold; expected whole characters: open(path, errors='replace') reads such, and "
            "text.encode(errors='replace').decode() takes the halves out"
        ) from None


def as_read(text: str, rules: int = RULES) -> str:
    r"""Returns a text as its tokens spell it: every line ends with \n, no byte-order marks, normal form C.

    >>> as_read("cafe\u0301\r\n") == "caf\xe9\n"
    True

    Raises:
        DataError: it is no text, or has half of a surrogate pair.
    """
    check_text(text)
    return text if rules == 1 else compose(clean_lines(text))


def tokenize(text: str, tokens: str, rules: int = RULES) -> Sequence[str]:
    """Returns the tokens of `text`: its characters, or its words and punctuation marks.

    >>> tokenize("don't stop at 3.14, now", "word")
    ["don't", 'stop', 'at', '3.14', ',', 'now']

    Raises:
        ConfigurationError: `tokens` is neither `char` nor `word`.
        DataError: as `as_read`.
    """
    check_tokens(tokens)
    text = as_read(text, rules)
    return text if tokens == "char" else _words(text, rules).findall(text)


def find_words(text: str, rules: int = RULES) -> Iterator[re.Match[str]]:
    """Yields the words and punctuation marks of a text that is as its tokens spell it."""
    return _words(text, rules).finditer(text)


def first_tokens(text: str, tokens: str, count: int, rules: int = RULES) -> str:
    """Returns the beginning of `text` up to its `count`-th token, as its tokens spell it.

    >>> first_tokens("don't stop, now", "word", 3)
    "don't stop,"
    """
    text = as_read(text, rules)
    if check_tokens(tokens) == "char":
        return text[:count]
    ends = [match.end() for match in islice(find_words(text, rules), count)]
    return text[: ends[-1]] if ends else ""


def is_word(token: str) -> bool:
    r"""Returns whether a token is a word, not a punctuation mark, by the definition of \w.

    >>> is_word("mouse"), is_word("_"), is_word("?")
    (True, True, False)
    """
    return token[0].isalnum() or token[0] == "_"


def are_clauses(tokens: Sequence[str]) -> bool:
    """Returns whether the words among the first tokens of a text have too many letters; numbers do not count.

    >>> are_clauses(["mice", "and", "men", "."])
    False
    >>> are_clauses(["thereisnoblankbetweenthesewords", "."])
    True
    """
    words = [token for token in tokens[:SAMPLED] if token[0].isalpha()]
    letters = sum(WIDE if is_wide(letter) else 1 for letter in "".join(words) if letter.isalpha())
    return letters > LONGEST_WORDS * len(words)


def _words(text: str, rules: int) -> re.Pattern[str]:
    return FIRST_WORDS if rules == 1 else _words_with(_marks_in(text))


def _marks_in(text: str) -> str:
    """Returns the different marks of a text, in the order of their code points."""
    if text.isascii():
        return ""
    codes = np.frombuffer(text.encode("utf-32-le"), "<u4")
    return "".join(filter(is_mark, map(chr, np.unique(codes[codes >= FIRST_MARK]))))


@lru_cache(maxsize=64)
def _words_with(marks: str) -> re.Pattern[str]:
    r"""Returns what finds words and punctuation marks in a text with these marks, which \w has not.

    One of these: an abbreviation, single letters with periods between them; a word, in which apostrophes may stand
    between its characters, and separators of decimals and of thousands between its digits; or a punctuation mark or
    symbol, emoji that are joined into one included.
    """
    more = f"[{marks}]*" if marks else ""
    inner = rf"[\w{marks}]"
    run = rf"\w{inner}*" if marks else r"\w+"
    letter = rf"[^\W\d_]{more}"
    another = rf"\.{letter}(?!{inner})"
    abbreviation = rf"{letter}{another}(?:{another})*\.?"  # what fails soonest comes first, here and below, for speed
    decimal = r"[.\u066b\u066c](?<=\d.)(?=\d)"
    thousands = r",(?<=\d,)(?<!\d\d\d\d,)(?=(?:\d\d,){0,8}\d\d\d(?!\d))"  # 1,000,000, in India 10,00,000
    word = rf"{run}(?:(?:['\u2019]|{decimal}|{thousands}){run})*"
    symbol = rf"[^\w\s]{more}(?:(?<=\u200d)[^\w\s]{more})*" if marks else r"[^\w\s]"
    return re.compile(f"{abbreviation}|{word}|{symbol}")
