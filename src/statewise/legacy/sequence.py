"""keras.preprocessing.sequence: rows padded to one length, windows of a series, pairs of neighboring words."""

from __future__ import annotations

import json
import math
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError, DataError, ShapeError, StatewiseWarning
from statewise.foundation.shapes import Array, check_whole
from statewise.legacy.errors import lacking
from statewise.legacy.spellings import note

__all__ = ["Sequence", "TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]
__getattr__ = lacking("keras.preprocessing.sequence", __all__)


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> Array:
    """Returns sequences `[T, ...]` of different lengths as one array `[B, maxlen, ...]`.

    Args:
        sequences: a list of lists or arrays, which differ in nothing but their length.
        maxlen: steps of the array; by default as many as the longest sequence has.
        dtype: its type; `object` for words.
        padding: `pre` or `post`: the end at which shorter ones are padded.
        truncating: `pre` or `post`: the end at which longer ones are cut.
        value: the padding value.

    Raises:
        ConfigurationError: an option out of its range.
        DataError: no sequences, or something in them that is no sequence or does not fit `dtype`.
        ShapeError: sequences that differ in more than their length.

    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2).tolist()
    [[0, 1], [3, 4]]
    """
    note("pad_sequences(...)", "model.fit([a, b, ...], y)  # arrays of different lengths are padded and masked for you")
    _check_sides(padding=padding, truncating=truncating)
    _check_filler(value, dtype)
    steps = _longest(sequences, maxlen)
    shape = next((_row_shape(number, row) for number, row in enumerate(sequences) if len(row)), ())
    padded = np.full((len(sequences), steps, *shape), value, dtype)
    for number, row in enumerate(sequences):
        if len(row):
            kept = _converted(number, row[-steps:] if truncating == "pre" else row[:steps], dtype, shape)
            padded[number, slice(steps - len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    _warn_of_lost_fractions(sequences, padded.dtype)
    return padded


def _check_sides(**sides: str) -> None:
    for name, side in sides.items():
        if side not in ("pre", "post"):
            raise ConfigurationError(f"{name}: expected 'pre' or 'post', got {side!r}")


def _check_filler(value: object, dtype: Any) -> None:
    if isinstance(value, str) and np.dtype(dtype).kind not in "OU":
        raise ConfigurationError(f"value: expected a number for dtype={dtype!r}, got {value!r}; write dtype=object")


def _longest(sequences: Any, maxlen: int | None) -> int:
    """Returns `maxlen`, or else the most steps of any sequence."""
    if not hasattr(sequences, "__len__"):
        raise DataError(f"sequences: expected a list of sequences, got {sequences!r}; write list(...) around it")
    for number, row in enumerate(sequences):
        if not hasattr(row, "__len__") or isinstance(row, str | bytes):
            raise DataError(
                f"sequences[{number}]: expected a list or an array, got {row!r}; a single sequence is written [[1, 2]]"
            )
    if maxlen is not None:
        return check_whole("maxlen", maxlen)
    if len(sequences) == 0:
        raise DataError("sequences: expected at least one, got none; or give their length with maxlen=")
    return max(len(row) for row in sequences)


def _row_shape(number: int, row: Any) -> tuple[int, ...]:
    try:
        return np.asarray(row).shape[1:]
    except ValueError:  # NumPy's own words are about inhomogeneous shapes
        raise ShapeError(f"sequences[{number}]: expected steps of one shape, got different ones") from None


def _converted(number: int, row: Any, dtype: Any, shape: tuple[int, ...]) -> Array:
    """Returns `row` as an array `[T, *shape]`."""
    try:
        array = np.asarray(row, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        _row_shape(number, row)
        raise DataError(
            f"sequences[{number}]: expected values that fit dtype={dtype!r}, but {error}; choose another dtype"
        ) from None
    if array.shape[1:] != shape:
        raise ShapeError(
            f"sequences[{number}]: expected steps of shape {list(shape)}, as in the others, got {list(array.shape[1:])}"
        )
    return array


def _warn_of_lost_fractions(sequences: Any, dtype: np.dtype[Any]) -> None:
    if dtype.kind in "iu" and any(_has_fractions(np.asarray(row)) for row in sequences):
        warnings.warn(
            f"pad_sequences(dtype='{dtype}') drops digits after the decimal point: write dtype='float32' to keep them",
            StatewiseWarning,
            stacklevel=3,
        )


def _has_fractions(row: Array) -> bool:
    return row.dtype.kind == "f" and bool((row % 1).any())


class Sequence:
    """Batches by their number: what a script's own data class derives from."""

    def __getitem__(self, index: int) -> Any:
        """Returns batch `index`, from 0."""
        raise ConfigurationError(f"{type(self).__name__}: define __getitem__(self, index), which returns a batch")

    def __len__(self) -> int:
        """Returns the number of batches of an epoch."""
        raise ConfigurationError(f"{type(self).__name__}: define __len__(self), which returns the number of batches")

    def on_epoch_end(self) -> None:
        """Does nothing; called after each epoch."""

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))


class TimeseriesGenerator(Sequence):
    """Batches of windows of a series, each with the target at the step after it.

    Args:
        data: the series `[T, ...]`, an array or a list.
        targets: `[T, ...]`, as long as `data`.
        length: steps from the first of a window to its target.
        sampling_rate: steps between the values of a window.
        stride: steps between windows.
        start_index: first step of `data` that is used.
        end_index: last step that is used; by default the last one.
        shuffle: draw windows at random, with NumPy's global generator, instead of in order.
        reverse: each window backwards in time.
        batch_size: windows in a batch.

    Raises:
        ConfigurationError: an option out of its range, or nothing left between the indices.
        ShapeError: data and targets of different lengths.

    >>> series = np.arange(6)
    >>> x, y = TimeseriesGenerator(series, series, length=3)[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3], [2, 3, 4]], [3, 4, 5])
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        note("TimeseriesGenerator(data, targets, length)", "model.fit(sw.windows(data, length))")
        if len(data) != len(targets):
            raise ShapeError(f"targets: expected one for each of the {len(data)} steps of data, got {len(targets)}")
        self.data, self.targets = data, targets
        self.length = check_whole("length", length)
        self.sampling_rate = check_whole("sampling_rate", sampling_rate)
        self.stride = check_whole("stride", stride)
        self.start_index = check_whole("start_index", start_index, least=0) + self.length
        self.end_index = self._last(end_index)
        self.shuffle, self.reverse = shuffle, reverse
        self.batch_size = check_whole("batch_size", batch_size)

    def _last(self, end_index: int | None) -> int:
        last = len(self.data) - 1
        if end_index is None:
            end_index = last
        elif end_index > last:
            raise ConfigurationError(f"end_index: expected at most {last}, the last step of data, got {end_index!r}")
        if self.start_index > end_index:
            raise ConfigurationError(
                f"expected start_index + length up to end_index={end_index}, got {self.start_index}, which leaves no "
                "step to predict; use a smaller length or a longer series"
            )
        return end_index

    def __len__(self) -> int:
        """Returns the number of batches, a short last one included."""
        return math.ceil((self.end_index + 1 - self.start_index) / (self.batch_size * self.stride))

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        """Returns x `[B, length / sampling_rate, ...]` and y `[B, ...]` of batch `index`."""
        rows = self._rows(index)
        x = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        return x[:, ::-1] if self.reverse else x, np.array([self.targets[row] for row in rows])

    def _rows(self, index: int) -> Array:
        """Returns the steps that batch `index` predicts."""
        end = self.end_index + 1
        if self.shuffle:
            return np.random.randint(self.start_index, end, size=self.batch_size)
        span = self.batch_size * self.stride
        first = self.start_index + span * index
        return np.arange(first, min(first + span, end), self.stride)

    def get_config(self) -> dict[str, Any]:
        """Returns all options by name, the data and targets as JSON; `start_index` has `length` added, as in Keras."""
        names = "length sampling_rate stride start_index end_index shuffle reverse batch_size"
        return {
            "data": _as_json("data", self.data),
            "targets": _as_json("targets", self.targets),
            **{name: getattr(self, name) for name in names.split()},
        }

    def to_json(self, **options: Any) -> str:
        """Returns the class's name and `get_config()` as JSON; options as those of `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **options)


def _as_json(name: str, values: Any) -> str:
    try:
        return json.dumps(values.tolist() if isinstance(values, np.ndarray | np.generic) else values)
    except TypeError:
        raise DataError(f"{name}: expected numbers in an array or a list, got {type(values).__name__}") from None


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> Array:
    """Returns `[size]`: how likely word2vec is to keep the word of each rank, if frequencies follow Zipf's law.

    A word is kept with probability `min(1, sqrt(factor / frequency))`; the frequency of rank r is about
    `1 / (r (log r + gamma) + 1/2 - 1/(12 r))`. Rank 0, which is no word, counts as rank 1.
    """
    rank = np.maximum(np.arange(check_whole("size", size)), 1)
    rarity = rank * (np.log(rank) + 0.577) + 0.5 - 1 / (12 * rank)
    return np.minimum(1, np.sqrt(sampling_factor * rarity))


def skipgrams(
    sequence: Any,
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Returns pairs of words and their labels: 1 for two that are close to each other, 0 for two drawn at random.

    Args:
        sequence: numbers of words, by rank if there is a `sampling_table`; 0 is no word and is skipped.
        vocabulary_size: the highest number of a word, plus one.
        window_size: how far apart two words are at most.
        negative_samples: random pairs for each true one.
        shuffle: pairs in random order, by `random`'s global generator, like all that is random here.
        categorical: labels `[1, 0]` and `[0, 1]` instead of 0 and 1.
        sampling_table: how likely the word of each rank is to be kept.
        seed: of the order.
    """
    couples = list(_neighbors(sequence, window_size, sampling_table))
    strangers = list(_strangers(couples, negative_samples, vocabulary_size))
    false, true = ([1, 0], [0, 1]) if categorical else (0, 1)
    labels: list[Any] = [true] * len(couples) + [false] * len(strangers)
    couples += strangers
    if shuffle:
        seed = random.randint(0, int(10e6)) if seed is None else seed
        for paired in (couples, labels):
            random.seed(seed)
            random.shuffle(paired)
    return couples, labels


def _neighbors(sequence: Any, window_size: int, sampling_table: Any) -> Iterator[list[int]]:
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        for other in range(max(0, place - window_size), min(len(sequence), place + window_size + 1)):
            if other != place and sequence[other]:
                yield [word, sequence[other]]


def _strangers(couples: list[list[int]], share: float, vocabulary_size: int) -> Iterator[list[int]]:
    if share > 0:
        words = [word for word, _ in couples]
        random.shuffle(words)
        for number in range(int(len(words) * share)):
            yield [words[number % len(words)], random.randint(1, int(vocabulary_size - 1))]
