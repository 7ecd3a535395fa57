"""Streams: pushes equal the whole sequence, alone and many at once by key; states are values."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from copy import copy, deepcopy
from pathlib import Path

import numpy as np
import pytest

import statewise as sw
from networks import FEATURES, SYMBOLS, Case, random_state, random_x
from statewise.errors import DataError
from statewise.foundation.shapes import Array
from statewise.layers import GRU, Dense, Embedding, Masking
from statewise.streaming import Snapshot, Stream, Streams
from statewise.streaming.runtime import Runtime
from streamed import ENGINES, STREAMED, built, lstm, marked, masked_x, model_of, parts, runtime_of
from tolerances import assert_close, assert_same

STEPS = 6


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module", params=marked(STREAMED))
def network(request: pytest.FixtureRequest, engine: str) -> tuple[Case, sw.Model, Runtime]:
    case: Case = request.param
    return case, model_of(case), runtime_of(model_of(case), engine)


@pytest.fixture(scope="module")
def runtime(engine: str) -> Runtime:
    return runtime_of(built([lstm(learn_initial_state=True), GRU(3), Dense(2)], (None, FEATURES)), engine)


def sequence(seed: int, steps: int = STEPS) -> Array:
    x: Array = np.random.default_rng(seed).normal(size=(steps, FEATURES)).astype(np.float32)
    return x


# -------------------------------------------------------------------------------------------------- a stream


@pytest.mark.parametrize("start", ["fresh", "random"])
def test_pushes_equal_the_whole_sequence(network: tuple[Case, sw.Model, Runtime], start: str) -> None:
    case, model, runtime = network
    x, state = masked_x(case, 3, STEPS)[:1], None if start == "fresh" else random_state(model, 1)
    stream = Stream(runtime, state)
    answers = [stream.push(step) for step in x[0]]
    y, end = model(x, state)
    assert_close(np.stack(answers) if case.every_step else answers[-1], np.asarray(y)[0], "y")
    assert_close(parts(stream.state), parts(end), "state")
    assert stream.steps == STEPS


def test_the_model_goes_on_where_a_stream_stands(network: tuple[Case, sw.Model, Runtime]) -> None:
    case, model, runtime = network
    x, stream = masked_x(case, 3, STEPS), Stream(runtime)
    for step in x[0, :3]:
        stream.push(step)
    y, end = model(x[:1, 3:], stream.state)
    for step in x[0, 3:]:
        answer = stream.push(step)
    assert_close(answer, np.asarray(y)[0, -1] if case.every_step else np.asarray(y)[0], "y")
    assert_close(parts(stream.state), parts(end), "state")


def test_a_stream_of_one_feature_takes_plain_numbers(engine: str) -> None:
    runtime = runtime_of(built([lstm(), Dense(1)], (None, 1)), engine)
    forms: list[Callable[[int], object]] = [
        int, float, np.float32, np.float64, np.int64, np.array, lambda n: [n], lambda n: [float(n)],
        lambda n: np.array([n], np.float16), lambda n: np.array([n], ">f4"), lambda n: np.array([[n, 9]], "f")[0, :1],
    ]  # fmt: skip
    streams = [Stream(runtime) for _ in forms]
    for n in (2, -1, 0, 3):
        answers = [stream.push(form(n)) for form, stream in zip(forms, streams, strict=True)]
        for answer in answers[1:]:
            assert_same(answer, answers[0], "y")


def test_symbols_may_be_numbers_of_any_kind(engine: str) -> None:
    runtime = runtime_of(built([Embedding(SYMBOLS, 3), lstm(), Dense(2)], (None,)), engine)
    expected = Stream(runtime).push(3)
    for symbol in (np.int64(3), np.uint8(3), np.array(3), 3.0):
        assert_same(Stream(runtime).push(symbol), expected, "y")
    answers = Streams(runtime).push({"a": 3, "b": np.int32(3), "c": 5})
    assert_close(answers["b"], expected, "y of b")
    assert_close(answers["c"], Stream(runtime).push(5), "y of c")


def test_a_state_taken_earlier_stays_what_it_was(network: tuple[Case, sw.Model, Runtime]) -> None:
    case, _, runtime = network
    stream, streams = Stream(runtime), Streams(runtime)
    for step in random_x(case, 1, STEPS)[0]:
        states = [stream.state, stream.snapshot()]
        if "key" in streams:
            states += [streams.state("key"), streams.snapshot().state]
        copies = [{name: part.copy() for name, part in parts(state).items()} for state in states]
        stream.push(step)
        streams.push({"key": step, "other": step})
        for state, kept in zip(states, copies, strict=True):
            assert_same(parts(state), kept, "state")


def test_answers_are_ones_own(network: tuple[Case, sw.Model, Runtime]) -> None:
    """An LSTM in last place answers its h: whoever writes into that must not reach the state, or the input."""
    case, _, runtime = network
    x = random_x(case, 1, STEPS)[0]
    stream, untouched, streams = Stream(runtime), Stream(runtime), Streams(runtime)
    for step in x:
        given = np.array(step)
        answer, first, many = untouched.push(step), stream.push(given), streams.push({"a": given, "b": given})
        for y in (first, *many.values()):
            assert_close(y, answer, "y")
            y[...] = 7
        assert_same(given, np.array(step), "x")


def test_snapshot_and_restore_go_back(runtime: Runtime, tmp_path: Path) -> None:
    stream, x = Stream(runtime), sequence(1)
    for step in x[:3]:
        stream.push(step)
    kept = stream.snapshot()
    kept.save(tmp_path / "state")
    first = [stream.push(step) for step in x[3:]]
    for state in (kept, sw.State.load(tmp_path / "state")):
        stream.restore(state)
        assert stream.steps == 0
        assert_same([stream.push(step) for step in x[3:]], first, "y after restore")
        assert_same([Stream(runtime, state).push(x[3])], first[:1], "y of another stream")


def test_reset_starts_afresh(runtime: Runtime) -> None:
    stream, x = Stream(runtime), sequence(1)
    first = [stream.push(step) for step in x]
    stream.reset()
    assert stream.steps == 0
    assert stream.state == Stream(runtime).state
    assert any(part.any() for part in parts(stream.state).values()), "learnt, so not zero"
    assert_same([stream.push(step) for step in x], first, "y after reset")


def test_a_stream_is_opened_from_a_file(tmp_path: Path) -> None:
    model = built([lstm(), Dense(2)], (None, FEATURES))
    model.save(tmp_path / "model")
    step = sequence(1)[0]
    expected = Stream(runtime_of(model)).push(step)
    assert_same(Stream.open(tmp_path / "model").push(step), expected, "y")
    streams = Streams.open(tmp_path / "model", max_streams=1)
    assert_same(streams.push({"a": step})["a"], expected, "y")
    streams.push({"b": step})
    assert list(streams) == ["b"]


def test_masked_steps_are_skipped_by_value(engine: str) -> None:
    stream = Stream(runtime_of(built([Masking(-1.0), lstm(), Dense(2)], (None, FEATURES)), engine))
    first = stream.push([0.1, 0.2, 0.3])
    before = stream.state
    assert_same(stream.push([-1.0] * 3), first, "y repeats")
    assert stream.state == before


# ---------------------------------------------------------------------------------------------- many streams


def test_keyed_streams_equal_single_ones(network: tuple[Case, sw.Model, Runtime]) -> None:
    """However the pushes interleave, and whatever is pushed together."""
    case, _, runtime = network
    rng, keys = np.random.default_rng(4), [("pump", n) for n in range(9)]
    x, streams = masked_x(case, len(keys), 12), Streams(runtime)
    singles, at = {key: Stream(runtime) for key in keys}, dict.fromkeys(keys, 0)
    for _ in range(12):
        chosen = [keys[i] for i in rng.permutation(len(keys))[: rng.integers(1, len(keys) + 1)]]
        step = {key: x[keys.index(key), at[key]] for key in chosen}
        answers = streams.push(step)
        assert list(answers) == chosen
        for key in chosen:
            assert_close(answers[key], singles[key].push(step[key]), f"y of {key}")
            at[key] += 1
    for key in streams:
        assert_close(parts(streams.state(key)), parts(singles[key].state), f"state of {key}")


def test_evicted_streams_go_on_where_they_were(runtime: Runtime) -> None:
    """Evictions and re-entries change no answer, if what `on_evict` is given is brought back."""
    rng = np.random.default_rng(5)
    kept: dict[Hashable, sw.State] = {}
    keys = list(range(10))
    streams = Streams(runtime, max_streams=4, on_evict=kept.__setitem__)
    singles: dict[Hashable, Stream] = {}
    back = 0
    for _ in range(60):
        chosen = [int(key) for key in rng.permutation(keys)[: rng.integers(1, 5)]]
        for key in chosen:
            if key in kept and len(chosen) < 4:
                streams.resume(key, kept.pop(key))
                back += 1
        step = {key: rng.normal(size=FEATURES) for key in chosen}
        lost = [key for key in chosen if key not in streams]
        for key in lost:  # new, or not brought back, or pushed out by another that was
            kept.pop(key, None)
            singles[key] = Stream(runtime)
        answers = streams.push(step)
        for key in chosen:
            assert_close(answers[key], singles[key].push(step[key]), f"y of {key}")
        assert len(streams) <= 4
        for name, state in kept.items():
            assert_close(parts(state), parts(singles[name].state), f"state of the evicted {name}")
    assert back > 10


def test_the_least_recently_pushed_go_first(runtime: Runtime) -> None:
    gone: list[Hashable] = []
    streams, x = Streams(runtime, max_streams=3, on_evict=lambda key, _: gone.append(key)), sequence(1)[0]
    for key in "abc":
        streams.push({key: x})
    streams.push({"a": x})
    assert list(streams) == ["b", "c", "a"]
    streams.push({"d": x, "b": x})
    assert (list(streams), gone) == (["a", "d", "b"], ["c"])
    streams.push({"e": x, "f": x, "g": x})
    assert (list(streams), gone) == (["e", "f", "g"], ["c", "a", "d", "b"])


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_streams_not_pushed_for_long_are_evicted(runtime: Runtime) -> None:
    clock, x = Clock(), sequence(1)
    gone: dict[Hashable, sw.State] = {}
    streams = Streams(runtime, max_age=10, on_evict=gone.__setitem__, clock=clock)
    fresh = streams.push({"a": x[0], "b": x[0]})
    after_one = streams.state("a")
    clock.now += 10
    streams.push({"b": x[1]})
    assert list(streams) == ["a", "b"], "10 seconds are not more than 10"
    clock.now += 1
    assert_close(streams.push({"a": x[0]})["a"], fresh["a"], "y of one that was too old: it starts afresh")
    assert list(gone) == ["a"]
    assert_same(parts(gone["a"]), parts(after_one), "state of the evicted")
    clock.now += 9.5
    streams.push({})
    assert (list(streams), list(gone)) == (["a"], ["a", "b"])


def test_pushes_of_the_same_keys_evict_others(runtime: Runtime) -> None:
    clock, gone, x = Clock(), [], sequence(1)[0]
    streams = Streams(runtime, max_age=10, on_evict=lambda key, _: gone.append(key), clock=clock)
    streams.push({"a": x})
    for _ in range(10):
        clock.now += 5
        streams.push({"b": x})
    assert (list(streams), gone) == (["b"], ["a"])


@pytest.mark.parametrize("copied", [copy, deepcopy])
def test_copied_streams_go_on_by_themselves(runtime: Runtime, copied: Callable[[Streams], Streams]) -> None:
    streams, x = Streams(runtime, max_streams=2), sequence(3)
    streams.push({"a": x[0], "b": x[1]})
    other = copied(streams)
    assert other.snapshot() == streams.snapshot()
    expected = copied(streams).push({"a": x[2], "b": x[2]})
    other.push({"c": x[0], "b": x[0]})
    assert (list(other), list(streams)) == (["c", "b"], ["a", "b"])
    assert_same(streams.push({"a": x[2], "b": x[2]}), expected, "y")


def test_both_limits_at_once(runtime: Runtime) -> None:
    clock, gone, x = Clock(), [], sequence(1)[0]
    streams = Streams(runtime, max_streams=3, max_age=10, on_evict=lambda key, _: gone.append(key), clock=clock)
    streams.push({"a": x})
    clock.now += 6
    streams.push({"b": x, "c": x})
    clock.now += 6
    streams.push({"d": x, "e": x})
    assert (list(streams), gone) == (["c", "d", "e"], ["a", "b"])


def test_dropped_streams_start_afresh(runtime: Runtime) -> None:
    gone: list[Hashable] = []
    streams, x = Streams(runtime, on_evict=lambda key, _: gone.append(key)), sequence(1)
    first = streams.push({"a": x[0], "b": x[0]})
    streams.drop("a")
    assert ("a" in streams, "b" in streams, len(streams)) == (False, True, 1)
    assert_close(streams.push({"a": x[0]})["a"], first["a"], "y after drop")
    streams.clear()
    assert (len(streams), list(streams), gone) == (0, [], [])
    assert_close(streams.push({"b": x[0]})["b"], first["b"], "y after clear")


def test_a_snapshot_holds_all_streams(runtime: Runtime, tmp_path: Path) -> None:
    streams, x = Streams(runtime), sequence(2)
    for n in range(5):
        streams.push({key: x[n] + key for key in range(n, 7)})
    streams.drop(6)
    kept = streams.snapshot()
    assert kept.state.batch == len(kept.keys) == 6
    assert list(streams) == kept.keys == [0, 1, 2, 3, 4, 5]
    for row, key in enumerate(kept.keys):
        assert kept.state.rows(row) == streams.state(key)
    first = streams.push(dict.fromkeys((5, 2), x[5]))
    streams.push({"new": x[0]})
    kept.state.save(tmp_path / "streams")
    loaded = Snapshot(kept.keys, sw.State.load(tmp_path / "streams"))
    for one in (streams, Streams(runtime)):
        for snapshot in (kept, tuple(kept), list(kept), loaded):
            one.restore(snapshot)  # type: ignore[arg-type]
            assert one.snapshot() == kept
            assert_same(one.push(dict.fromkeys((5, 2), x[5])), first, "y after restore")


def test_an_empty_snapshot_restores_nothing(runtime: Runtime, tmp_path: Path) -> None:
    streams, x = Streams(runtime), sequence(1)[0]
    kept = streams.snapshot()
    kept.state.save(tmp_path / "none")
    for state in (kept.state, sw.State.load(tmp_path / "none")):
        streams.push({"a": x})
        streams.restore((kept.keys, state))
        assert list(streams) == []


def test_thousands_of_keys(runtime: Runtime) -> None:
    streams, x = Streams(runtime), np.random.default_rng(6).normal(size=(3000, FEATURES))
    streams.push({key: x[key] for key in range(3000)})
    answers = streams.push({key: x[key] for key in range(2999, -1, -3)})
    for key in (2999, 1499, 2):
        stream = Stream(runtime)
        stream.push(x[key])
        assert_close(answers[key], stream.push(x[key]), f"y of {key}")


@pytest.mark.parametrize("bad", [float("nan"), 1e300])
def test_a_step_that_does_not_fit_evicts_nobody(engine: str, bad: float) -> None:
    """The compiled step sees it last, after those who were to go would have been told to `on_evict`."""
    told: list[Hashable] = []
    runtime = runtime_of(built([lstm()], (None, 2)), engine)
    streams = Streams(runtime, max_streams=2, on_evict=lambda key, _: told.append(key))
    streams.push({"a": [0.1, 0.2], "b": [0.3, 0.4]})
    for push in (lambda: streams.push_one("c", [bad, 1.0]), lambda: streams.push({"c": [bad, 1.0]})):
        with pytest.raises(DataError):
            push()
    assert (told, list(streams)) == ([], ["a", "b"])
