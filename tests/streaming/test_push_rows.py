"""Many streams pushed as one array, and their snapshots in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import FEATURES, SYMBOLS
from statewise.errors import ConfigurationError, DataError, FileError, ShapeError, StatewiseError
from statewise.layers import GRU, Dense, Embedding
from statewise.streaming import Snapshot, Streams
from streamed import ENGINES, built, lstm, runtime_of
from tolerances import assert_same


def streams_of(engine: str = ENGINES[0], max_streams: int | None = None) -> Streams:
    return Streams(runtime_of(built([lstm(), GRU(3), Dense(2)], (None, FEATURES)), engine), max_streams=max_streams)


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_equal_pushes_by_key(engine: str) -> None:
    """Whether the keys are those of the push before, in the same order, in another, or others."""
    rng = np.random.default_rng(2)
    by_key, by_row = streams_of(engine, max_streams=8), streams_of(engine, max_streams=8)
    for keys in ("abcdefg", "abcdefg", "abcdefg", "gfedcba", "abc", "abc", "hij", "abcdefg"):
        x = rng.normal(size=(len(keys), FEATURES))
        answers = by_key.push(dict(zip(keys, x, strict=True)))
        assert_same(by_row.push_rows(iter(keys), x), np.stack([answers[key] for key in keys]), "y")
        assert list(by_row) == list(by_key)
    assert by_row.snapshot() == by_key.snapshot()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_push_of_the_same_keys_again_heeds_what_came_between(engine: str) -> None:
    x = np.random.default_rng(3).normal(size=(3, FEATURES))
    streams, fresh = streams_of(engine), streams_of(engine)
    first = fresh.push_rows("abc", x)
    streams.push_rows("abc", x)
    streams.drop("b")
    again = streams.push_rows("abc", x)
    assert_same(again[1], first[1], "y of the dropped one, afresh")
    assert not np.array_equal(again[0], first[0])
    streams.clear()
    assert_same(streams.push_rows("abc", x), first, "y after clear")
    streams.restore(fresh.snapshot())
    assert_same(streams.push_rows("abc", x), fresh.push_rows("abc", x), "y after restore")
    streams.resume("a", streams.state("c"))
    assert list(streams) == ["b", "c", "a"]


def test_symbols_and_single_numbers_come_in_a_row() -> None:
    symbols = Streams(runtime_of(built([Embedding(SYMBOLS, 3), lstm()], (None,))))
    assert symbols.push_rows("abc", [1, 2, 3]).shape == (3, 4)
    numbers = Streams(runtime_of(built([lstm()], (None, 1))))
    assert_same(numbers.push_rows("ab", [0.5, 1.5]), Streams(numbers._runtime).push_rows("ab", [[0.5], [1.5]]), "y")


@pytest.mark.parametrize(
    ("keys", "x", "error", "words"),
    [
        ("ab", np.ones((3, FEATURES)), ShapeError, ["a row for each of 2 key(s)", "[3, 3]"]),
        ("ab", np.ones((2, 4)), ShapeError, ["row 0 of x", "[3]", "got shape [4]"]),
        ("ab", [[1, 2, 3], [1, np.nan, 3]], DataError, ["row 1 of x", "NaN"]),
        ("ab", 1.0, ShapeError, ["a row for each of 2 key(s)", "[]"]),
        ("", np.ones((0, FEATURES)), DataError, ["at least one key"]),
        ("aa", np.ones((2, FEATURES)), DataError, ["push_rows", "duplicate key 'a'"]),
        ([["a"], ["b"]], np.ones((2, FEATURES)), DataError, ["tuple(key)"]),
        ([np.array([1, 2])] * 2, np.ones((2, FEATURES)), DataError, ["array([1, 2])", "hashable key"]),
        ("abcd", np.ones((4, FEATURES)), ConfigurationError, ["max_streams=3", "got 4"]),
    ],
)
def test_rows_that_do_not_fit_change_nothing(
    keys: list[str], x: object, error: type[StatewiseError], words: list[str]
) -> None:
    streams = streams_of(max_streams=3)
    streams.push_rows("ab", np.zeros((2, FEATURES)))
    before = streams.snapshot()
    refused(lambda: streams.push_rows(keys, x), error, words)
    assert streams.snapshot() == before


# ----------------------------------------------------------------------------------------------------- files


def test_a_snapshot_goes_into_a_file_and_comes_back(tmp_path: Path) -> None:
    streams = streams_of()
    keys = ["pump", 7, ("hall", (2, "b")), None, 1.5]
    streams.push_rows(keys, np.random.default_rng(1).normal(size=(5, FEATURES)))
    streams.snapshot().save(tmp_path / "streams")
    loaded = Snapshot.load(tmp_path / "streams")
    assert loaded == streams.snapshot()
    assert sw.State.load(tmp_path / "streams") == loaded.state
    other = streams_of("numpy")
    other.restore(loaded)
    assert list(other) == keys


def test_numbers_of_numpy_are_keys_in_a_file_too(tmp_path: Path) -> None:
    streams = streams_of()
    streams.push_rows(np.arange(3), np.ones((3, FEATURES)))
    streams.snapshot().save(tmp_path / "streams")
    assert Snapshot.load(tmp_path / "streams") == streams.snapshot()


def test_files_and_keys_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    streams = streams_of()
    streams.push_rows([b"raw"], np.ones((1, FEATURES)))
    refused(lambda: streams.snapshot().save(tmp_path / "streams"), DataError, ["text, numbers", "b'raw'"])
    streams.drop(b"raw")
    streams.push_rows([("a", "\ud800")], np.ones((1, FEATURES)))
    refused(lambda: streams.snapshot().save(tmp_path / "streams"), DataError, ["Unicode", "'\\ud800'"])
    assert not (tmp_path / "streams").exists()
    streams = streams_of()
    streams.push_rows([b"raw"], np.ones((1, FEATURES)))
    streams.state(b"raw").save(tmp_path / "state")
    refused(lambda: Snapshot.load(tmp_path / "state"), FileError, ["without keys", "State.load"])
