"""Symbols as numbers and back: a vocabulary of characters or of words, learned from training texts only."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from statewise.data.tokens import RULES, as_read, find_words, first_tokens, is_word, tokenize
from statewise.errors import DataError, FileError, nearest
from statewise.foundation.characters import fold
from statewise.foundation.shapes import Array, check_rate


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a text, numbered in the order of their code points; those added later follow in theirs.

    Args:
        tokens: `char`, every character, or `word`, words and punctuation marks; blanks between words are not kept.
        symbols: all of them.
        tight_before: words and marks that were mostly written right after what precedes them, such as `,`.
        tight_after: those that were mostly followed by no blank, such as `(`.
        rules: by which a text is split into tokens, see `statewise.data.tokens.RULES`.

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
    rules: int = RULES

    @classmethod
    def of(cls, text: str, tokens: str) -> Vocabulary:
        """Returns the vocabulary of `text`.

        Raises:
            ConfigurationError: `tokens` is neither `char` nor `word`.
            DataError: nothing to learn from: no text, or the same token all through.
        """
        found = frozenset(_check_learnable(text, tokens, RULES))
        return cls(tokens, tuple(sorted(found)), *_tight(text, tokens, RULES))

    def tokenize(self, text: str) -> Sequence[str]:
        """Returns the tokens of `text`, known or not."""
        return tokenize(text, self.tokens, self.rules)

    def first_tokens(self, text: str, count: int) -> str:
        """Returns the beginning of `text` up to its `count`-th token."""
        return first_tokens(text, self.tokens, count, self.rules)

    def unknown(self, text: str) -> list[str]:
        """Returns the symbols of `text` that are not in the vocabulary, each once, in the order of their code points.

        >>> Vocabulary.of("the mice", "char").unknown("the cats")
        ['a', 's']

        Raises:
            DataError: nothing to learn from, as for `of`.
        """
        return sorted(set(_check_learnable(text, self.tokens, self.rules)) - self.numbers.keys())

    def with_symbols_of(self, text: str) -> Vocabulary:
        """Returns the vocabulary with what is new in `text` after what is there, which keeps its numbers.

        How a mark is spaced is learned from the text that first had it.
        """
        new = self.unknown(text)
        before, after = (marks.intersection(new) for marks in _tight(text, self.tokens, self.rules))
        spaced = self.tight_before | before, self.tight_after | after
        return Vocabulary(self.tokens, (*self.symbols, *new), *spaced, self.rules)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each symbol."""
        return {symbol: number for number, symbol in enumerate(self.symbols)}

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> Array:
        """Returns the numbers of a text's tokens, int32 `[N]`.

        Raises:
            DataError: a symbol that is not in the vocabulary; the message has those that are like it.
        """
        numbers = self.encode_known(text)
        if (numbers < 0).any():
            symbol = self.tokenize(text)[int(np.argmin(numbers))]
            known = " ".join(map(repr, self.nearest(symbol)))
            hint = f"; the nearest it knows: {known}" if known else ", nor one like it; leave it out"
            raise DataError(f"the model never saw the {self.tokens} {symbol!r}{hint}")
        return numbers

    def encode_known(self, text: str) -> Array:
        """Returns the numbers of a text's tokens, -1 for those that are not in the vocabulary."""
        numbers = self.numbers
        return np.array([numbers.get(token, -1) for token in self.tokenize(text)], np.int32)

    def without_unknown(self, text: str) -> str:
        """Returns a text without the tokens that are not in the vocabulary; with all of them, as it is."""
        tokens = self.tokenize(text)
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
            raise DataError("the prompt is empty; expected at least one token to continue from")
        if window is not None and len(numbers) < window:
            raise DataError(
                f"the prompt {prompt!r} has {len(numbers)} {self.tokens} token(s), the model reads windows of "
                f"{window}; expected a prompt of at least {window}"
            )
        return numbers

    def decode(self, numbers: Iterable[int]) -> str:
        """Returns the text of `numbers`, words spaced as the training text mostly spaced them.

        Of characters, that of `encode(text)` is the text as its tokens spell it. Of words, it is encoded to `numbers`
        again, whatever they are.
        """
        return "".join(self.pieces(numbers))

    def pieces(self, numbers: Iterable[int], after: Sequence[int] = ()) -> Iterator[str]:
        """Yields each symbol as it comes, with the blank before it where one belongs, in a text after that of `after`.

        >>> vocabulary = Vocabulary.of("the mice , the cat", "word")
        >>> list(vocabulary.pieces([3, 1], after=[2]))
        [' the', ' cat']
        """
        before = after[-2:]  # no further back can it matter: a separator and what it separates
        run: list[str] = []
        for place, number in enumerate(chain(before, numbers)):
            symbol = self.symbols[int(number)]
            close = place == 0 or self._joined(run, symbol)
            run = [*run[-1:], symbol] if close else [symbol]
            if place >= len(before):
                yield symbol if close else f" {symbol}"

    def _joined(self, run: list[str], symbol: str) -> bool:
        """Returns whether no blank belongs between symbols that have none and the next one, which must stay itself."""
        if self.tokens == "char":
            return True
        tight = symbol in self.tight_before or run[-1] in self.tight_after
        return tight and list(self.tokenize("".join([*run, symbol]))) == [*run, symbol]

    def nearest(self, symbol: str) -> list[str]:
        """Returns up to three known symbols like `symbol`: in another case or with other marks, or similar words."""
        bare = fold(symbol)
        alike = [known for known in self.symbols if bare and fold(known) == bare]
        return list(dict.fromkeys([*alike, *nearest(symbol, self.symbols)]))[:3]

    def config(self) -> dict[str, Any]:
        """Returns the vocabulary as JSON holds it."""
        return {
            "tokens": self.tokens,
            "symbols": list(self.symbols),
            "tight_before": sorted(self.tight_before),
            "tight_after": sorted(self.tight_after),
            "rules": self.rules,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Vocabulary:
        """Returns the vocabulary that `config` described; in older files, which name no rules, they are the first.

        Raises:
            FileError: it reads by rules of a newer statewise.
        """
        if (rules := config.get("rules", 1)) > RULES:
            raise FileError(
                f"it splits texts into tokens by rules {rules}, this statewise knows those up to {RULES}: pip install "
                "--upgrade statewise"
            )
        return cls(
            config["tokens"],
            tuple(config["symbols"]),
            frozenset(config["tight_before"]),
            frozenset(config["tight_after"]),
            rules,
        )


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


def _check_learnable(text: str, tokens: str, rules: int) -> Sequence[str]:
    """Returns the tokens of a text of which it can be learned what follows what."""
    found = tokenize(text, tokens, rules)
    if len(set(found)) < 2 or not text.strip():
        what = "is blank" if text and not text.strip() else f"has {len(set(found))} different {tokens} token(s)"
        raise DataError(f"the text {what}; expected one with at least two different ones, to learn what follows what")
    return found


def _tight(text: str, tokens: str, rules: int) -> tuple[frozenset[str], frozenset[str]]:
    """Returns the marks that mostly stand right after, and right before, their neighbors; characters never are."""
    if tokens == "char":
        return frozenset(), frozenset()
    text = as_read(text, rules)
    balance_before: Counter[str] = Counter()
    balance_after: Counter[str] = Counter()
    for match in find_words(text, rules):
        mark = match.group()
        if is_word(mark):
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
    text = as_read(text)  # before it is cut: no letter is parted from its mark, no line end in two
    check_rate("held_out", held_out)
    cut = len(text) - int(len(text) * held_out)
    return text[:cut], text[cut:]
