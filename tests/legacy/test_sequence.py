"""keras.preprocessing.sequence returns what Keras 2 does, and says what it cannot do."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import statewise
from golden.keras_calls import recorded, replay, same
from mistakes import Action, Error, case, each, refused, table
from statewise.errors import ConfigurationError, DataError, ShapeError, StatewiseWarning
from statewise.legacy import sequence
from statewise.legacy.sequence import (
    Sequence,
    TimeseriesGenerator,
    make_sampling_table,
    pad_sequences,
    skipgrams,
)

sw: Any = statewise
ROWS = [[1, 2], [3]]
SERIES = np.random.default_rng(3).normal(size=(12, 2))

# ---------------------------------------------------------------------------------- pad_sequences


@pytest.mark.filterwarnings("ignore::statewise.StatewiseWarning")  # some of the calls lose fractions
@recorded("pad_sequences")
def test_rows_are_padded_as_in_keras(call: Any) -> None:
    replay(call, pad_sequences)


def test_arrays_tuples_and_lists_are_all_rows() -> None:
    longest: Any = np.int64(2)
    found = pad_sequences((np.array([1, 2, 3]), (4,), [5, 6]), maxlen=longest)
    assert found.tolist() == [[2, 3], [0, 4], [5, 6]]


def test_words_keep_their_length_as_objects() -> None:
    found = pad_sequences([["mice", "ran"], ["away"]], dtype=object, value="<nothing>", padding="post")
    assert found.tolist() == [["mice", "ran"], ["away", "<nothing>"]]


def test_padding_makes_no_view() -> None:
    rows = [np.array([1, 2, 3], dtype="int32")]
    pad_sequences(rows)[:] = 0
    assert rows[0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("rows", [[[0.5, 2.0], [1.0]], [np.array([1.0]), np.array([2.0, 0.5])]])
def test_lost_fractions_are_warned_of(rows: Any) -> None:
    with pytest.warns(StatewiseWarning, match="dtype='float32'"):
        pad_sequences(rows)
    assert pad_sequences(rows, dtype="float32").max() == 2


@table(
    *each("padding", lambda value: pad_sequences(ROWS, padding=value), ConfigurationError, "'pre'", of=("left", None)),
    *each("truncating", lambda value: pad_sequences(ROWS, truncating=value), ConfigurationError, "'post'", of=("Pre",)),
    *each("maxlen", lambda value: pad_sequences(ROWS, value), ConfigurationError, ">= 1", of=(0, -1, 2.5)),
    case("filler", lambda: pad_sequences(ROWS, value="x"), ConfigurationError, "value", "'x'", "dtype=object"),
    case("generator", lambda: pad_sequences(iter(ROWS)), DataError, "sequences", "iterator", "list(...)"),
    case("one-row", lambda: pad_sequences([1, 2]), DataError, "sequences[0]", "got 1", "[[1, 2]]"),
    case("text", lambda: pad_sequences([[1], "mice"]), DataError, "sequences[1]", "'mice'"),
    case("none", lambda: pad_sequences([]), DataError, "at least one", "maxlen="),
    case("words", lambda: pad_sequences([[1], ["a"]]), DataError, "sequences[1]", "'int32'", "'a'", "another dtype"),
    case("none-in-row", lambda: pad_sequences([[1], [None]]), DataError, "sequences[1]", "NoneType"),
    case("overflow", lambda: pad_sequences([[2**40]]), DataError, "sequences[0]", "'int32'"),
    case("unlike", lambda: pad_sequences([[[1, 2]], [[1]]]), ShapeError, "sequences[1]", "[2]", "[1]"),
    case("ragged-first", lambda: pad_sequences([[[1], [1, 2]]]), ShapeError, "sequences[0]", "one shape"),
    case("ragged-later", lambda: pad_sequences([[[1]], [[1], [1, 2]]]), ShapeError, "sequences[1]", "one shape"),
)
def test_what_cannot_be_padded(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


# --------------------------------------------------------------------------------------- Sequence


class Letters(Sequence):
    """Four batches."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> str:
        return "abcd"[index]


def test_a_sequence_is_iterated_once_over_and_again() -> None:
    letters = Letters()
    assert list(letters) == list(letters) == ["a", "b", "c", "d"]
    letters.on_epoch_end()


@table(
    case("no-len", lambda: len(type("Mine", (Sequence,), {})()), ConfigurationError, "Mine", "__len__"),
    case("no-item", lambda: type("Mine", (Sequence,), {})()[0], ConfigurationError, "Mine", "__getitem__"),
)
def test_what_a_sequence_must_define(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


# ---------------------------------------------------------------------------- TimeseriesGenerator


def made(call: Any) -> TimeseriesGenerator:
    arrays = {name: np.array(call["arguments"][name]) for name in ("data", "targets")}
    np.random.seed(call["before"])
    return TimeseriesGenerator(**{**call["arguments"], **arrays})


@recorded("TimeseriesGenerator")
def test_batches_of_a_series_are_those_of_keras(call: Any) -> None:
    generator = made(call)
    same(list(generator), call["result"]["batches"])
    assert generator.get_config() == call["result"]["config"]
    described = {"class_name": "TimeseriesGenerator", "config": call["result"]["config"]}
    assert json.loads(generator.to_json(indent=1)) == described


def test_lists_are_series_too() -> None:
    generator = TimeseriesGenerator([1, 2, 3, 4], [10, 20, 30, 40], length=2, batch_size=1)
    assert [(x.tolist(), y.tolist()) for x, y in generator] == [([[1, 2]], [30]), ([[2, 3]], [40])]
    assert generator.get_config()["data"] == "[1, 2, 3, 4]"


def series(**options: Any) -> TimeseriesGenerator:
    return TimeseriesGenerator(SERIES, SERIES, **{"length": 3, **options})


@table(
    case("targets", lambda: TimeseriesGenerator(SERIES, SERIES[1:], 3), ShapeError, "targets", "12", "11"),
    *each("length", lambda value: series(length=value), ConfigurationError, ">= 1", of=(0, 1.5)),
    *each("stride", lambda value: series(stride=value), ConfigurationError, ">= 1", of=(0,)),
    *each("sampling_rate", lambda value: series(sampling_rate=value), ConfigurationError, ">= 1", of=(0,)),
    *each("batch_size", lambda value: series(batch_size=value), ConfigurationError, ">= 1", of=(0, None)),
    *each("start_index", lambda value: series(start_index=value), ConfigurationError, ">= 0", of=(-1,)),
    *each("end_index", lambda value: series(end_index=value), ConfigurationError, "at most 11", of=(12,)),
    case("short", lambda: series(length=12), ConfigurationError, "end_index=11", "got 12", "a smaller length"),
    case("nothing-left", lambda: series(start_index=5, end_index=7), ConfigurationError, "end_index=7", "got 8"),
    case("json", lambda: TimeseriesGenerator([b"a", b"b"], [1, 2], 1).to_json(), DataError, "data", "list"),
)
def test_what_makes_no_batches(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


# ------------------------------------------------------------------------------- pairs of words


@recorded("skipgrams")
def test_pairs_of_words_are_those_of_keras(call: Any) -> None:
    replay(call, skipgrams)


@recorded("make_sampling_table")
def test_words_are_kept_as_often_as_in_keras(call: Any) -> None:
    replay(call, make_sampling_table)


def test_a_sampling_table_has_words() -> None:
    refused(lambda: make_sampling_table(0), ConfigurationError, ("size", ">= 1"))


# ---------------------------------------------------------------------------- the modern spelling


def test_each_tool_names_the_modern_one(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: dict[str, str] = {}
    monkeypatch.setattr(sequence, "note", noted.__setitem__)
    pad_sequences(ROWS)
    series()
    assert list(noted) == ["pad_sequences(...)", "TimeseriesGenerator(data, targets, length)"]
    assert "sw.windows(data, length)" in noted["TimeseriesGenerator(data, targets, length)"]


def test_windows_are_the_modern_batches() -> None:
    found = sw.windows(SERIES, 3)
    ((x, y),) = series()
    np.testing.assert_array_equal(found.x, x.astype(np.float32))
    np.testing.assert_array_equal(found.y, y.astype(np.float32))
