"""Pretrained word vectors, in word2vec's text and binary formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np

from statewise.errors import COPY_AGAIN, DataError, FileError, ShapeError
from statewise.foundation.files import open_file, write_whole
from statewise.foundation.shapes import Array, as_array, check_finite, check_seed, check_whole

LONGEST = 4096
"""The maximum number of bytes of the first line or of a word; anything longer is something else."""

SMALL = 0.05
"""Symbols without a vector get numbers within this distance of 0, as in a new Embedding."""


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words and a vector for each: `vectors["mouse"]` is a word's vector, `"mouse" in vectors` whether it has one.

    Args:
        words: all different, without blanks or line breaks.
        vectors: float32 `[N, D]`, a row for each word.

    >>> import statewise as sw
    >>> vectors = sw.WordVectors(("cat", "mouse"), [[0.1, 0.2], [0.3, 0.4]])
    >>> len(vectors), "mouse" in vectors, vectors["mouse"]
    (2, True, array([0.3, 0.4], dtype=float32))

    An Embedding, whose weights are the first of a model, can start from them:

    >>> matrix, missing = vectors.embedding(["the", "cat", "mouse"])
    >>> missing
    ('the',)
    >>> layers = [sw.Embedding(3, 2, input_shape=(None,)), sw.LSTM(4), sw.Dense(3, activation="softmax")]
    >>> model = sw.Sequential(layers, seed=7)
    >>> model.set_weights([matrix, *model.get_weights()[1:]])

    Raises:
        DataError: a duplicate word, or one that no file can hold; NaN.
        ShapeError: there is not one row per word.
    """

    words: tuple[str, ...]
    vectors: Array

    def __post_init__(self) -> None:
        words, vectors = tuple(self.words), as_array("vectors", self.vectors).astype(np.float32, copy=False)
        if vectors.ndim != 2 or vectors.shape[0] != len(words) or vectors.size == 0:
            raise ShapeError(
                f"vectors: expected shape [{len(words)}, D], a row for each word, got {list(vectors.shape)}"
            )
        check_finite("vectors", vectors)
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "vectors", _frozen(vectors))
        for word in words:
            if not isinstance(word, str) or not word or " " in word or "\n" in word:
                raise DataError(f"expected words without blanks or line breaks, got {word!r}")
        if len(self._rows) < len(words):
            twice = next(word for row, word in enumerate(words) if self._rows[word] != row)
            raise DataError(f"the word {twice!r} has two vectors; expected one for each word")

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._rows

    def __getitem__(self, word: str) -> Array:
        if word not in self._rows:
            raise DataError(f"no vector for {word!r} among those of {len(self):,} words; check `word in vectors` first")
        return self.vectors[self._rows[word]]

    def __repr__(self) -> str:
        return f"WordVectors({len(self):,} words, vectors {list(self.vectors.shape)})"

    def embedding(self, symbols: Sequence[str], *, seed: int = 0) -> tuple[Array, tuple[str, ...]]:
        """Returns `(matrix, missing)`: weights `[V, D]` of an Embedding of these symbols, and symbols without a vector.

        Args:
            symbols: V of them, in the order of their numbers, such as `TextModel.vocabulary.symbols`.
            seed: of the small random numbers for symbols without a vector.
        """
        rng = np.random.default_rng(check_seed(seed))
        matrix = rng.uniform(-SMALL, SMALL, (len(symbols), self.vectors.shape[1])).astype(np.float32)
        known = [number for number, symbol in enumerate(symbols) if symbol in self]
        matrix[known] = self.vectors[[self._rows[symbols[number]] for number in known]]
        return matrix, tuple(symbol for symbol in symbols if symbol not in self)

    def save(self, path: str | Path, *, binary: bool = False) -> None:
        """Writes them in word2vec's text format or, smaller and quicker to read, in its binary one.

        Raises:
            FileError: it cannot be written there.
        """
        pairs = zip(self.words, self.vectors, strict=True)
        records = (word.encode() + b" " + (_bytes_of(row) if binary else _digits(row)) + b"\n" for word, row in pairs)
        write_whole(path, b"".join([b"%d %d\n" % self.vectors.shape, *records]))


def read_word_vectors(path: str | Path, *, limit: int | None = None) -> WordVectors:
    """Returns the words and vectors of a file in word2vec's text or binary format, whichever it is.

    Both begin with a line `N D`: the number of words, and of numbers per vector. In the text format a line for each
    word follows, `word 0.1 -0.2 ...`; in the binary one the word, a blank, and D numbers of 4 bytes (float32,
    little-endian). Words are UTF-8.

    Args:
        path: the file.
        limit: how many words to read from the beginning, usually the most frequent ones; by default all.

    Raises:
        FileError: the file does not exist, is of another kind, or is cut short or damaged.
        DataError: a duplicate word, one that is not UTF-8, or NaN.
    """
    wanted = None if limit is None else check_whole("limit", limit)
    try:
        with open_file(path) as file:
            return _read(file, path, wanted)
    except FileNotFoundError:
        raise FileError(f"no file {path}; expected word vectors in word2vec's text or binary format") from None
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}; expected a file of word vectors") from None


def _read(file: BinaryIO, path: str | Path, limit: int | None) -> WordVectors:
    count, dimensions = _read_header(file, path)
    wanted = count if limit is None else min(count, limit)
    place = file.tell()
    room = file.seek(0, 2) - place
    file.seek(place)
    if wanted * 2 * dimensions > room:  # before memory is allocated; a number takes at least a blank and a digit
        raise _cut_short(path, count, dimensions)
    records = _texts if _is_text(file, dimensions) else _binaries
    words, vectors = [], np.empty((wanted, dimensions), np.float32)
    for row, (word, vector) in zip(range(wanted), records(file, dimensions, path), strict=False):
        words.append(_decoded(word, row, path))
        vectors[row] = vector
    if len(words) < wanted:
        raise _cut_short(path, count, dimensions)
    if wanted == count and file.read(LONGEST).strip():
        raise FileError(f"{path}: expected {count} words, as its first line says, got more; {COPY_AGAIN}")
    vectors.flags.writeable = False
    try:
        return WordVectors(tuple(words), vectors)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _cut_short(path: str | Path, count: int, dimensions: int) -> FileError:
    return FileError(
        f"{path} is cut short: expected {count} words of {dimensions} numbers, as its first line says; "
        f"{COPY_AGAIN}, or read its beginning with limit=..."
    )


def _read_header(file: BinaryIO, path: str | Path) -> tuple[int, int]:
    line = file.readline(LONGEST)
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() and int(field) > 0 for field in fields):
        raise FileError(
            f"{path} is not a file of word vectors in word2vec's format: expected a first line such as '10000 300', "
            f"the numbers of words and dimensions, got {line[:40]!r}; add that line if it is missing, as in "
            "GloVe's files"
        )
    return int(fields[0]), int(fields[1])


def _is_text(file: BinaryIO, dimensions: int) -> bool:
    """Returns whether a line of digits follows, or at least UTF-8, which the bytes of floats are not for long."""
    place = file.tell()
    fields = file.readline(LONGEST + 32 * dimensions).split()[1:]
    file.seek(place)
    beginning = file.read(LONGEST)
    file.seek(place)
    return (len(fields) == dimensions and _numbers(fields) is not None) or _is_utf_8(beginning)


def _numbers(fields: Sequence[bytes]) -> list[float] | None:
    try:
        return [float(field) for field in fields]
    except ValueError:
        return None


def _is_utf_8(beginning: bytes) -> bool:
    try:
        beginning.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # in the middle of a character
    return b"\0" not in beginning


Records = Iterator[tuple[bytes, Array]]
"""Words as they are in a file, and their numbers."""


def _texts(file: BinaryIO, dimensions: int, path: str | Path) -> Records:
    for line_number, line in enumerate(file, 2):
        word, *fields = line.rstrip().split(b" ")
        numbers = _numbers(fields)
        if numbers is None or len(numbers) != dimensions:
            raise FileError(
                f"{path}, line {line_number}: expected a word and {dimensions} numbers, got {line[:60]!r}; {COPY_AGAIN}"
            )
        with np.errstate(over="ignore"):  # values beyond float32 become infinite, which is refused
            yield word, np.array(numbers, np.float32)


def _binaries(file: BinaryIO, dimensions: int, path: str | Path) -> Records:
    while word := _word(file):
        if len(word) > LONGEST:
            raise FileError(f"{path} is damaged: a word of more than {LONGEST} bytes, {word[:20]!r}...; {COPY_AGAIN}")
        numbers = file.read(4 * dimensions)
        if len(numbers) == 4 * dimensions:
            yield word, np.frombuffer(numbers, "<f4")


def _word(file: BinaryIO) -> bytes:
    """Returns what precedes the next blank, without the line break that some programs write after a vector."""
    word = bytearray()
    while len(word) <= LONGEST and (byte := file.read(1)) not in (b" ", b""):
        word += byte
    return bytes(word).lstrip(b"\n")


def _decoded(word: bytes, row: int, path: str | Path) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise DataError(f"{path}: word {row + 1}, {word[:60]!r}, is not UTF-8; save the file again in UTF-8") from None


def _bytes_of(row: Array) -> bytes:
    return row.astype("<f4").tobytes()


def _digits(row: Iterable[np.float32]) -> bytes:
    return " ".join(map(str, row)).encode()  # the fewest digits that read as the same float32


def _frozen(vectors: Array) -> Array:
    """Returns a read-only copy, or the array itself if it is read-only already: these are large."""
    if vectors.flags.writeable:
        vectors = vectors.copy()
        vectors.flags.writeable = False
    return vectors
