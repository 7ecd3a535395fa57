"""Symbols as numbers and back: a vocabulary of characters or of words, learnt from the training text only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError, DataError, nearest, unknown_name
from statewise.shapes import Array

TOKENS = ("char", "word")

WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
"""A word, apostrophes inside it included, or one punctuation mark."""


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a text, numbered in the order of their code points.

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
            DataError: fewer than two tokens.
        """
        found = tokenize(text, tokens)
        if len(found) < 2:
            raise DataError(f"the text has {len(found)} token(s) ({tokens}); there is nothing to learn below two")
        if tokens == "char":
            return cls(tokens, tuple(sorted(set(found))))
        before, after = _tight(text)
        return cls(tokens, tuple(sorted(set(found))), before, after)

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
        """Returns known symbols like `symbol`: the same letter in another case, similar words, close code points."""
        if close := nearest(symbol, self.symbols):
            return close
        if len(symbol) > 1:
            return list(self.symbols[:3])
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
    if tokens == "char":
        return text
    if tokens == "word":
        return WORD.findall(text)
    if isinstance(tokens, str):
        raise unknown_name("tokens", tokens, TOKENS)
    raise ConfigurationError(f"tokens: expected 'char' or 'word', got {tokens!r}")


def _tight(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Returns the marks that mostly stand right after, and right before, their neighbours."""
    balance_before: Counter[str] = Counter()
    balance_after: Counter[str] = Counter()
    for match in WORD.finditer(text):
        mark = match.group()
        if mark[0].isalnum():
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
    if not 0 <= held_out < 1:
        raise ConfigurationError(f"held_out: expected a share from 0 up to, but not, 1; got {held_out}")
    cut = len(text) - int(len(text) * held_out)
    return text[:cut], text[cut:]
