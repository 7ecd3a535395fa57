"""What LSTM, GRU and SimpleRNN have in common: reading from the end, dropout; and SimpleRNN itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import simple_oracle
import statewise as sw
from mistakes import case, refused, table
from networks import random_state, random_weights
from statewise.errors import ConfigurationError, ShapeError, StateError, StatewiseError
from statewise.foundation.random import key_of
from statewise.foundation.shapes import Array
from statewise.layers.recurrent import Recurrent
from statewise.network import Network
from statewise.streaming import Runtime
from tolerances import assert_close, assert_same, differ

B, T, F = 3, 3, 3
X: Array = np.random.default_rng(5).normal(size=(B, T, F)).astype(np.float32)
KINDS: list[type[Recurrent]] = [sw.LSTM, sw.GRU, sw.SimpleRNN]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
KEY = key_of(8)
RNG_KEY = jax.random.key(8)


def built(*layers: Any, shape: tuple[int | None, ...] = (None, None, F)) -> sw.Sequential:
    model = sw.Sequential(layers, seed=1)
    model.build(shape)
    random_weights(model)
    return model


# --------------------------------------------------------------------------------------------- SimpleRNN


def test_fresh_weights_are_keras_ones() -> None:
    params = sw.SimpleRNN(30).init(KEY, (None, 20))
    assert {name: w.shape for name, w in params.items()} == {
        "kernel": (20, 30),
        "recurrent_kernel": (30, 30),
        "bias": (30,),
    }
    limit = np.sqrt(6 / (20 + 30))
    assert np.abs(params["kernel"]).max() <= limit
    assert params["kernel"].std() == pytest.approx(limit / np.sqrt(3), rel=0.1)
    assert_close(params["recurrent_kernel"] @ params["recurrent_kernel"].T, np.eye(30, dtype=np.float32), "U U'")
    assert not params["bias"].any()


def test_a_model_answers_as_the_oracle_from_any_state() -> None:
    model = built(sw.SimpleRNN(4))
    start = random_state(model, B)
    y, end = model(X, start)
    arrays: list[Any] = [array.tolist() for array in (X, *model.get_weights(), np.asarray(start["simplernn"].h))]
    run = simple_oracle.simple(*arrays)
    assert_close(np.asarray(y), np.array(run.h), "y")
    assert_close(np.asarray(end["simplernn"].h), np.array(run.h), "h")


@pytest.mark.parametrize("options", [{}, {"use_bias": False, "activation": "softsign"}], ids=["plain", "other"])
def test_streams_answer_the_same(options: dict[str, Any]) -> None:
    model = built(sw.SimpleRNN(4, return_sequences=True, learn_initial_state=True, **options))
    y, end = model(X)
    runtime = Runtime.of(model.network.config(), model.params)
    states, answers = runtime.fresh(B), []
    for t in range(T):
        answer, states = runtime.step(X[:, t], states)
        answers.append(answer)
    assert_close(np.stack(answers, axis=1), np.asarray(y), "y")
    assert_close(runtime.state_of(states)["simplernn"].h, np.asarray(end["simplernn"].h), "h")


def test_its_state_is_saved_and_loaded(tmp_path: Any) -> None:
    model = built(sw.SimpleRNN(4), sw.Dense(1))
    state = random_state(model, B)
    state.save(tmp_path / "state")
    assert sw.State.load(tmp_path / "state", model) == state
    model.save(tmp_path / "model")
    again: Any = sw.load(tmp_path / "model")
    assert_same(again(X, state)[0], model(X, state)[0], "y")


def test_a_memory_report_leaves_out_the_gates_that_it_has_not() -> None:
    model = built(sw.SimpleRNN(4), sw.Dense(1))
    model.compile("sgd", "mse")
    report = model.memory_report(X, X[:, -1, :1])
    assert report.gates == {}
    assert "gate" not in str(report).split("gradient, as a share")[1].replace("gradients", "")


# ------------------------------------------------------------------------------------------- go_backwards

RESET = np.array([[True, False, True], [False, False, False], [False, True, False]])
MASK = np.array([[True, False, True], [False, True, False], [True, True, False]])


def pieces(row: int) -> list[Array]:
    """Returns what resets part a row into, skipped steps left out."""
    cuts = sorted({0, *np.flatnonzero(RESET[row]).tolist(), T})
    steps = [np.flatnonzero(MASK[row, a:b]) + a for a, b in pairwise(cuts)]
    return [piece for piece in steps if piece.size]


@each_kind
def test_reading_from_the_end_is_reading_the_flipped_input(kind: type[Recurrent]) -> None:
    """Each piece between resets, its skipped steps left out; the answers come in the order read."""
    layer = kind(2, go_backwards=True, return_sequences=True)
    params, plain = jax.device_put(layer.init(KEY, (None, F))), kind(2, return_sequences=True)
    y, _ = layer.apply(params, jnp.asarray(X), layer.zero_state(B), reset=jnp.asarray(RESET), mask=jnp.asarray(MASK))
    for row in range(B):
        for steps in pieces(row):
            back = jnp.asarray(X[row : row + 1, steps[::-1]])
            expected, _ = plain.apply(params, back, plain.zero_state(1))
            assert_close(y[row, T - 1 - steps[::-1]], expected[0], f"y of row {row}, steps {steps}")


def test_layers_after_it_skip_the_same_steps() -> None:
    """Two layers that read from the end, one after the other: the second meets the steps in their own order again."""
    model = built(sw.LSTM(2, go_backwards=True, return_sequences=True), sw.SimpleRNN(3))
    lengths, mask = [3, 1, 2], np.arange(T) < np.array([[3], [1], [2]])
    y, _ = model(X, mask=mask)
    for row, length in enumerate(lengths):
        alone, _ = model(X[row : row + 1, :length])
        assert_close(np.asarray(y)[row], np.asarray(alone)[0], f"y of row {row}")


def test_masked_answers_from_the_end_do_not_count() -> None:
    model = built(sw.GRU(2, go_backwards=True, return_sequences=True))
    model.compile("sgd", "mse")
    mask, y = np.arange(T) < np.array([[3], [1], [2]]), np.zeros((B, T, 2), np.float32)
    answers = [np.asarray(model(X[row : row + 1, :length])[0]) for row, length in enumerate([3, 1, 2])]
    expected = np.concatenate([answer.reshape(-1) for answer in answers])
    assert model.evaluate(X, y, mask=mask) == pytest.approx(float(np.mean(expected**2)), rel=1e-5)


# ------------------------------------------------------------------------------------------------ dropout


@each_kind
def test_dropout_acts_in_training_alone(kind: type[Recurrent]) -> None:
    layer, plain = kind(2, dropout=0.5, recurrent_dropout=0.5), kind(2)
    params, x, zero = jax.device_put(plain.init(KEY, (None, F))), jnp.asarray(X), plain.zero_state(B)
    assert_same(layer.apply(params, x, zero), plain.apply(params, x, zero), "at inference")
    assert_same(plain.apply(params, x, zero, rng=RNG_KEY), plain.apply(params, x, zero), "without dropout")
    assert differ(layer.apply(params, x, zero, rng=RNG_KEY)[0], plain.apply(params, x, zero)[0])


class Watched(sw.SimpleRNN):
    """A layer that notes what reaches its kernel."""

    def run(self, params: Any, x: Any, state: Any, reset: Any, mask: Any, initial: Any, noise: Any = None) -> Any:
        self.__dict__["seen"] = (x, noise)
        return super().run(params, x, state, reset, mask, initial, noise)


def test_a_row_drops_the_same_inputs_and_units_at_all_steps() -> None:
    rows, features, units = 40, 30, 30
    layer = Watched(units, dropout=0.3, recurrent_dropout=0.6)
    params, x = jax.device_put(layer.init(KEY, (None, features))), jnp.ones((rows, 2, features))
    layer.apply(params, x, layer.zero_state(rows), rng=RNG_KEY)
    thinned, noise = (np.asarray(a) for a in layer.__dict__["seen"])
    assert_same(thinned[:, 0], thinned[:, 1], "steps")
    for values, rate in ((thinned[:, 0], 0.3), (noise, 0.6)):
        assert_close(np.unique(values), np.array([0, 1 / (1 - rate)], np.float32), "values")
        assert (values == 0).mean() == pytest.approx(rate, abs=0.06)  # 1,200 draws: 4 standard deviations
        assert len({row.tobytes() for row in values}) == rows


def test_both_sides_of_a_bidirectional_layer_drop_their_own() -> None:
    layer = sw.Bidirectional(sw.SimpleRNN(30, recurrent_dropout=0.5), merge_mode="concat")
    one_side = jax.device_put(sw.SimpleRNN(30).init(KEY, (None, 1)))
    params = {f"{side}.{name}": w for side in ("forward", "backward") for name, w in one_side.items()}
    y, _ = layer.apply(params, jnp.ones((2, 3, 1)), layer.zero_state(2), rng=RNG_KEY)
    assert differ(y[:, :30], y[:, 30:])


def test_training_with_dropout_ends_where_the_seed_says() -> None:
    def trained(seed: int) -> list[Array]:
        model = sw.Sequential([sw.LSTM(2, dropout=0.2, recurrent_dropout=0.2)], seed=seed)
        model.build((None, None, F))
        random_weights(model)
        model.compile("sgd", "mse")
        model.fit(X, X[:, -1, :2], epochs=2, verbose=0)
        return model.get_weights()

    assert_same(trained(1), trained(1), "weights")
    assert differ(trained(1), trained(2))


# ----------------------------------------------------------------------------------------------- mistakes


def from_the_end() -> Any:
    model = built(sw.GRU(2, go_backwards=True), sw.Dense(1))
    model.compile("sgd", "mse")
    return model


@table(
    case("units", lambda: sw.SimpleRNN(0), ConfigurationError, "SimpleRNN units", ">= 1", "got 0"),
    case("activation", lambda: sw.SimpleRNN(2, activation="than"), ConfigurationError, "'than'", "'tanh'"),
    case("dropout", lambda: sw.LSTM(2, dropout=1.0), ConfigurationError, "LSTM dropout", "< 1", "got 1.0"),
    case(
        "recurrent-dropout",
        lambda: sw.GRU(2, recurrent_dropout=-1),
        ConfigurationError,
        "GRU recurrent_dropout",
        "0 <= ",
        "got -1",
    ),
    case("rows", lambda: Network.of([sw.SimpleRNN(2)], (4,)), ShapeError, "SimpleRNN expects [B, T, F]", "[B, 4]"),
    case(
        "carry",
        lambda: from_the_end().fit(X, X[:, 0, :1], state="carry", verbose=0),
        StateError,
        "layer 'gru' reads its input from the end",
        "fresh state",
        "that reads from the start",
    ),
    case(
        "stream",
        lambda: from_the_end().stream(),
        StateError,
        "layer 'gru' reads its input from the end",
        "model.predict(x)",
    ),
)
def test_what_is_refused(action: Any, error: type[StatewiseError], words: tuple[str, ...]) -> None:
    refused(action, error, words)
