"""Layers: their arguments in the words of Keras 1 and 2, their weights, their descriptions, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import statewise as sw
from networks import quick_compilation
from statewise.errors import ConfigurationError, LifecycleError, ShapeError, StateError, StatewiseError
from statewise.legacy import initializers, layers, regularizers
from statewise.legacy.activations import relu
from statewise.legacy.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    CuDNNGRU,
    CuDNNLSTM,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    InputLayer,
    Masking,
    Permute,
    RepeatVector,
    Reshape,
    SimpleRNN,
    SpatialDropout1D,
    TimeDistributed,
    TimeDistributedDense,
)
from statewise.legacy.models import Sequential, model_from_json

rng = np.random.default_rng(2)
Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


# -- arguments -------------------------------------------------------------------------------------------------------

SPELLINGS: list[tuple[Any, Any]] = [  # of Keras 1, of Keras 2
    (lambda: Dense(output_dim=3, init="he_normal", bias=False), lambda: Dense(3, None, False, "he_normal")),
    (
        lambda: Dense(3, W_regularizer=regularizers.l2(0.1), b_regularizer="l1"),
        lambda: Dense(3, kernel_regularizer=regularizers.l2(0.1), bias_regularizer="l1"),
    ),
    (
        lambda: LSTM(
            output_dim=3, init="one", inner_init="zero", inner_activation="relu", dropout_W=0.1, dropout_U=0.2
        ),
        lambda: LSTM(3, "tanh", "relu", True, "one", "zero", dropout=0.1, recurrent_dropout=0.2),
    ),
    (
        lambda: GRU(3, W_regularizer="l1", U_regularizer="l2", b_regularizer="l1", consume_less="gpu"),
        lambda: GRU(3, kernel_regularizer="l1", recurrent_regularizer="l2", bias_regularizer="l1", implementation=2),
    ),
    (lambda: LSTM(3, forget_bias_init="zero"), lambda: LSTM(3, unit_forget_bias=False, unroll=True)),
    (lambda: LSTM(3, forget_bias_init="one"), lambda: LSTM(3)),
    (lambda: Dropout(p=0.3), lambda: Dropout(0.3)),
    (lambda: SpatialDropout1D(p=0.3), lambda: SpatialDropout1D(0.3)),
    (lambda: Embedding(5, 3, init="one", W_regularizer="l2"), lambda: Embedding(5, 3, "one", "l2")),
    (lambda: Reshape(dims=(2, 3)), lambda: Reshape((2, 3))),
    (lambda: CuDNNLSTM(3), lambda: LSTM(3)),
    (lambda: CuDNNGRU(3), lambda: GRU(3)),
    (lambda: TimeDistributedDense(3, init="one"), lambda: TimeDistributed(Dense(3, kernel_initializer="one"))),
    (
        lambda: TimeDistributedDense(3, input_dim=2, input_length=4),
        lambda: TimeDistributed(Dense(3), input_shape=(4, 2)),
    ),
]


def told(layer: Any) -> dict[str, Any]:
    """What a layer was told, without its name and what goes without saying."""
    config = layer.get_config()
    inner = {"layer": told(layer.options["layer"])} if "layer" in config else {}
    return {
        name: value for name, value in config.items() if name != "name" and value not in (True, None, "tanh")
    } | inner


def plain(layer: Any) -> Any:
    """Statewise's layer inside, without names."""
    inner = {"layer": replace(layer.core.layer, name=None)} if hasattr(layer.core, "layer") else {}
    return replace(layer.core, name=None, **inner)


@pytest.mark.parametrize(("old", "new"), SPELLINGS)
def test_keras_1_spells_what_keras_2_does(old: Callable[[], Any], new: Callable[[], Any]) -> None:
    assert told(old()) == told(new())
    assert plain(old()) == plain(new())


STARTS = "kernel_initializer recurrent_initializer bias_initializer"
LIMITS = "kernel_regularizer recurrent_regularizer bias_regularizer activity_regularizer"
ORDERS = {
    LSTM: f"units activation recurrent_activation use_bias {STARTS} unit_forget_bias {LIMITS}",
    GRU: f"units activation recurrent_activation use_bias {STARTS} {LIMITS}",
    SimpleRNN: f"units activation use_bias {STARTS} {LIMITS}",
    Dense: "units activation use_bias kernel_initializer bias_initializer kernel_regularizer bias_regularizer",
    Embedding: "input_dim output_dim embeddings_initializer embeddings_regularizer",
}
VALUES: dict[str, Any] = {
    "units": 3,
    "activation": "relu",
    "recurrent_activation": "elu",
    "use_bias": True,
    "kernel_initializer": "ones",
    "recurrent_initializer": "zeros",
    "bias_initializer": "he_normal",
    "unit_forget_bias": False,
    "kernel_regularizer": "l1",
    "recurrent_regularizer": "l2",
    "bias_regularizer": "l1_l2",
    "activity_regularizer": None,
    "input_dim": 5,
    "output_dim": 4,
    "embeddings_initializer": "ones",
    "embeddings_regularizer": "l1",
}


@pytest.mark.parametrize("kind", ORDERS, ids=lambda kind: kind.__name__)
def test_arguments_have_keras_2s_places(kind: Any) -> None:
    names = ORDERS[kind].split()
    placed, named = kind(*(VALUES[name] for name in names)), kind(**{name: VALUES[name] for name in names})
    assert told(placed) == told(named)
    assert plain(placed) == plain(named)


INPUTS: dict[str, tuple[Callable[[], Any], Any, int | None]] = {
    "input_shape": (lambda: LSTM(3, input_shape=(4, 2)), (4, 2), None),
    "any steps": (lambda: LSTM(3, input_shape=(None, 2)), (None, 2), None),
    "batch_input_shape": (lambda: LSTM(3, batch_input_shape=(5, 4, 2)), (4, 2), 5),
    "batch_size": (lambda: LSTM(3, input_shape=(4, 2), batch_size=5), (4, 2), 5),
    "input_dim": (lambda: LSTM(3, input_dim=2), (None, 2), None),
    "input_length": (lambda: LSTM(3, input_dim=2, input_length=4), (4, 2), None),
    "Dense": (lambda: Dense(3, input_dim=2), (2,), None),
    "Embedding": (lambda: Embedding(5, 3), (None,), None),
    "Embedding, length": (lambda: Embedding(5, 3, input_length=4), (4,), None),
    "Embedding, batch": (lambda: Embedding(5, 3, batch_input_shape=(2, 4)), (4,), 2),
    "Input": (lambda: Input((4, 2)), (4, 2), None),
    "Input, batch": (lambda: Input(batch_shape=(5, 4, 2)), (4, 2), 5),
    "Input, type": (lambda: Input(shape=(4, 2), batch_size=5, dtype=np.float32), (4, 2), 5),
    "InputLayer": (lambda: InputLayer(batch_input_shape=(5, 4, 2), dtype="float32"), (4, 2), 5),
    "TimeDistributed": (lambda: TimeDistributed(Dense(3), input_shape=(4, 2)), (4, 2), None),
    "Bidirectional": (lambda: Bidirectional(LSTM(3), batch_input_shape=(5, 4, 2)), (4, 2), 5),
    "inside": (lambda: Bidirectional(LSTM(3, batch_input_shape=(5, 4, 2))), (4, 2), 5),
}


@pytest.mark.parametrize("name", INPUTS)
def test_ways_to_say_what_comes_in(name: str) -> None:
    make, shape, rows = INPUTS[name]
    layer = make()
    assert (layer.row_shape, layer.batch_size) == (shape, rows)
    stack = [layer, Dense(2)] if isinstance(layer, InputLayer) else [layer]
    model = Sequential(stack)
    assert (model.input_shape, model.output_shape[0]) == ((rows, *shape), rows)
    assert len(model.layers) == 1


# -- descriptions ----------------------------------------------------------------------------------------------------

EVERY: list[Callable[[], list[Any]]] = [
    lambda: [LSTM(3, kernel_initializer=initializers.RandomNormal(seed=3), stateful=True, batch_input_shape=(2, 4, 2))],
    lambda: [LSTM(3, return_sequences=True, unit_forget_bias=False, input_shape=(4, 2)), GRU(2, name="last")],
    lambda: [CuDNNLSTM(3, return_sequences=True, input_shape=(4, 2)), CuDNNGRU(2, W_regularizer="l2")],
    lambda: [SimpleRNN(3, go_backwards=True, recurrent_regularizer=regularizers.l1(0.2), input_shape=(4, 2))],
    lambda: [Bidirectional(LSTM(3, init="he_normal"), merge_mode="sum", input_shape=(4, 2)), RepeatVector(3)],
    lambda: [Embedding(5, 3, mask_zero=True, input_length=4), SpatialDropout1D(0.1), TimeDistributed(Dense(2))],
    lambda: [Masking(-1.0, input_shape=(4, 2)), Flatten(), Reshape((2, 4)), Permute((2, 1)), Dropout(0.5)],
    lambda: [InputLayer(batch_input_shape=(2, 4, 2)), Dense(3, activation=relu, input_dim=2), Activation("softmax")],
]


@pytest.mark.parametrize("make", EVERY)
def test_descriptions_lead_back_to_the_layers(make: Callable[[], list[Any]]) -> None:
    model = Sequential(make(), name="described")
    read = model_from_json(model.to_json())
    assert (read.to_json(), read.name) == (model.to_json(), "described")
    assert (read.input_shape, read.output_shape) == (model.input_shape, model.output_shape)
    assert [plain(layer) for layer in read.layers] == [plain(layer) for layer in model.layers]
    assert [weight.shape for weight in read.get_weights()] == [weight.shape for weight in model.get_weights()]
    assert (read.stateful, read.batch_size) == (model.stateful, model.batch_size)


def test_every_layer_is_described_above() -> None:
    described = {type(layer).__name__ for make in EVERY for layer in make()}
    assert described == set(layers.LAYERS)


# -- weights ---------------------------------------------------------------------------------------------------------


def test_weights_are_given_read_and_replaced() -> None:
    given = [rng.normal(size=shape) for shape in [(2, 12), (3, 12), (12,)]]
    model = Sequential([LSTM(3, input_shape=(4, 2), weights=given), Dense(1)])
    for weight, wanted in zip(model.layers[0].get_weights(), given, strict=True):
        np.testing.assert_allclose(weight, wanted, rtol=1e-6)
    dense = model.layers[1]
    dense.set_weights([np.full((3, 1), 2.0), np.full(1, 3.0)])
    assert [float(weight[0].item()) for weight in (*dense.weights[:1], dense.weights[1])] == [2.0, 3.0]
    assert (dense.count_params(), model.count_params()) == (4, 76)
    assert (dense.input_shape, dense.output_shape) == ((None, 3), (None, 1))


@pytest.mark.parametrize(
    ("options", "gates"),
    [
        ({}, [0, 1, 0, 0]),
        ({"unit_forget_bias": False}, [0, 0, 0, 0]),
        ({"bias_initializer": "ones", "unit_forget_bias": False}, [1, 1, 1, 1]),
        ({"bias_initializer": initializers.Constant(3.0)}, [3, 1, 3, 3]),
    ],
)
@pytest.mark.parametrize("both", [False, True])
def test_the_forget_gate_starts_open(options: dict[str, Any], gates: list[int], both: bool) -> None:
    layer = LSTM(2, **options)
    model = Sequential([Bidirectional(layer, input_shape=(4, 1)) if both else layer, Dense(1)])
    model.build((None, 4, 1))
    biases = [weight for weight in model.layers[0].get_weights() if weight.ndim == 1]
    assert len(biases) == 1 + both
    for bias in biases:
        np.testing.assert_array_equal(bias, np.repeat(gates, 2))


@pytest.mark.parametrize(("kind", "core"), [(LSTM, sw.LSTM), (GRU, sw.GRU), (SimpleRNN, sw.SimpleRNN)])
def test_a_layer_is_called_with_its_state(kind: Any, core: Any) -> None:
    layer = kind(3, return_sequences=True, return_state=True)
    x = rng.normal(size=(2, 4, 2)).astype(np.float32)
    y, *ended = layer(x)
    plain = sw.Sequential([core(3, return_sequences=True, input_shape=(None, 2))])
    plain.build((None, 4, 2))
    plain.set_weights(layer.get_weights())
    wanted, after = plain(x)
    np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)
    starts = [rng.normal(size=(2, 3)).astype(np.float32) for _ in ended]
    (name,) = after.layers
    state = after.replace(name, **dict(zip(after[name]._fields, starts, strict=True)))
    wanted, after = plain(x, state)
    for part, expected in zip(layer(x, initial_state=starts), (wanted, *after[name]), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(StateError, match="initial_state: expected"):
        layer(x, initial_state=[*starts, x])


# -- what is refused -------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "constraint": (lambda: Dense(3, kernel_constraint=1), r"Dense\(kernel_constraint=\).*not constrained here"),
    "W_constraint": (lambda: Embedding(5, 3, W_constraint=1), r"Embedding\(embeddings_constraint=\)"),
    "recurrent": (lambda: LSTM(3, recurrent_constraint=1), r"LSTM\(recurrent_constraint=\).*not constrained here"),
    "activity": (lambda: Dense(3, activity_regularizer="l2"), r"Dense\(activity_regularizer=\).*kernel_regularizer="),
    "activity of GRU": (lambda: GRU(3, activity_regularizer="l2"), r"GRU\(activity_regularizer=\)"),
    "trainable": (lambda: LSTM(3, trainable=False), r"LSTM\(trainable=False\).*all weights are trained"),
    "frozen": (lambda: setattr(Dense(3), "trainable", False), r"layer.trainable = False is not supported"),
    "frozen model": (lambda: setattr(Sequential(), "trainable", False), r"model.trainable = False is not supported"),
    "float64": (lambda: LSTM(3, dtype="float64"), r"weights are float32"),
    "no type": (lambda: LSTM(3, dtype="number"), r"weights are float32"),
    "Dropout": (lambda: Dropout(0.1, seed=3), r"Dropout\(seed=\)"),
    "Embedding": (lambda: Embedding(5, 3, dropout=0.1), r"write a Dropout layer after it"),
    "Flatten": (lambda: Flatten("channels_first"), r"Flatten\(data_format=\)"),
    "merge_mode": (lambda: Bidirectional(LSTM(3), merge_mode=None), r"write merge_mode='concat'"),
    "activation": (lambda: Dense(3, activation=lambda x: x), r"a custom activation"),
    "initializer": (lambda: Dense(3, init=lambda shape: shape), r"a custom initializer.*set_weights"),
    "regularizer": (lambda: Dense(3, W_regularizer=lambda w: w), r"a custom regularizer"),
    "functional": (lambda: Dense(3)(Input((4, 2))), r"Model\(inputs, outputs\) is planned.*Sequential"),
    "functional LSTM": (lambda: LSTM(3)(Input((4, 2))), r"Model\(inputs, outputs\) is planned.*Sequential"),
    "own": (lambda: layers.Layer, r"custom layers are not supported"),
    "Conv1D": (lambda: layers.Conv1D, r"in scripts for Keras it is not supported yet"),
    "kind": (lambda: layers.deserialize({"class_name": "Conv1D", "config": {}}), r"keras.layers.Conv1D"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_a_sentence(name: str) -> None:
    make, message = REFUSED[name]
    with pytest.raises(StatewiseError, match=message) as caught:
        make()
    assert isinstance(caught.value, AttributeError)
    assert "\n" not in str(caught.value)


KINDS = [Dense, LSTM, GRU, SimpleRNN, Dropout, Embedding, Masking, Flatten, RepeatVector, Reshape, Permute, Activation]


@pytest.mark.parametrize("kind", [*KINDS, Bidirectional, TimeDistributed, InputLayer, SpatialDropout1D])
def test_unknown_options_are_answered_with_the_nearest(kind: Any) -> None:
    needed: dict[Any, tuple[Any, ...]] = {Embedding: (5, 3), Masking: (), Flatten: (), InputLayer: ()}
    with pytest.raises(ConfigurationError, match=rf"{kind.__name__} has no option nam=: did you mean name="):
        kind(*needed.get(kind, (3,)), nam="x")


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "units": (Dense, ConfigurationError, "missing a required argument: 'units'"),
    "LSTM": (LSTM, ConfigurationError, r"expected LSTM\(units, activation"),
    "twice": (lambda: LSTM(3, units=3), ConfigurationError, "units was given twice, by position and by name"),
    "activation": (lambda: Dense(3, "rellu"), ConfigurationError, "rellu"),
    "initializer": (lambda: Dense(3, init="one_"), ConfigurationError, "unknown initializer 'one_': did you mean"),
    "regularizer": (lambda: Dense(3, W_regularizer="l3"), ConfigurationError, "unknown regularizer 'l3'"),
    "Bidirectional": (lambda: Bidirectional(Dense(3)), ConfigurationError, r"expected a layer such as LSTM\(32\)"),
    "TimeDistributed": (lambda: TimeDistributed(3), ConfigurationError, r"expected a layer such as Dense\(1\)"),
    "alone": (lambda: Dense(3).get_weights(), LifecycleError, r"is not in a model yet; call model.add\(layer\) first"),
    "weights": (lambda: Sequential([Dense(1, input_dim=1, weights=[1])]).get_weights(), ShapeError, "expected shapes"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str) -> None:
    make, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        make()


def test_a_star_brings_keras_names_only() -> None:
    names: dict[str, Any] = {}
    exec("from statewise.legacy.layers import *", names)
    assert set(names) - {"__builtins__"} == set(layers.__all__)
    assert "sw" not in names


def test_a_sequence_at_each_step_starts_with_the_forget_gate_open() -> None:
    model = Sequential([TimeDistributed(LSTM(3), input_shape=(4, 5, 2)), LSTM(3), Dense(1)])
    assert model.predict(np.zeros((2, 4, 5, 2))).shape == (2, 1)
    np.testing.assert_array_equal(model.get_weights()[2], np.repeat([0, 1, 0, 0], 3))
