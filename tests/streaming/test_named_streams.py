"""Streams of networks with several inputs or outputs: step by step they are the network at once, by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import case, refused, table
from networks import SYMBOLS, random_weights
from statewise.diagnostics.drawn_states import draw_state
from statewise.errors import ConfigurationError, DataError, FileError, ShapeError, StateError
from statewise.storage.artifact import Artifact, read_artifact, write_artifact
from statewise.streaming import Runtime, Snapshot, Stream, Streams
from statewise.streaming.store import StoredStream, StreamStore
from streamed import ENGINES, parts
from tolerances import assert_close, assert_same

ROWS, STEPS = 3, 6
SIZES = {"readings": (None, 4), "weather": (None, 1), "plant": (3,)}


def inputs() -> Any:
    return [sw.Input(shape, name=name, axis="readings" if None in shape else None) for name, shape in SIZES.items()]


def plant_model() -> sw.Model:
    """Two inputs on one time axis, both with steps to skip, and one without; an output per step and one per row."""
    readings, weather, plant = inputs()
    like = sw.RepeatLike()([sw.Dense(2, activation="tanh")(plant), readings])
    read = sw.Concatenate()([sw.Masking(0.0)(readings), sw.Masking(-1.0)(weather), like])
    h = sw.LSTM(4, return_sequences=True, learn_initial_state=True)(read)
    near = sw.Attention(window=3)([h, h])
    last = sw.GRU(3)(sw.Concatenate()([near, weather]))
    return sw.Model([readings, weather, plant], {"load": sw.Dense(1)(near), "alarm": sw.Dense(2)(last)}, seed=1)


def words_model() -> sw.Model:
    """One input of symbols, several outputs in a list, one of them a state of a layer and one made of another."""
    words = sw.Input((None,), name="words")
    h, last, _ = sw.LSTM(4, return_sequences=True, return_state=True)(sw.Embedding(SYMBOLS, 3, mask_zero=True)(words))
    tags = sw.Dense(2)(h)
    return sw.Model(words, [tags, last, sw.Activation("softmax")(tags)], seed=1)


def sum_model() -> sw.Model:
    """Several inputs that are added, and one output."""
    given = [sw.Input((None, 2), name=name, axis="time") for name in ("a", "b", "c")]
    return sw.Model(given, sw.GRU(3, return_sequences=True)(sw.Add()(given)), seed=1)


def single_model() -> sw.Model:
    """One input and one output that has a name all the same."""
    x = sw.Input((None, 2))
    return sw.Model(x, {"y": sw.LSTM(3)(x)}, seed=1)


def rows_model() -> sw.Model:
    """Inputs without steps only, side by side."""
    a, b = sw.Input((2,), name="a"), sw.Input((1,), name="b")
    return sw.Model({"a": a, "b": b}, {"sum": sw.Dense(2)(sw.Concatenate()([a, b])), "b": sw.Dense(1)(b)}, seed=1)


MODELS = {make.__name__: make for make in (plant_model, words_model, sum_model, single_model, rows_model)}
pytestmark = pytest.mark.parametrize("engine", ENGINES)
every_model = pytest.mark.parametrize("name", MODELS)


@cache
def model_of(name: str) -> sw.Model:
    model = MODELS[name]()
    random_weights(model)
    return model


def data_of(model: sw.Model, seed: int = 3) -> Any:
    """Random input, with steps to skip, by name if there are several."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for given in model.network.inputs:
        shape = (ROWS, *(STEPS if size is None else size for size in given.shape))
        found[given.name] = rng.normal(size=shape).astype(np.float32)
    if "plant" in found:
        found["readings"][0, 2] = found["readings"][1, 0] = 0
        found["weather"][0, 3] = found["weather"][1, 0] = found["weather"][2, STEPS - 1] = -1
    if "words" in found:
        found["words"] = rng.integers(0, SYMBOLS, (ROWS, STEPS))
    return found if len(found) > 1 else next(iter(found.values()))


def at(x: Any, rows: Any, step: int) -> Any:
    """Returns one step of some rows."""
    if isinstance(x, dict):
        return {name: at(array, rows, step) for name, array in x.items()}
    return x[rows, step] if x.ndim == 3 or x.dtype.kind == "i" else x[rows]


def start_of(model: sw.Model) -> sw.State:
    return draw_state(model.initial_state(ROWS), np.random.default_rng(7))


def named(y: Any) -> dict[str, Any]:
    """Returns answers of any form by name or number."""
    items = y.items() if isinstance(y, dict) else enumerate(y) if isinstance(y, list) else [("y", y)]
    return {str(name): np.asarray(array) for name, array in items}


def check(answers: list[Any], y: Any, row: Any) -> None:
    """Fails unless the answers to all steps are those of the whole pass, in the same form."""
    assert type(answers[0]) is (type(y) if isinstance(y, dict | list) else np.ndarray)
    for name, array in named(y).items():
        found = [named(answer)[name] for answer in answers]
        own = array[row]
        assert_close(np.stack(found, axis=-2) if array.ndim == 3 else found[-1], own, name)


@every_model
def test_steps_by_name_equal_the_whole(name: str, engine: str) -> None:
    model = model_of(name)
    x, start = data_of(model), start_of(model)
    y, end = model(x, start)
    for row in range(ROWS):
        stream = model.stream(engine=engine)
        assert stream.engine == engine
        if start.batch:
            stream.restore(start.rows(row))
        check([stream.push(at(x, row, step)) for step in range(STEPS)], y, row)
        assert_close(parts(stream.state), parts(end.rows(row) if end.batch else end), "state")
        assert stream.steps == STEPS


@every_model
def test_streams_by_key_equal_the_whole(name: str, engine: str) -> None:
    """Pushed one by one, together, and as arrays."""
    model = model_of(name)
    x, start = data_of(model), start_of(model)
    y, end = model(x, start)
    keys = ["a", "b", "c"]
    several = [model.streams(engine=engine) for _ in range(3)]
    for streams in several:
        streams.restore((keys, start))
    by_one, together, as_arrays = several
    ones = [{key: by_one.push_one(key, at(x, row, step)) for row, key in enumerate(keys)} for step in range(STEPS)]
    pushed = [together.push({key: at(x, row, step) for row, key in enumerate(keys)}) for step in range(STEPS)]
    for row, key in enumerate(keys):
        check([answers[key] for answers in ones], y, row)
        check([answers[key] for answers in pushed], y, row)
    check([as_arrays.push_rows(keys, at(x, slice(None), step)) for step in range(STEPS)], y, slice(None))
    for streams in several:
        assert_close(parts(streams.snapshot().state), parts(end), "state")


def test_steps_come_in_any_form(engine: str) -> None:
    """As arrays, numbers and lists by name, as a list in the inputs' order, and as one vector of all numbers."""
    model = model_of("plant_model")
    x = at(data_of(model), 1, 2)
    plain = {name: array.tolist() for name, array in x.items()}
    forms: list[Any] = [
        x,
        plain,
        dict(reversed(x.items())),
        {**plain, "weather": plain["weather"][0]},
        {name: array.astype(np.float64) for name, array in x.items()},
        list(x.values()),
        np.concatenate(list(x.values())),
        [*plain["readings"], *plain["weather"], *plain["plant"]],
    ]
    answers = [model.stream(engine=engine).push(form) for form in forms]
    by_key = model.streams(engine=engine).push(dict(enumerate(forms)))
    for number in range(len(forms)):
        assert_same(answers[number], answers[0], f"form {number}")
        assert_close(by_key[number], answers[0], f"form {number}")
    rows = {name: np.repeat(array[None], 2, axis=0) for name, array in x.items()}
    both = model.streams(engine=engine).push_rows("ab", rows)
    assert_close(both["load"][1], answers[0]["load"], "rows")
    assert_same(model.streams(engine=engine).push_rows("ab", np.concatenate(list(rows.values()), axis=1)), both)


def test_answers_are_ones_own_by_name(engine: str) -> None:
    stream, x = model_of("plant_model").stream(engine=engine), data_of(model_of("plant_model"))
    first = stream.push(at(x, 0, 0))
    kept, state = {name: y.copy() for name, y in first.items()}, stream.snapshot()
    for y in first.values():
        y[...] = 5
    assert stream.state == state
    stream.restore(stream.snapshot())
    stream.reset()
    assert_same(stream.push(at(x, 0, 0)), kept, "y")


def test_streams_by_name_have_all_that_streams_have(engine: str, tmp_path: Path) -> None:
    """Ages, evictions, snapshots, files, copies, a database and new weights."""
    model, now, gone = model_of("plant_model"), [0.0], dict[Any, sw.State]()
    x = data_of(model)
    step = [at(x, row, 1) for row in range(ROWS)]
    streams = Streams(
        model.runtime(engine), max_streams=2, max_age=10.0, on_evict=gone.__setitem__, clock=lambda: now[0]
    )
    first = streams.push({"a": step[0], "b": step[1]})
    assert set(first["a"]) == {"load", "alarm"}
    assert set(streams.push_one("c", step[2])) == {"load", "alarm"}
    assert (list(streams), list(gone)) == (["b", "c"], ["a"])
    now[0] = 11.0
    assert streams.push({}) == {}
    assert list(gone) == ["a", "b", "c"]
    streams.resume("a", gone["a"])
    streams.push_one("b", step[1])
    streams.snapshot().save(tmp_path / "snapshot")
    other = model.streams(engine=engine)
    other.restore(Snapshot.load(tmp_path / "snapshot"))
    copied = other.__copy__()
    assert_same(copied.push_one("a", step[1]), streams.push_one("a", step[1]), "y of a copy")
    with StreamStore.open(tmp_path / "store", model.runtime(engine)) as store:
        store.write([StoredStream(key, streams.state(key)) for key in streams])
        assert [kept.key for kept in store.load()] == list(streams)
    newer = plant_model()
    random_weights(newer, 5)
    before = streams.state("a")
    streams.upgrade(newer)
    y, _ = newer({name: array[None] if array.ndim == 1 else array for name, array in _whole(step[0]).items()}, before)
    assert_close(streams.push_one("a", step[0])["alarm"], np.asarray(y["alarm"])[0], "y with new weights")


def _whole(step: dict[str, Any]) -> dict[str, Any]:
    return {name: array if SIZES[name] == array.shape else array[None, None] for name, array in step.items()}


@every_model
def test_a_file_keeps_the_form(name: str, engine: str, tmp_path: Path) -> None:
    model = model_of(name)
    x = at(data_of(model), 0, 1)
    model.save(tmp_path / "model")
    expected = model.stream(engine=engine).push(x)
    found = Stream.open(tmp_path / "model", engine=engine).push(x)
    assert type(found) is type(expected)
    assert_same(found, expected, "y")


def test_a_file_of_several_inputs_streams_without_jax(engine: str, tmp_path: Path) -> None:
    model_of("plant_model").save(tmp_path / "model")
    program = (
        "import sys; import statewise as sw; from statewise.streaming import Stream\n"
        f"stream = Stream.open({str(tmp_path / 'model')!r}, engine={engine!r})\n"
        "y = stream.push({'readings': [1.0, 2.0, 3.0, 4.0], 'weather': 0.5, 'plant': [0.0, 1.0, 0.0]})\n"
        "assert sorted(y) == ['alarm', 'load'] and 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_form_that_a_file_cannot_have_is_refused(engine: str, tmp_path: Path) -> None:
    model_of("plant_model").save(tmp_path / "model")
    artifact = read_artifact(tmp_path / "model")
    write_artifact(
        tmp_path / "model", Artifact(artifact.kind, {**artifact.header, "form": "tuple"}, dict(artifact.arrays))
    )
    refused(lambda: Stream.open(tmp_path / "model", engine=engine), FileError, ["form", "'list' or 'dict'", "'tuple'"])


STEP = {"readings": [1.0, 2.0, 3.0, 4.0], "weather": 0.5, "plant": [0.0, 1.0, 0.0]}
ROWS_OF = {"readings": np.ones((2, 4)), "weather": np.ones(2), "plant": np.ones((2, 3))}


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        ({"readings": STEP["readings"], "plant": STEP["plant"]}, ShapeError, ["'weather' is missing", "'plant'"]),
        ({**STEP, "wether": 1.0}, ShapeError, ["no input 'wether'", "'readings', 'weather', 'plant'"]),
        ({**STEP, "plant": [1.0, 2.0]}, ShapeError, ["input 'plant'", "shape [3]", "got shape [2]"]),
        ({**STEP, "readings": [[1.0] * 4] * 2}, ShapeError, ["input 'readings'", "one by one"]),
        ({**STEP, "weather": [1.0, 2.0]}, ShapeError, ["input 'weather'", "a number or [1]", "got shape [2]"]),
        ({**STEP, "readings": [1.0, 2.0, np.nan, 4.0]}, DataError, ["input 'readings'", "NaN", "[2]"]),
        ({**STEP, "weather": np.inf}, DataError, ["input 'weather'", "NaN or infinite"]),
        ({**STEP, "plant": [0.0, 1e300, 0.0]}, DataError, ["input 'plant'", "1e+300", "scale"]),
        ({}, ShapeError, ["the input 'readings' is missing"]),
        ({**STEP, "plant": [0.0, True, 0.0]}, DataError, ["input 'plant'", "True or False"]),
        ({**STEP, "plant": ["a", "b", "c"]}, DataError, ["input 'plant'", "real numbers"]),
        ([1.0, 2.0], ShapeError, ["[8]", "got shape [2]"]),
        (1.0, ShapeError, ["[8]", "got shape []"]),
    ],
)
def test_a_step_that_does_not_fit_is_named_and_changes_nothing(
    engine: str, x: Any, error: Any, words: list[str]
) -> None:
    stream, streams = model_of("plant_model").stream(engine=engine), model_of("plant_model").streams(engine=engine)
    stream.push(STEP)
    streams.push({"a": STEP, "b": STEP})
    before, both = stream.state, streams.snapshot()
    refused(lambda: stream.push(x), error, words)
    refused(lambda: streams.push_one("a", x), error, [*words, "of stream 'a'"])
    refused(lambda: streams.push({"a": STEP, "b": x}), error, [*words, "of stream 'b'"])
    assert stream.state == before
    assert streams.snapshot() == both


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        ({"readings": np.ones((2, 4)), "plant": np.ones((2, 3))}, ShapeError, ["'weather' is missing"]),
        ({**ROWS_OF, "plant": np.ones((3, 3))}, ShapeError, ["input 'plant'", "each of 2 key(s)", "[3, 3]"]),
        ({**ROWS_OF, "plant": np.ones((2, 2))}, ShapeError, ["row 0 of input 'plant'", "got shape [2]"]),
        ({**ROWS_OF, "weather": [1.0, np.nan]}, DataError, ["row 1 of input 'weather'", "NaN"]),
        (np.ones((2, 5)), ShapeError, ["row 0 of x", "[8]", "got shape [5]"]),
    ],
)
def test_rows_that_do_not_fit_are_named(engine: str, x: Any, error: Any, words: list[str]) -> None:
    streams = model_of("plant_model").streams(engine=engine)
    streams.push_rows("ab", ROWS_OF)
    before = streams.snapshot()
    refused(lambda: streams.push_rows("ab", x), error, words)
    assert streams.snapshot() == before


def two_axes() -> sw.Model:
    a, b = sw.Input((None, 2), name="a"), sw.Input((None, 2), name="b")
    return sw.Model([a, b], sw.Add()([sw.LSTM(3)(a), sw.LSTM(3)(b)]))


def started() -> sw.Model:
    x, plant = sw.Input((None, 2), name="x"), sw.Input((3,), name="plant")
    return sw.Model([x, plant], sw.GRU(4, name="reader")(x, initial_state=[sw.Dense(4)(plant)]))


def symbols() -> sw.Model:
    words, x = sw.Input((None,), name="words"), sw.Input((None, 2), name="x", axis="words")
    return sw.Model([words, x], sw.LSTM(3)(sw.Concatenate()([sw.Embedding(5, 2)(words), x])))


def ahead() -> sw.Model:
    x = sw.Input((None, 2))
    return sw.Model(x, sw.Dense(1)(sw.RepeatLike(name="spread")([sw.LSTM(3)(x), x])))


def without_window() -> sw.Model:
    a, b = sw.Input((None, 2), name="a"), sw.Input((None, 2), name="b", axis="a")
    return sw.Model([a, b], sw.Attention(causal=True, name="looks")([a, b]))


@table(
    case("two time axes", two_axes, StateError, "one time axis", "'a' and 'b'"),
    case("a start in values", started, StateError, "'reader'", "starts in values"),
    case("symbols and numbers", symbols, StateError, "'words'", "only input"),
    case("a value of the end at each step", ahead, StateError, "'spread'", "at the end only"),
    case("attention to all", without_window, StateError, "'looks'", "window=n"),
)
def test_networks_that_do_not_stream_say_why(engine: str, action: Callable[[], Any], error: Any, words: Any) -> None:
    model = action()
    refused(lambda: model.stream(engine=engine), error, words)


def test_an_upgrade_to_other_inputs_is_refused(engine: str) -> None:
    streams = model_of("sum_model").streams(engine=engine)
    given = [sw.Input((None, 3), name=name, axis="time") for name in ("a", "b")]
    other = sw.Model(given, sw.GRU(3, return_sequences=True)(sw.Add()(given)))
    refused(lambda: streams.upgrade(other), StateError, ["'a' [2] and 'b' [2] and 'c' [2]", "'a' [3] and 'b' [3]"])


def test_a_form_for_one_output_is_not_for_several(engine: str) -> None:
    model = model_of("words_model")
    config, params = model.network.config(), model.params
    refused(lambda: Runtime.of(config, params, engine, "one"), ConfigurationError, ["'list' or 'dict'", "'one'"])
    assert set(Stream(Runtime.of(config, params, engine)).push(1)) == {y.name for y in model.network.outputs}
