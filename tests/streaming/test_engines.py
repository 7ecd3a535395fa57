"""The compiled step: chosen openly, as exact as NumPy's, for networks of any sizes."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import FEATURES, random_state, random_weights
from statewise.errors import ConfigurationError, DataError
from statewise.kernels.activations import ACTIVATIONS
from statewise.layers import GRU, Activation, Dense, Embedding, Layer, Masking
from statewise.native.library import Loaded
from statewise.streaming import Runtime, Stream, Streams, engines
from statewise.streaming.engines import MAX_SYMBOLS, choose_engine
from statewise.streaming.fused_products import OF_TWICE
from statewise.streaming.instructions import FUNCTIONS
from streamed import ENGINES, built, gru, lstm, needs_native, parts, runtime_of
from tolerances import assert_close, assert_same

# ------------------------------------------------------------------------------------------------- the choice


@needs_native
def test_the_native_engine_is_chosen_where_there_is_one() -> None:
    model = built([lstm(), Dense(2)], (None, FEATURES))
    for streams in (model.stream(), model.streams(), model.stream(engine="native"), model.streams(engine="native")):
        assert (streams.engine, streams.fallback) == ("native", None)
    for streams in (model.stream(engine="numpy"), model.streams(engine="numpy")):
        assert (streams.engine, streams.fallback) == ("numpy", None)


def test_without_a_library_streams_run_in_numpy_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Loaded(None, "no C++ compiler was found when statewise was installed")
    monkeypatch.setattr(engines, "loaded", lambda: missing)
    monkeypatch.setattr(engines, "library", lambda: None)
    model = built([lstm(), Dense(2)], (None, FEATURES))
    for streams in (model.stream(), model.streams()):
        assert streams.engine == "numpy"
        assert "there is no native library, since no C++ compiler" in str(streams.fallback)
    assert model.stream(engine="numpy").fallback is None
    refused(lambda: model.stream(engine="native"), ConfigurationError, ["engine='native'", "engine='numpy'"])


@needs_native
def test_networks_that_the_compiled_step_cannot_run_say_why(tmp_path: Path) -> None:
    model = sw.Sequential([Dense(2, input_shape=(None, 4, 3))], seed=1)
    runtime = runtime_of(model)
    assert runtime.engine.name == "numpy"
    assert "[4, 3]" in str(runtime.engine.fallback)
    assert Stream(runtime).push(np.ones((4, 3))).shape == (4, 2)
    refused(lambda: model.stream(engine="native"), ConfigurationError, ["[F]", "[4, 3]", "engine='numpy'"])
    model.save(tmp_path / "model")
    refused(lambda: Stream.open(tmp_path / "model", engine="native"), ConfigurationError, ["[4, 3]", "engine='numpy'"])
    assert choose_engine("auto", (), MAX_SYMBOLS + 1).name == "numpy"
    assert choose_engine("auto", (None,), None).name == "numpy"


def test_other_engines_do_not_exist(tmp_path: Path) -> None:
    model = built([lstm()], (None, FEATURES))
    model.save(tmp_path / "model")
    for act in (lambda: model.stream(engine="natve"), lambda: Streams.open(tmp_path / "model", engine="natve")):
        refused(act, ConfigurationError, ["unknown engine 'natve'", "did you mean 'native'"])
    refused(lambda: model.stream(engine="numba"), ConfigurationError, ["no longer use Numba", "engine='native'"])


# -------------------------------------------------------------------------------------------------- functions


def test_there_is_every_activation() -> None:
    assert set(FUNCTIONS) == {*ACTIVATIONS, OF_TWICE} - {"linear"}


@needs_native
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_the_layers(name: str) -> None:
    near = np.random.default_rng(1).normal(size=17).astype(np.float32)
    edges = np.array([0.0, -3.0, 3.0, -80.0, 80.0, 1e-6, -1e-6], np.float32)
    for x in (near, 4 * near, edges):
        stream = Stream(runtime_of(sw.Sequential([Activation(name, input_shape=(None, len(x)))], seed=1), "native"))
        if name != "exponential" or np.abs(x).max() < 80:
            assert_close(stream.push(x), np.asarray(ACTIVATIONS[name](jnp.asarray(x))), name)


@needs_native
@pytest.mark.parametrize(
    ("name", "true", "x"),
    [
        ("tanh", math.tanh, np.concatenate([np.geomspace(1e-30, 30, 3000), -np.geomspace(1e-30, 30, 3000)])),
        ("exponential", math.exp, np.concatenate([np.linspace(-87, 88.7, 3000), np.geomspace(1e-9, 1, 1000)])),
        ("sigmoid", lambda x: 1 / (1 + math.exp(-x)), np.linspace(-80, 80, 3001)),
    ],
)
def test_functions_keep_their_digits(name: str, true: Callable[[float], float], x: Any) -> None:
    single = x.astype(np.float32)
    stream = Stream(runtime_of(sw.Sequential([Activation(name, input_shape=(None, len(x)))], seed=1), "native"))
    expected = np.array([true(float(value)) for value in single])
    assert (np.abs(stream.push(single) - expected) / np.abs(expected)).max() < 4e-7


@needs_native
def test_a_saturated_tanh_is_one() -> None:
    """A gate that is only almost 1 empties a memory over thousands of steps."""
    stream = Stream(runtime_of(sw.Sequential([Activation("tanh", input_shape=(None, 4))], seed=1), "native"))
    assert stream.push([9.0, 20.0, 1e9, -9.0]).tolist() == [1, 1, 1, -1]


@needs_native
def test_a_memory_that_is_never_forgotten_stays() -> None:
    weights = {"kernel": np.zeros((1, 4)), "recurrent_kernel": np.zeros((1, 4)), "bias": np.array([-30, 30, 0, 0])}
    config = {"input_shape": [None, 1], "layers": [{"kind": "LSTM", "name": "lstm", "units": 1}]}
    stream = Stream(Runtime.of(config, {"lstm": weights}, "native"))
    one = np.ones((1, 1), np.float32)
    stream.restore(sw.State({"lstm": stream.state["lstm"]._replace(c=one)}))
    for _ in range(3000):
        stream.push(0.0)
    assert stream.state["lstm"].c.tolist() == [[1.0]]


@needs_native
def test_small_and_large_results_go_to_zero_and_infinity() -> None:
    stream = Stream(runtime_of(sw.Sequential([Activation("exponential", input_shape=(None, 4))], seed=1), "native"))
    y = stream.push([-1e30, -100.0, 89.0, 1e30])
    assert y[0] == 0
    assert y[1] == pytest.approx(math.exp(-100), rel=0.1), "a small float32 has few digits"
    assert list(np.isinf(y)) == [False, False, True, True]


# ------------------------------------------------------------------------------------------------------ sizes

LAYERS: list[Callable[[int], Layer]] = [
    lambda units: lstm(units, learn_initial_state=True),
    lambda units: lstm(units, activation="softmax", recurrent_activation="softmax"),
    gru,
    lambda units: gru(units, reset_after=False, recurrent_activation="softmax"),
    lambda units: sw.SimpleRNN(units, return_sequences=True),
]


@needs_native
@pytest.mark.parametrize("layer", LAYERS, ids=["lstm", "lstm-softmax", "gru", "gru-reset-before", "simple"])
@pytest.mark.parametrize(("features", "units", "answers"), [(1, 1, 1), (20, 16, 33), (7, 50, 17), (33, 65, 100)])
def test_any_size_is_answered_as_in_numpy(
    layer: Callable[[int], Layer], features: int, units: int, answers: int
) -> None:
    """NumPy's cells are held to those of the layers elsewhere; rows beside those that count must not leak in."""
    model = built([layer(units), layer(units + 3), Dense(answers)], (None, features))
    random_weights(model, scale=0.7 / np.sqrt(units))
    state = random_state(model, 7)
    one, other = (Streams(runtime_of(model, engine)) for engine in ENGINES)
    x = np.random.default_rng(4).normal(size=(5, 7, features))
    for streams in (one, other):
        streams.restore((list(range(7)), state))
    for step in x:
        assert_close(one.push_rows(range(7), step), other.push_rows(range(7), step), "y")
    assert_close(parts(one.snapshot().state), parts(other.snapshot().state), "state")


@needs_native
def test_steps_to_skip_may_stand_beside_others() -> None:
    model = built([Masking(-1.0), lstm(), gru(3), Dense(2)], (None, FEATURES))
    one, other = (Streams(runtime_of(model, engine)) for engine in ENGINES)
    rng = np.random.default_rng(6)
    for _ in range(8):
        x = rng.normal(size=(11, FEATURES))
        x[rng.random(11) < 0.4] = -1.0
        assert_close(one.push_rows(range(11), x), other.push_rows(range(11), x), "y")
    assert_close(parts(one.snapshot().state), parts(other.snapshot().state), "state")


# ------------------------------------------------------------------------------------------- a stream's own


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copied_stream_goes_on_by_itself(engine: str, copied: Callable[[Stream], Stream]) -> None:
    stream = Stream(runtime_of(built([lstm(), Dense(1)], (None, 1)), engine))
    stream.push(0.5)
    other = copied(stream)
    assert (other.steps, other.state == stream.state) == (1, True)
    expected = copied(stream).push(0.7)
    other.push(-3.0)
    other.push(9.0)
    assert_same(stream.push(0.7), expected, "y")


@pytest.mark.parametrize("engine", ENGINES)
def test_pickling_streams_is_refused(engine: str) -> None:
    runtime = runtime_of(built([lstm()], (None, 1)), engine)
    with pytest.raises(TypeError, match=r"stream\.state"):
        pickle.dumps(Stream(runtime))
    with pytest.raises(TypeError, match=r"streams\.snapshot"):
        pickle.dumps(Streams(runtime))


@needs_native
def test_lists_arrays_and_numbers_are_one_step() -> None:
    runtime = runtime_of(built([lstm(), GRU(3), Dense(2)], (None, FEATURES)), "native")
    expected = Stream(runtime).push(np.array([1.0, -2.0, 3.0], np.float32))
    strided = np.array([[1.0, 9], [-2, 9], [3, 9]])[:, 0]
    locked = np.array([1.0, -2.0, 3.0])
    locked.setflags(write=False)
    for x in ([1.0, -2.0, 3.0], (1, -2, 3), [1, -2, 3], strided, locked, [np.float32(1), -2.0, np.float64(3)]):
        assert_same(Stream(runtime).push(x), expected, "y")


@needs_native
def test_a_whole_number_too_large_for_a_symbol_or_float_is_refused() -> None:
    numbers = Stream(runtime_of(built([lstm()], (None, 1)), "native"))
    symbols = Stream(runtime_of(built([Embedding(5, 2), lstm()], (None,)), "native"))
    for stream in (numbers, symbols):
        before = stream.state
        refused(partial(stream.push, 10**400), DataError, ["x", "beyond 64 bits"])
        assert stream.state == before
