"""keras.preprocessing.text: words numbered by how often they occur, and texts as those numbers."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError, DataError, LifecycleError, unknown_name
from statewise.foundation.shapes import Array, check_whole, is_number
from statewise.legacy.errors import lacking
from statewise.legacy.spellings import note

__all__ = ["Tokenizer", "base_filter", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]
__getattr__ = lacking("keras.preprocessing.text", __all__)

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""The characters that are replaced by spaces by default: all punctuation but the apostrophe, tabs and line breaks."""

MODES = ("binary", "count", "freq", "tfidf")


def base_filter() -> str:
    """Returns the characters that Keras 1 filtered by default."""
    return FILTERS


def text_to_word_sequence(text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """Returns the words of a text.

    Args:
        text: what to split.
        filters: characters to replace by `split`.
        lower: whether to convert to lower case.
        split: the text between words.

    Raises:
        ConfigurationError: an option out of its range.
        DataError: `text` is no text.

    >>> text_to_word_sequence("The cat's mat; the mouse.")
    ['the', "cat's", 'mat', 'the', 'mouse']
    """
    if not isinstance(split, str) or not split:
        raise ConfigurationError(f"split: expected the text between words, such as ' ', got {split!r}")
    if any(len(character) != 1 for character in filters):
        raise ConfigurationError(f"filters: expected single characters, got {filters!r}")
    cased = _lowered(text) if lower else _checked(text)
    spaced = cased.translate({ord(character): split for character in filters})
    return [word for word in spaced.split(split) if word]


def _checked(text: Any) -> str:
    if not isinstance(text, str):
        raise DataError(f"expected a text, got {text!r}; texts are given as a list of strings, or of lists of words")
    return text


def _lowered(text: Any) -> str:
    return _checked(text).lower()


def one_hot(
    text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[Any], Iterable[Any]] | None = None,
) -> list[int]:
    """Returns a number from 1 to `n - 1` for each word, by Python's `hash`: other numbers in each process."""
    return hashing_trick(text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text: str,
    n: int,
    hash_function: str | Callable[[Any], int] | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[Any], Iterable[Any]] | None = None,
) -> list[int]:
    """Returns a number from 1 to `n - 1` for each word; several words may share one.

    Args:
        text: what to encode.
        n: the highest number, plus one.
        hash_function: word -> whole number; `"md5"`, which is the same everywhere; or None for Python's `hash`.
        filters: as in `text_to_word_sequence`, like the next two.
        lower: whether to convert to lower case.
        split: the text between words.
        analyzer: text -> words, instead of `text_to_word_sequence`.

    Raises:
        ConfigurationError: an option out of its range.

    >>> hashing_trick("the cat and the mouse", 50, "md5")
    [43, 32, 14, 43, 19]
    """
    if not is_number(n) or n <= 1:
        raise ConfigurationError(f"n: expected a number of more than 1, got {n!r}")
    number_of = _hash_function(hash_function)
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [number_of(word) % (n - 1) + 1 for word in words]


def _hash_function(given: Any) -> Callable[[Any], int]:
    if given is None:
        return hash
    if given == "md5":
        return lambda word: int(hashlib.md5(word.encode()).hexdigest(), 16)
    if not callable(given):
        raise unknown_name("hash_function", given, ["md5"])
    return given


class Tokenizer:
    """Numbers words by how often they occur, from 1, and writes texts as those numbers.

    Args:
        num_words: only words with a number below this are written; all of them by default.
        filters: characters to replace by `split`.
        lower: whether to convert to lower case.
        split: the text between words.
        char_level: each character is a word.
        oov_token: the token for words that are left out; it has number 1.
        document_count: texts that were counted before.
        analyzer: text -> words, instead of `text_to_word_sequence`.
        nb_words: what Keras 1 called `num_words`.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["the cat saw the mouse", "the mouse ran"])
    >>> tokenizer.word_index
    {'the': 1, 'mouse': 2, 'cat': 3, 'saw': 4, 'ran': 5}
    >>> tokenizer.texts_to_sequences(["the mouse saw the dog"])
    [[1, 2, 4, 1]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: Any = None,
        document_count: int = 0,
        analyzer: Callable[[Any], Iterable[Any]] | None = None,
        *,
        nb_words: int | None = None,
    ) -> None:
        tokens = "char" if char_level else "word"
        note("Tokenizer(...)", f"sw.TextModel(tokens={tokens!r}).fit(text)  # builds its own vocabulary")
        if nb_words is not None:
            note("nb_words=", "num_words= in Keras 2; sw.TextModel builds its vocabulary from the text")
        self.num_words = num_words if nb_words is None else nb_words
        self.filters, self.lower, self.split = filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.document_count = document_count
        self.word_counts: OrderedDict[Any, int] = OrderedDict()
        self.word_docs: defaultdict[Any, int] = defaultdict(int)
        self.index_docs: defaultdict[int, int] = defaultdict(int)
        self.word_index: dict[Any, int] = {}
        self.index_word: dict[int, Any] = {}

    # -- count -------------------------------------------------------------------------------------------------

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Counts the words of texts, strings or lists of words, and renumbers all words."""
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        self._number()

    def _words(self, text: Any) -> list[Any]:
        if isinstance(text, list):
            return [_lowered(word) for word in text] if self.lower else text
        if self.char_level:
            return list(_lowered(text) if self.lower else text)
        if self.analyzer is not None:
            return list(self.analyzer(text))
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def _number(self) -> None:
        """Numbers the words: the most frequent first, and of equally frequent ones, the first to appear."""
        ranked = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        if self.oov_token is not None:
            ranked.insert(0, self.oov_token)
        self.word_index = {word: number for number, word in enumerate(ranked, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        self.index_docs.update((self.word_index[word], count) for word, count in self.word_docs.items())

    def fit_on_sequences(self, sequences: Any) -> None:
        """Counts in how many sequences each number occurs, for the `tfidf` of `sequences_to_matrix`."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] += 1

    # -- write -------------------------------------------------------------------------------------------------

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Returns each text as the numbers of its words; unknown words are left out or replaced by `oov_token`."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """Returns what `texts_to_sequences` does, one text after the other."""
        for text in texts:
            numbers = (self._known(self.word_index.get(word)) for word in self._words(text))
            yield [number for number in numbers if number is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Returns each sequence as its words with spaces between them; unknown numbers as in `texts_to_sequences`."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Returns what `sequences_to_texts` does, one sequence after the other."""
        for sequence in sequences:
            numbers = (self._known(number if number in self.index_word else None) for number in sequence)
            yield " ".join(self.index_word[number] for number in numbers if number is not None)

    def _known(self, number: int | None) -> int | None:
        """Returns `number`, or that of `oov_token` if it is None or not below `num_words`."""
        if number is not None and not (self.num_words and number >= self.num_words):
            return number
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> Array:
        """Returns `sequences_to_matrix` of the texts."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> Array:
        """Returns `[B, num_words]`: how much of each word is in each sequence.

        Args:
            sequences: numbers of words.
            mode: `binary`: 1 if it occurs; `count`: how often; `freq`: its share of the sequence; `tfidf`:
                `(1 + log count) log(1 + N / (1 + n))` for a word that is in n of the N texts.

        Raises:
            ConfigurationError: there is no such mode.
            LifecycleError: nothing was counted yet.
        """
        if mode not in MODES:
            raise unknown_name("mode", mode, MODES)
        if mode == "tfidf" and not self.document_count:
            raise LifecycleError("the tokenizer has counted no texts yet: call fit_on_texts(texts) before mode='tfidf'")
        matrix = np.zeros((len(sequences), self._columns()))
        for row, sequence in zip(matrix, sequences, strict=True):
            self._weigh(row, np.asarray(sequence, dtype=int), mode)
        return matrix

    def _columns(self) -> int:
        if self.num_words:
            return check_whole("num_words", self.num_words)
        if not self.word_index:
            raise LifecycleError("the tokenizer knows no words yet: call fit_on_texts(texts) first, or give num_words=")
        return len(self.word_index) + 1

    def _weigh(self, row: Array, sequence: Array, mode: str) -> None:
        """Writes the weight of each word in `sequence` to its place in `row`, `[num_words]`."""
        words, counts = np.unique(sequence[sequence < len(row)], return_counts=True)
        if mode == "binary":
            row[words] = 1
        elif mode == "count":
            row[words] = counts
        elif mode == "freq":
            row[words] = counts / max(1, len(sequence))
        else:
            texts = np.array([self.index_docs.get(int(word), 0) for word in words])
            row[words] = (1 + np.log(counts)) * np.log(1 + self.document_count / (1 + texts))

    # -- keep --------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Returns options and counts by name, the counts as JSON."""
        options = "num_words filters lower split char_level oov_token document_count"
        counts = "word_counts word_docs index_docs index_word word_index"
        return {
            **{name: getattr(self, name) for name in options.split()},
            **{name: json.dumps(getattr(self, name)) for name in counts.split()},
        }

    def to_json(self, **options: Any) -> str:
        """Returns all but the analyzer as JSON, for `tokenizer_from_json`; options as those of `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **options)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Returns the tokenizer that `to_json` wrote, ours or Keras's.

    Raises:
        DataError: the text is not what `to_json` writes.
    """
    try:
        config = json.loads(json_string)["config"]
        counts = {name: json.loads(config.pop(name)) for name in ("word_counts", "word_docs", "word_index")}
        by_number = {name: json.loads(config.pop(name)) for name in ("index_docs", "index_word")}
        tokenizer = Tokenizer(**config)
    except (ValueError, KeyError, TypeError):
        raise DataError(f"expected what Tokenizer.to_json() returns, got {str(json_string)[:40]!r}") from None
    for name, values in counts.items():
        getattr(tokenizer, name).update(values)
    for name, values in by_number.items():
        getattr(tokenizer, name).update((int(number), value) for number, value in values.items())
    return tokenizer
