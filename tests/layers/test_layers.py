"""Each layer by itself: its formula in NumPy, its fresh weights, what it refuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.foundation.random import key_of
from statewise.kernels.activations import ACTIVATIONS
from statewise.kernels.lstm import LSTMWeights
from statewise.kernels.states import LSTMState
from statewise.layers import LSTM, Activation, Dense, Dropout, Embedding, Layer
from statewise.layers.registry import LAYERS
from statewise.native import ffi
from tolerances import assert_close, assert_same, differ

HALF: Any = 2.5
KEY = key_of(3)
RNG_KEY = jax.random.key(3)
RNG = np.random.default_rng(4)
X: Any = RNG.normal(size=(3, 4, 5)).astype(np.float32)


def normal(*shape: int) -> jax.Array:
    return jnp.asarray(RNG.normal(size=shape), jnp.float32)


# ----------------------------------------------------------------------------------------------- LSTM


def test_fresh_lstm_weights_are_keras_ones() -> None:
    """Glorot-uniform kernel, orthogonal recurrent kernel, forget bias 1: limits and moments of each."""
    units, features = 32, 20
    params = LSTM(units).init(KEY, (None, features))
    limit = np.sqrt(6 / (features + 4 * units))
    assert np.abs(params["kernel"]).max() <= limit
    assert params["kernel"].std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    product = params["recurrent_kernel"] @ params["recurrent_kernel"].T
    assert_close(product, np.eye(units, dtype=np.float32), "U U'")
    expected = np.zeros((4, units), np.float32)
    expected[1] = 1.0
    assert_same(params["bias"].reshape(4, units), expected, "bias")


def test_other_keys_give_other_weights() -> None:
    first, second = (LSTM(32).init(key_of(seed), (None, 20)) for seed in (0, 1))
    assert differ(first["kernel"], second["kernel"])
    assert differ(first["recurrent_kernel"], second["recurrent_kernel"])


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("kernel", ["native.native_lstm", "lstm_fast.fast_lstm"])
def test_the_usual_activations_are_left_to_a_fast_kernel(
    kernel: str, use_bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = kernel.startswith("native")
    if native and not ffi.is_registered():
        pytest.skip("there is no native kernel")
    monkeypatch.setattr("statewise.kernels.native.serves", lambda *_: native)
    calls = watched(kernel, monkeypatch)
    layer = LSTM(3, use_bias=use_bias)
    params = {"kernel": normal(5, 12), "recurrent_kernel": normal(3, 12), "bias": normal(12)}
    given = params if use_bias else {name: params[name] for name in layer.weight_names}
    y, state = layer.apply(given, jnp.asarray(X), layer.zero_state(3))
    ((weights, x, start), flags), result = calls[0]
    assert_same(weights, LSTMWeights(*(params | ({} if use_bias else {"bias": jnp.zeros(12)})).values()), "weights")
    assert_same(x, X, "x")
    assert_same(start, layer.zero_state(3), "state")
    assert flags == {"reset": None, "mask": None, "initial": None} | ({"noise": None} if native else {})
    assert y is state.h  # type: ignore[union-attr]
    assert state is result[1]


def test_other_activations_go_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = watched("lstm.lstm", monkeypatch)
    layer = LSTM(3, activation="softsign", recurrent_activation="hard_sigmoid", return_sequences=True)
    params = {"kernel": normal(5, 12), "recurrent_kernel": normal(3, 12), "bias": normal(12)}
    y, _ = layer.apply(params, jnp.asarray(X), layer.zero_state(3))
    (_, options), result = calls[0]
    assert options["activation"] is ACTIVATIONS["softsign"]
    assert options["recurrent_activation"] is ACTIVATIONS["hard_sigmoid"]
    assert y is result[0]


def watched(kernel: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replaces a kernel by one that notes what it is given and answers with marked arrays."""
    calls: list[Any] = []

    def answer(*given: Any, **options: Any) -> Any:
        result = (jnp.full((3, 4, 3), 7.0), LSTMState(jnp.full((3, 3), 8.0), jnp.full((3, 3), 9.0)))
        calls.append(((given, options), result))
        return result

    monkeypatch.setattr(f"statewise.kernels.{kernel}", answer)
    return calls


def test_lstm_refuses_what_is_no_state() -> None:
    with pytest.raises(StateError, match=r"LSTM needs a state \(h, c\), got \(\); start from model.initial_state"):
        LSTM(3).apply({}, jnp.asarray(X), ())


def test_h_and_c_of_a_fresh_state_are_two_buffers() -> None:
    h, c = cast("LSTMState", LSTM(3).zero_state(2))
    assert h.unsafe_buffer_pointer() != c.unsafe_buffer_pointer()
    assert not h.any()
    assert not c.any()


# ------------------------------------------------------------------------------------- without memory


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("x", [X, X[:, 0]], ids=["steps", "rows"])
def test_dense(x: Any, use_bias: bool) -> None:
    layer = Dense(2, activation="tanh", use_bias=use_bias)
    kernel, bias = normal(5, 2), normal(2)
    y, state = layer.apply({"kernel": kernel, "bias": bias} if use_bias else {"kernel": kernel}, jnp.asarray(x), ())
    assert_close(y, np.tanh(x @ np.asarray(kernel) + (np.asarray(bias) if use_bias else 0)), "y")
    assert state == ()


def test_fresh_dense_weights_are_keras_ones() -> None:
    params = Dense(60).init(KEY, (None, 40))
    limit = np.sqrt(6 / (40 + 60))
    assert np.abs(params["kernel"]).max() <= limit
    assert np.asarray(params["kernel"]).std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert not params["bias"].any()


def test_embedding_picks_vectors() -> None:
    vectors = normal(7, 3)
    symbols = RNG.integers(0, 7, (4, 5))
    y, _ = Embedding(7, 3).apply({"embeddings": vectors}, jnp.asarray(symbols), ())
    assert_same(y, np.asarray(vectors)[symbols], "y")


def test_fresh_embeddings_are_keras_ones() -> None:
    vectors = Embedding(50, 40).init(KEY, (None,))["embeddings"]
    assert np.abs(vectors).max() <= 0.05
    assert vectors.std() == pytest.approx(0.05 / np.sqrt(3), rel=0.05)


REFERENCE: dict[str, Callable[[Any], Any]] = {
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "exponential": np.exp,
    "gelu": lambda x: x * np.vectorize(lambda z: 0.5 * (1 + math.erf(z / math.sqrt(2))))(x),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_sigmoid_keras_2": lambda x: np.minimum(np.maximum(0.2 * x + 0.5, 0), 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name: str) -> None:
    x = 3 * X
    y, _ = Activation(name).apply({}, jnp.asarray(x), ())
    assert_close(y, REFERENCE[name](x.astype(np.float64)), name)


# -------------------------------------------------------------------------------------------- dropout


def test_dropout_does_nothing_without_a_key_or_a_rate() -> None:
    assert_same(Dropout(0.9).apply({}, jnp.asarray(X), ())[0], X, "at inference")
    assert_same(Dropout(0.0).apply({}, jnp.asarray(X), (), rng=RNG_KEY)[0], X, "at rate 0")


NOISY = (50, 6, 40)


def test_dropout_zeroes_its_share_and_scales_the_rest() -> None:
    x = normal(*NOISY) + 5.0
    y = np.asarray(Dropout(0.3).apply({}, x, (), rng=RNG_KEY)[0])
    kept = y != 0
    assert kept.mean() == pytest.approx(0.7, abs=0.02)  # 12,000 draws: 4.8 standard deviations
    assert_close(y[kept], np.asarray(x)[kept] / 0.7, "what is kept")
    assert len({row.tobytes() for row in kept.reshape(-1, 40)}) == 300  # rows and steps are drawn by themselves


def test_noise_shape_drops_the_same_features_at_every_step() -> None:
    y = np.asarray(Dropout(0.3, noise_shape=(None, 1, None)).apply({}, jnp.ones(NOISY), (), rng=RNG_KEY)[0])
    assert (y == y[:, :1]).all()
    assert len({row.tobytes() for row in y[:, 0]}) == 50  # but other ones in other rows


def test_other_keys_drop_other_features() -> None:
    first, second = (Dropout(0.3).apply({}, jnp.ones(NOISY), (), rng=jax.random.key(seed))[0] for seed in (0, 1))
    assert differ(first, second)


# ------------------------------------------------------------------------------------------- contract


def test_every_layer_is_known_by_its_name() -> None:
    assert {name: kind.__name__ for name, kind in LAYERS.items()} == {name: name for name in LAYERS}


EXAMPLES: list[Layer] = [
    LSTM(3, activation="relu", use_bias=False, return_sequences=True, name="memory"),
    Dense(2, activation="softmax", use_bias=False),
    Embedding(7, 3),
    Dropout(0.25, noise_shape=(None, 1, None)),
    Activation("tanh", name="squash"),
]


@pytest.mark.parametrize("layer", EXAMPLES, ids=lambda layer: type(layer).__name__)
def test_a_layer_is_remade_from_its_configuration(layer: Layer) -> None:
    assert LAYERS[type(layer).__name__](**layer.config()) == layer


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LSTM(0), ConfigurationError, "LSTM units: expected an integer >= 1, got 0"),
        (lambda: Dense(HALF), ConfigurationError, "Dense units: expected an integer >= 1, got 2.5"),
        (lambda: LSTM(2, activation="than"), ConfigurationError, "unknown activation 'than': did you mean 'tanh'"),
        (lambda: Dense(2, name="a/b"), ConfigurationError, "Dense name: expected text without '/', got 'a/b'"),
        (lambda: Dropout(1.0), ConfigurationError, "expected 0 <= Dropout rate < 1"),
        (lambda: Dropout(0.5, noise_shape=(None, 2)), ConfigurationError, "expected None or 1 for each axis"),
        (
            lambda: Dropout(0.5, noise_shape=(None, 1)).output_shape((4, 5)),
            ShapeError,
            r"Dropout expects 2 axes, as its noise_shape, got \[B, 4, 5\]; make them agree",
        ),
        (lambda: Dense(2).output_shape((None,)), ShapeError, r"Dense expects \[B, F\] or \[B, T, F\], got \[B, T\]"),
        (
            lambda: Embedding(7, 3).output_shape((4, 1)),
            ShapeError,
            r"Embedding expects integers \[B, T\], got \[B, 4, 1\]; write x\[..., 0\]",
        ),
    ],
)
def test_what_a_layer_refuses(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
