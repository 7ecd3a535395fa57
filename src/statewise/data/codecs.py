"""Symbols as numbers and back: a vocabulary of characters or of words, learned from training texts only."""

from __future__ import annotations

import bisect
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from statewise.errors import DataError, nearest, unknown_name
from statewise.foundation.shapes import Array, check_rate

TOKENS = ("char", "word")

WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
"""A word, apostrophes inside it included, or one punctuation mark."""


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a text, numbered in the order of their code points; those added later follow in theirs.

    Args:
        tokens: `char`, every character, or `word`, words and punctuation marks; blanks between words are not kept.
        symbols: all of them.
        tight_before: words and marks that were mostly written right after what precedes them, such as `,`.
        tight_after: those that were mostly followed by no blank, such as `(`.

    >>> vocabulary = Vocabulary.of("the mice , the cat", "word")
    >>> vocabulary.encode("the cat")
    array([3, 1], dtype=int32)
    >>> vocabulary.decode([3, 2])
    'the mice'
    """

    tokens: str
    symbols: tuple[str, ...]
    tight_before: frozenset[str] = field(default=frozenset())
    tight_after: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, text: str, tokens: str) -> Vocabulary:
        """Returns the vocabulary of `text`.

        Raises:
            ConfigurationError: `tokens` is neither `char` nor `word`.
            DataError: nothing to learn from: no text, or the same token all through.
        """
        found = frozenset(_check_learnable(text, tokens))
        return cls(tokens, tuple(sorted(found)), *_tight(text, tokens))

    def unknown(self, text: str) -> list[str]:
        """Returns the symbols of `text` that are not in the vocabulary, each once, in the order of their code points.

        >>> Vocabulary.of("the mice", "char").unknown("the cats")
        ['a', 's']

        Raises:
            DataError: nothing to learn from, as for `of`.
        """
        return sorted(set(_check_learnable(text, self.tokens)) - self.numbers.keys())

    def with_symbols_of(self, text: str) -> Vocabulary:
        """Returns the vocabulary with what is new in `text` after what is there, which keeps its numbers.

        How a mark is spaced is learned from the text that first had it.
        """
        new = self.unknown(text)
        before, after = (marks.intersection(new) for marks in _tight(text, self.tokens))
        symbols, spaced = (*self.symbols, *new), (self.tight_before | before, self.tight_after | after)
        return Vocabulary(self.tokens, symbols, *spaced)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each symbol."""
        return {symbol: number for number, symbol in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> Array:
        """Returns the numbers of a text's tokens, int32 `[N]`.

        Raises:
            DataError: a symbol that is not in the vocabulary; the message has the nearest that are.
        """
        numbers = self.encode_known(text)
        if (numbers < 0).any():
            symbol = tokenize(text, self.tokens)[int(np.argmin(numbers))]
            known = " ".join(repr(close) for close in self.nearest(symbol))
            raise DataError(f"the model never saw the {self.tokens} {symbol!r}; the nearest it knows: {known}")
        return numbers

    def encode_known(self, text: str) -> Array:
        """Returns the numbers of a text's tokens, -1 for those that are not in the vocabulary."""
        numbers = self.numbers
        return np.array([numbers.get(token, -1) for token in tokenize(text, self.tokens)], np.int32)

    def without_unknown(self, text: str) -> str:
        """Returns a text without the tokens that are not in the vocabulary; with all of them, as it is."""
        tokens = tokenize(text, self.tokens)
        if all(token in self.numbers for token in tokens):
            return text
        return ("" if self.tokens == "char" else " ").join(token for token in tokens if token in self.numbers)

    def read_prompt(self, prompt: str, window: int | None) -> Array:
        """Returns the numbers of a prompt's tokens, as `encode`.

        Raises:
            DataError: it is empty, shorter than the window, or has a symbol that is not in the vocabulary.
        """
        numbers = self.encode(prompt)
        if len(numbers) == 0:
            raise DataError("the prompt is empty; expected at least one token to go on from")
        if window is not None and len(numbers) < window:
            raise DataError(
                f"the prompt {prompt!r} has {len(numbers)} {self.tokens} token(s), the model reads windows of "
                f"{window}; expected a prompt of at least {window}"
            )
        return numbers

    def decode(self, numbers: Iterable[int]) -> str:
        """Returns the text of `numbers`, words spaced as the training text mostly spaced them."""
        return "".join(self.pieces(numbers))

    def pieces(self, numbers: Iterable[int], previous: str | None = None) -> Iterator[str]:
        """Yields each symbol as it comes, with the blank before it where one belongs."""
        for number in numbers:
            symbol = self.symbols[int(number)]
            yield symbol if previous is None or self._joined(previous, symbol) else f" {symbol}"
            previous = symbol

    def _joined(self, previous: str, symbol: str) -> bool:
        return self.tokens == "char" or symbol in self.tight_before or previous in self.tight_after

    def nearest(self, symbol: str) -> list[str]:
        """Returns known symbols like `symbol`: the same letter in another case, similar words, neighbours."""
        if close := nearest(symbol, self.symbols):
            return close
        if len(symbol) > 1:  # its neighbours in the alphabet
            ordered = sorted(self.symbols)
            place = bisect.bisect(ordered, symbol)
            return ordered[max(0, place - 2) : place + 1]
        return sorted(self.symbols, key=lambda known: (len(known), abs(ord(known[0]) - ord(symbol))))[:3]

    def config(self) -> dict[str, Any]:
        """Returns the vocabulary as JSON holds it."""
        return {
            "tokens": self.tokens,
            "symbols": list(self.symbols),
            "tight_before": sorted(self.tight_before),
            "tight_after": sorted(self.tight_after),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Vocabulary:
        """Returns the vocabulary that `config` described."""
        return cls(
            config["tokens"],
            tuple(config["symbols"]),
            frozenset(config["tight_before"]),
            frozenset(config["tight_after"]),
        )


def tokenize(text: str, tokens: str) -> Sequence[str]:
    """Returns the tokens of `text`: its characters, or its words and punctuation marks.

    >>> tokenize("don't stop, now", "word")
    ["don't", 'stop', ',', 'now']
    """
    check_text(text)
    return text if check_tokens(tokens) == "char" else WORD.findall(text)


def first_tokens(text: str, tokens: str, count: int) -> str:
    """Returns the beginning of `text` up to its `count`-th token, as it is written.

    >>> first_tokens("don't stop, now", "word", 3)
    "don't stop,"
    """
    if check_tokens(tokens) == "char":
        return text[:count]
    ends = [match.end() for match in islice(WORD.finditer(text), count)]
    return text[: ends[-1]] if ends else ""


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


def check_content(what: str, text: object) -> None:
    """Raises DataError if `text`, called `what`, is the name of a file instead of what is in it."""
    name = os.fspath(text) if isinstance(text, os.PathLike) else text
    if isinstance(name, str) and _is_path(name):
        raise DataError(
            f"{what}: expected a text, got the name of a file, {name!r}; read_text({name!r}) returns what is in it (if "
            "the name itself is the text, end it with a line break)"
        )


LONGEST_PATH = 1024
"""A longer text is not taken for the name of a file."""

TEXT_FILE = re.compile(r"\S+\.(txt|text|md|csv|tsv|log|json|jsonl|html?|xml)", re.IGNORECASE)
"""What is meant as the name of a text file, also where there is none of that name."""


def _is_path(text: str) -> bool:
    if not text.strip() or len(text) > LONGEST_PATH or not text.isprintable():
        return False
    place = os.path.expanduser(text)
    folder = os.path.isdir(place) and os.path.basename(place) != place
    return folder or os.path.isfile(place) or TEXT_FILE.fullmatch(text) is not None


def _check_learnable(text: str, tokens: str) -> Sequence[str]:
    """Returns the tokens of a text of which it can be learned what follows what."""
    found = tokenize(text, tokens)
    if len(set(found)) < 2 or not text.strip():
        what = "is blank" if text and not text.strip() else f"has {len(set(found))} different {tokens} token(s)"
        raise DataError(f"the text {what}; expected one with at least two different ones, to learn what follows what")
    return found


def check_tokens(tokens: str) -> str:
    """Returns `tokens` if it is `char` or `word`."""
    if tokens not in TOKENS:
        raise unknown_name("tokens", tokens, TOKENS)
    return tokens


def _tight(text: str, tokens: str) -> tuple[frozenset[str], frozenset[str]]:
    """Returns the marks that mostly stand right after, and right before, their neighbors; characters never are."""
    if tokens == "char":
        return frozenset(), frozenset()
    balance_before: Counter[str] = Counter()
    balance_after: Counter[str] = Counter()
    for match in WORD.finditer(text):
        mark = match.group()
        if mark[0].isalnum() or mark[0] == "_":  # a word, by the definition of \w
            continue
        start, end = match.span()
        if start > 0:
            balance_before[mark] += -1 if text[start - 1].isspace() else 1
        if end < len(text):
            balance_after[mark] += -1 if text[end].isspace() else 1
    return (
        frozenset(mark for mark, balance in balance_before.items() if balance > 0),
        frozenset(mark for mark, balance in balance_after.items() if balance > 0),
    )


def split_text(text: str, held_out: float) -> tuple[str, str]:
    """Returns the text up to its last `held_out` share, and that share, for `evaluate`.

    >>> split_text("abcdefghij", 0.2)
    ('abcdefgh', 'ij')
    """
    check_content("text", text)
    check_text(text)
    check_rate("held_out", held_out)
    cut = len(text) - int(len(text) * held_out)
    return text[:cut], text[cut:]
