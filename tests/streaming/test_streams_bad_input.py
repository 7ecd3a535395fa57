"""Mistakes with streams: each ends in one line with the way out, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import case, refused, table
from networks import FEATURES, SYMBOLS
from statewise.errors import ConfigurationError, DataError, LifecycleError, ShapeError, StateError, StatewiseError
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
    ("none", None, DataError, ["real numbers", "None"]),
    ("ragged", [[0.1], [0.1, 0.2]], ShapeError, ["lengths from 1 to 2"]),
]
SYMBOLS_REFUSED: list[tuple[str, object, type[StatewiseError], list[str]]] = [
    ("beyond", SYMBOLS, DataError, [f"0 .. {SYMBOLS - 1}", f"got {SYMBOLS}"]),
    ("negative", -1, DataError, [f"0 .. {SYMBOLS - 1}", "got -1"]),
    ("half", 1.5, DataError, ["whole number", "1.5"]),
    ("nan", float("nan"), DataError, ["NaN"]),
    ("text", "a", DataError, ["text such as 'a'"]),
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
    ],
    ids=["push", "resume", "drop", "clear", "restore"],
)
def test_on_evict_cannot_change_the_streams(act: Callable[..., None]) -> None:
    streams: Any = streams_of(max_streams=2, on_evict=lambda key, state: act(streams, key, state))
    before = streams.snapshot()
    refused(lambda: streams.push({"c": STEP}), LifecycleError, ["on_evict", "once the push is over"])
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
    case("restore-same", lambda: streams_of().restore((["a", "a"], own_state(2))), DataError, "'a' is there twice"),
    case("restore-lists", lambda: streams_of().restore(([["a", 1]], own_state(1))), DataError, "tuple(key)"),
    case("restore-state", lambda: streams_of().restore(own_state(2)), DataError, "(keys, state)", "snapshot()"),
    case("push-list", lambda: streams_of().push([STEP]), DataError, "a step for each key", "got [[0.1"),
    case("max-streams", lambda: streams_of(max_streams=0), ConfigurationError, "max_streams", "at least 1", "got 0"),
    case("max-age", lambda: streams_of(max_age=-1), ConfigurationError, "max_age", "more than 0", "got -1"),
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
