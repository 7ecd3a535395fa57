"""Mistakes with streams: each ends in one line with the way out, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import case, refused, table
from networks import FEATURES, SYMBOLS
from statewise.errors import (
    ConfigurationError,
    DataError,
    FileError,
    LifecycleError,
    ShapeError,
    StateError,
    StatewiseError,
)
from statewise.layers import GRU, Dense, Embedding
from statewise.streaming import Stream, Streams
from streamed import ENGINES, built, lstm, runtime_of

NETWORK = [lstm(), GRU(3), Dense(2)]
STEP = [0.1, 0.2, 0.3]


def stream_of(*layers: Any, features: int | None = FEATURES, engine: str = "auto") -> Any:
    shape = (None,) if features is None else (None, features)
    return Stream(runtime_of(built(layers or NETWORK, shape), engine))


def streams_of(engine: str = "auto", **options: Any) -> Any:
    """Streams a and b, pushed once."""
    streams = Streams(runtime_of(built(NETWORK, (None, FEATURES)), engine), **options)
    streams.push({"a": STEP, "b": STEP})
    return streams


def other_state(batch: int = 1) -> sw.State:
    return built([lstm(6)], (None, FEATURES)).initial_state(batch)


def other_model() -> sw.Sequential:
    return built([lstm(6), GRU(3), Dense(2)], (None, FEATURES))


def narrow_model() -> sw.Sequential:
    return built([lstm(), GRU(3), Dense(2)], (None, 2))


def bad_state(batch: int, value: float) -> sw.State:
    state = own_state(batch)
    c = np.zeros((batch, 4))
    c[-1, 2] = value
    return sw.State({**state.layers, "lstm": state["lstm"]._replace(c=c)})


def own_state(batch: int) -> sw.State:
    return built(NETWORK, (None, FEATURES)).initial_state(batch)


def symbols_of(engine: str) -> Any:
    return stream_of(Embedding(SYMBOLS, 2), lstm(), features=None, engine=engine)


STEPS_REFUSED: list[tuple[str, object, type[StatewiseError], list[str]]] = [
    ("too-few", [0.1, 0.2], ShapeError, ["expected one step of shape [3]", "got shape [2]", "trained on"]),
    ("a-sequence", [STEP, STEP], ShapeError, ["one step of shape [3]", "got shape [2, 3]", "one by one"]),
    ("a-number", 0.5, ShapeError, ["one step of shape [3]", "got shape []", "all features"]),
    ("empty", [], ShapeError, ["got shape [0]"]),
    ("nan", [0.1, float("nan"), 0.3], DataError, ["1 NaN or infinite", "at [1]", "drop"]),
    ("infinite", np.array([0.1, 0.2, np.inf]), DataError, ["1 NaN or infinite", "at [2]"]),
    ("too-large", [0.1, 0.2, 1e300], DataError, ["3.4e+38", "1e+300", "scale"]),
    ("whole-too-large", [1, 2, 2**70], DataError, ["real numbers", "beyond 64 bits"]),
    ("text", ["0.1", "0.2", "0.3"], DataError, ["real numbers", "text such as '0.1'"]),
    ("none", None, DataError, ["array of numbers", "None"]),
    ("flags", [True, False, True], DataError, ["expected numbers, got True or False", "1.0 and 0.0"]),
    ("flags-in-numpy", np.array([True, False, True]), DataError, ["expected numbers, got True or False"]),
    ("a-flag-among-numbers", [0.5, True, 0.25], DataError, ["expected numbers, got True or False"]),
    ("masked", np.ma.masked_greater([0.1, 0.2, 0.3], 0.15), DataError, ["masked values", "Masking"]),
    ("masked-in-a-list", [np.ma.masked_greater([0.1], 0)[0], 0.2, 0.3], DataError, ["masked values"]),
    ("ragged", [[0.1], [0.1, 0.2]], ShapeError, ["lengths from 1 to 2"]),
]
SYMBOLS_REFUSED: list[tuple[str, object, type[StatewiseError], list[str]]] = [
    ("beyond", SYMBOLS, DataError, [f"0 .. {SYMBOLS - 1}", f"got {SYMBOLS}"]),
    ("negative", -1, DataError, [f"0 .. {SYMBOLS - 1}", "got -1"]),
    ("half", 1.5, DataError, ["the integer of a symbol", "1.5"]),
    ("nan", float("nan"), DataError, ["NaN"]),
    ("text", "a", DataError, ["text such as 'a'"]),
    ("flag", True, DataError, ["expected numbers, got True or False"]),
    ("flag-in-numpy", np.bool_(True), DataError, ["expected numbers, got True or False"]),
    ("masked", np.ma.masked_equal(1, 1), DataError, ["masked values"]),
    ("several", [1, 2], ShapeError, ["one symbol", "[2]", "one by one"]),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("x", "error", "words"), [row[1:] for row in STEPS_REFUSED], ids=[r[0] for r in STEPS_REFUSED])
def test_a_wrong_step_is_refused_and_changes_nothing(
    engine: str, x: object, error: type[StatewiseError], words: list[str]
) -> None:
    stream, streams = stream_of(engine=engine), streams_of(engine)
    stream.push(STEP)
    check_unchanged(stream, streams, STEP, x, error, words)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("x", "error", "words"), [row[1:] for row in SYMBOLS_REFUSED], ids=[r[0] for r in SYMBOLS_REFUSED]
)
def test_a_wrong_symbol_is_refused_and_changes_nothing(
    engine: str, x: object, error: type[StatewiseError], words: list[str]
) -> None:
    stream = symbols_of(engine)
    stream.push(1)
    streams = Streams(stream._runtime)
    streams.push({"a": 1, "b": 2})
    check_unchanged(stream, streams, 1, x, error, words)


def check_unchanged(stream: Any, streams: Any, good: object, x: object, error: Any, words: list[str]) -> None:
    before, all_before = stream.state, streams.snapshot()
    refused(lambda: stream.push(x), error, ["x", *words])
    assert (stream.state == before, stream.steps) == (True, 1)
    refused(lambda: streams.push({"a": good, "new": good, "b": x}), error, ["x of stream 'b'", *words])
    refused(lambda: streams.push_one("b", x), error, ["x of stream 'b'", *words])
    refused(lambda: streams.push({"new": x}), error, ["x of stream 'new'", *words])
    assert streams.snapshot() == all_before


def test_large_but_finite_numbers_pass() -> None:
    stream = stream_of(lstm(), features=1)
    for x in (1e30, -3e38, np.float32(1e25), 2**40):
        assert np.isfinite(stream.push(x)).all()


def test_a_failing_on_evict_leaves_everything_as_it_was() -> None:
    seen: list[Hashable] = []

    def fail(key: Hashable, _: sw.State) -> None:
        seen.append(key)
        if key == "b":
            raise OSError("disk full")

    streams = streams_of(max_streams=2, on_evict=fail)
    before = streams.snapshot()
    with pytest.raises(OSError, match="disk full"):
        streams.push({"c": STEP, "d": STEP})
    assert seen == ["a", "b"]
    assert streams.snapshot() == before
    streams.drop("b")
    streams.push({"c": STEP, "d": STEP})
    assert list(streams) == ["c", "d"]


@pytest.mark.parametrize(
    "act",
    [
        lambda streams, key, _: streams.push({key: STEP}),
        lambda streams, key, state: streams.resume(key, state),
        lambda streams, key, _: streams.drop(key),
        lambda streams, *_: streams.clear(),
        lambda streams, *_: streams.restore(streams.snapshot()),
        lambda streams, key, _: streams.push_one(key, STEP),
        lambda streams, *_: streams.upgrade(streams._runtime),
    ],
    ids=["push", "resume", "drop", "clear", "restore", "push_one", "upgrade"],
)
def test_on_evict_cannot_change_the_streams(act: Callable[..., None]) -> None:
    streams: Any = streams_of(max_streams=2, on_evict=lambda key, state: act(streams, key, state))
    before = streams.snapshot()
    refused(lambda: streams.push({"c": STEP}), LifecycleError, ["on_evict", "after the push"])
    assert streams.snapshot() == before


def test_more_keys_than_streams_are_refused_before_anything_changes() -> None:
    gone: list[Hashable] = []
    streams = streams_of(max_streams=2, on_evict=lambda key, _: gone.append(key))
    before = streams.snapshot()
    refused(
        lambda: streams.push(dict.fromkeys("cde", STEP)), ConfigurationError, ["max_streams=2", "got 3", "in parts"]
    )
    big = (list("cde"), own_state(3))
    refused(lambda: streams.restore(big), ConfigurationError, ["restore", "max_streams=2", "got 3"])
    assert (streams.snapshot() == before, gone) == (True, [])


@table(
    case(
        "stream-other-network",
        lambda: stream_of().restore(other_state()),
        StateError,
        "another network",
        "expected lstm: h [B, 4], c [B, 4]; gru: h [B, 3]",
        "got lstm: h [B, 6], c [B, 6]",
        "snapshot()",
    ),
    case("stream-batch", lambda: stream_of().restore(own_state(3)), StateError, "1 row(s)", "got 3", "state.rows"),
    case("stream-no-state", lambda: stream_of().restore((1, 2)), StateError, "expected a State", "tuple", "snapshot()"),
    case("stream-start", lambda: Stream(stream_of()._runtime, other_state()), StateError, "another network"),
    case("unknown-key", lambda: streams_of().state("c"), StateError, "no stream 'c' among 2", "evicted"),
    case("drop-unknown", lambda: streams_of().drop("c"), StateError, "no stream 'c' among 2"),
    case("unhashable", lambda: streams_of().state(["a"]), DataError, "['a']", "tuple(key)"),
    case("resume-unhashable", lambda: streams_of().resume(["a"], own_state(1)), DataError, "['a']", "tuple(key)"),
    case("resume-other", lambda: streams_of().resume("a", other_state()), StateError, "another network"),
    case("resume-batch", lambda: streams_of().resume("a", own_state(2)), StateError, "stream 'a'", "1 row(s)", "got 2"),
    case("restore-other", lambda: streams_of().restore((["a"], other_state())), StateError, "another network"),
    case("restore-rows", lambda: streams_of().restore((["a"], own_state(2))), StateError, "1 row(s)", "got 2"),
    case("restore-twice", lambda: streams_of().restore(("aa", own_state(2))), DataError, "(keys, state)", "resume"),
    case("restore-same", lambda: streams_of().restore((["a", "a"], own_state(2))), DataError, "duplicate key 'a'"),
    case("restore-lists", lambda: streams_of().restore(([["a", 1]], own_state(1))), DataError, "tuple(key)"),
    case("restore-state", lambda: streams_of().restore(own_state(2)), DataError, "(keys, state)", "snapshot()"),
    case("restore-nan", lambda: streams_of().restore(("ab", bad_state(2, np.nan))), DataError, "(keys, state)"),
    case(
        "restore-infinite",
        lambda: streams_of().restore((["a", "b"], bad_state(2, np.inf))),
        StateError,
        "finite numbers in the state for 2 stream(s)",
        "got inf in lstm.c of row 1",
        "state.reset([1])",
    ),
    case(
        "restore-beyond-float32",
        lambda: streams_of().restore((["a", "b"], bad_state(2, 1e300))),
        StateError,
        "got inf in lstm.c of row 1",
    ),
    case("resume-nan", lambda: streams_of().resume("a", bad_state(1, np.nan)), StateError, "stream 'a'", "got nan"),
    case("stream-nan", lambda: stream_of().restore(bad_state(1, np.nan)), StateError, "a stream", "got nan"),
    case(
        "clock-text",
        lambda: streams_of(max_age=5, clock=lambda: "noon"),
        ConfigurationError,
        "clock",
        "seconds",
        "'noon'",
    ),
    case(
        "clock-none", lambda: streams_of(max_age=5, clock=lambda: None), ConfigurationError, "clock", "seconds", "None"
    ),
    case(
        "clock-nan", lambda: streams_of(max_age=5, clock=lambda: np.nan), ConfigurationError, "clock", "seconds", "nan"
    ),
    case("push-one-unhashable", lambda: streams_of().push_one(["a"], STEP), DataError, "['a']", "tuple(key)"),
    case("upgrade-sizes", lambda: streams_of().upgrade(other_model()), StateError, "expected lstm: h [B, 4]", "[B, 6]"),
    case("upgrade-steps", lambda: streams_of().upgrade(narrow_model()), StateError, "shape [3]", "shape [2]"),
    case("upgrade-nothing", lambda: streams_of().upgrade(5), ConfigurationError, "expected a model", "int"),
    case("upgrade-no-file", lambda: streams_of().upgrade("none"), FileError, "no model file none"),
    case("upgrade-stream", lambda: stream_of().upgrade(other_model()), StateError, "expected lstm: h [B, 4]"),
    case("push-list", lambda: streams_of().push([STEP]), DataError, "a step for each key", "got [[0.1"),
    case("max-streams", lambda: streams_of(max_streams=0), ConfigurationError, "max_streams", ">= 1", "got 0"),
    case("max-age", lambda: streams_of(max_age=-1), ConfigurationError, "max_age", "> 0", "got -1"),
    case("on-evict", lambda: streams_of(on_evict="save"), ConfigurationError, "on_evict", "a function", "'save'"),
    case("clock", lambda: streams_of(clock=5), ConfigurationError, "clock", "a function", "got 5"),
)
def test_mistakes_are_refused(action: Any, error: type[StatewiseError], words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_a_refused_restore_changes_nothing() -> None:
    stream, streams = stream_of(), streams_of()
    stream.push(STEP)
    before, all_before = stream.state, streams.snapshot()
    refused(lambda: stream.restore(own_state(2)), StateError, [])
    refused(lambda: streams.restore((["a"], own_state(2))), StateError, [])
    refused(lambda: streams.resume("a", own_state(2)), StateError, [])
    assert stream.state == before
    assert streams.snapshot() == all_before
    assert stream.steps == 1


def test_a_clock_that_fails_later_changes_nothing() -> None:
    told: list[Any] = [1.0]
    streams = streams_of(clock=lambda: told[0], max_age=5)
    before = streams.snapshot()
    for odd in ("noon", None, True, np.inf, [1.0]):
        told[0] = odd
        for call in (
            lambda: streams.push({"a": STEP, "c": STEP}),
            lambda: streams.push({"a": STEP}),
            lambda: streams.push_rows(["b"], [STEP]),
            lambda: streams.push({}),
            lambda: streams.resume("a", own_state(1)),
            lambda: streams.restore((["z"], own_state(1))),
        ):
            refused(call, ConfigurationError, ["clock", "seconds"])
        assert streams.snapshot() == before
    told[0] = np.float32(2)
    streams.push({"a": STEP})
    assert list(streams) == ["b", "a"]


def test_what_cannot_be_a_key_is_in_no_streams() -> None:
    streams = streams_of()
    keys: list[Any] = ["a", "z", [], {}, ["a"]]
    assert [key in streams for key in keys] == [True, False, False, False, False]


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_with_flags_or_masked_values_are_refused(engine: str) -> None:
    streams, rows = streams_of(engine), np.array([[0.5, 1.0, 0.0], [1.0, 0.0, 1.0]])
    before = streams.snapshot()
    for x, words in (
        (rows == 1, "True or False"),
        ((rows == 1).tolist(), "True or False"),
        ([[0.5, 1.0, 0.0], [True, 0.0, 1.0]], "True or False"),
        (np.ma.masked_equal(rows, 0), "masked values"),
        ([np.ma.masked_equal(row, 0) for row in rows], "masked values"),
    ):
        refused(lambda x=x: streams.push_rows("ab", x), DataError, [words])  # type: ignore[misc]
    mixed = {"a": rows[0] == 1, "b": rows[1]}
    refused(lambda: streams.push(mixed), DataError, ["x of stream 'a'", "True or False"])
    assert streams.snapshot() == before
    streams.push({"a": np.ma.masked_equal(rows[0], 7), "b": rows[1].tolist()})  # nothing in it is masked
    plain = streams_of(engine)
    plain.push({"a": rows[0], "b": rows[1]})
    assert streams.snapshot() == plain.snapshot()


def test_streams_tell_what_they_are() -> None:
    streams = streams_of("numpy", max_streams=1000)
    assert repr(streams) == (
        "Streams(2 keys, lstm: h [B, 4], c [B, 4]; gru: h [B, 3], engine='numpy', max_streams=1,000)"
    )
    assert repr(stream_of(engine="numpy")) == (
        "Stream(lstm: h [B, 4], c [B, 4]; gru: h [B, 3], steps=0, engine='numpy')"
    )
