"""TimeDistributed: a layer at each step. Bidirectional: its states, where it starts, its two layers and outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import Action, Error, case, each, refused, table
from networks import quick_compilation, random_weights
from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.layers import Features, Layer
from tolerances import assert_close, assert_same

RNG = np.random.default_rng(14)
ROWS, T, S, F = 4, 5, 6, 3
X = RNG.normal(size=(ROWS, T, F)).astype("float32")
NESTED = RNG.normal(size=(ROWS, T, S, F)).astype("float32")
EACH: dict[str, Any] = {"return_sequences": True}
STATE: dict[str, Any] = {"return_state": True}


def made(*layers: Any, shape: tuple[int | None, ...] = (None, F)) -> Any:
    model = sw.Sequential(layers, seed=1)
    model.build((None, *shape))
    random_weights(model)
    return model


# -- TimeDistributed ---------------------------------------------------------------------------------------------------

OF_ROWS: dict[str, Callable[[], Layer]] = {
    "Dense": lambda: sw.Dense(4, activation="tanh"),
    "Activation": lambda: sw.Activation("softmax"),
    "Dropout": lambda: sw.Dropout(0.5),
    "GaussianNoise": lambda: sw.GaussianNoise(0.5),
    "LayerNormalization": sw.LayerNormalization,
    "LeakyReLU": sw.LeakyReLU,
    "ELU": sw.ELU,
    "PReLU": sw.PReLU,
    "Reshape": lambda: sw.Reshape((3, 1)),
    "RepeatVector": lambda: sw.RepeatVector(2),
    "Lambda": lambda: sw.Lambda(lambda x: x**2),
}
OF_SEQUENCES: dict[str, Callable[[], Layer]] = {
    "LSTM": lambda: sw.LSTM(4),
    "LSTM, each step": lambda: sw.LSTM(4, **EACH),
    "GRU, learned start": lambda: sw.GRU(4, learn_initial_state=True),
    "SimpleRNN from the end": lambda: sw.SimpleRNN(4, go_backwards=True),
    "Bidirectional": lambda: sw.Bidirectional(sw.GRU(2, **EACH)),
    "Bidirectional, learned start": lambda: sw.Bidirectional(sw.GRU(2, learn_initial_state=True)),
    "Conv1D": lambda: sw.Conv1D(4, 3, padding="same"),
    "Conv1D, causal": lambda: sw.Conv1D(4, 3, padding="causal", strides=2),
    "MaxPooling1D": sw.MaxPooling1D,
    "GlobalAveragePooling1D": sw.GlobalAveragePooling1D,
    "UpSampling1D": sw.UpSampling1D,
    "ZeroPadding1D": sw.ZeroPadding1D,
    "Flatten": sw.Flatten,
    "Permute": lambda: sw.Permute((2, 1)),
    "SpatialDropout1D": lambda: sw.SpatialDropout1D(0.5),
    "LayerNormalization": sw.LayerNormalization,
    "Dense": lambda: sw.Dense(4),
    "TimeDistributed": lambda: sw.TimeDistributed(sw.Dense(4)),
    "Lambda": lambda: sw.Lambda(lambda x: x[:, -1]),
}
INSIDE = [*((make, X) for make in OF_ROWS.values()), *((make, NESTED) for make in OF_SEQUENCES.values())]
every_layer = pytest.mark.parametrize(
    ("make", "x"), INSIDE, ids=[*OF_ROWS, *(f"{name}, nested" for name in OF_SEQUENCES)]
)


@every_layer
def test_it_is_the_layer_at_each_step(make: Callable[[], Layer], x: Any) -> None:
    model, alone = made(sw.TimeDistributed(make()), shape=(None, *x.shape[2:])), made(make(), shape=x.shape[2:])
    alone.set_weights(model.get_weights())
    y, _ = model(x)
    expected = np.stack([np.asarray(alone(x[:, step])[0]) for step in range(T)], axis=1)
    assert_close(np.asarray(y), expected, "y")
    assert model.network.output_shape[1:] == y.shape[2:]
    assert model.network.memory == ()


@pytest.mark.parametrize("make", OF_SEQUENCES.values(), ids=OF_SEQUENCES)
@pytest.mark.filterwarnings("ignore:model.save will refuse")
def test_everything_holds_for_a_network_with_it(make: Callable[[], Layer]) -> None:
    layers = [sw.TimeDistributed(make()), sw.TimeDistributed(sw.Flatten()), sw.LSTM(2, **EACH)]
    model = made(*layers, shape=(None, S, F))
    with quick_compilation():
        found = model.verify(NESTED)
    assert found.passed, found
    done = {check.name for check in found.checks if check.difference is not None}
    assert {"chunks of 2 steps", "single steps", "padded on the left, masked", "rows reset"} <= done


@pytest.mark.parametrize("make", [OF_SEQUENCES[name] for name in ("LSTM", "Bidirectional, learned start", "Conv1D")])
def test_it_learns(make: Callable[[], Layer]) -> None:
    model = made(sw.TimeDistributed(make()), sw.TimeDistributed(sw.Flatten()), sw.LSTM(2, **EACH), shape=(None, S, F))
    model.compile("adam", "mse")
    before = model.get_weights()
    losses = model.fit(NESTED, np.zeros((ROWS, T, 2)), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for old, new in zip(before, model.get_weights(), strict=True):
        assert np.abs(new - old).max() > 0


def test_sequences_of_different_lengths_hold_steps_that_are_sequences() -> None:
    model = made(sw.TimeDistributed(sw.LSTM(3)), sw.LSTM(2), shape=(None, S, F))
    ragged = [NESTED[row, : T - row] for row in range(ROWS)]
    together = model.predict(ragged)
    for row, own in enumerate(ragged):
        np.testing.assert_allclose(together[row], model.predict(own[None])[0], atol=1e-5)


def inside(layer: Any, shape: tuple[int | None, ...] = (None, F)) -> Any:
    return sw.TimeDistributed(layer)(sw.Input(shape))


WAY_OUT = ("[B, T, S, F]", "alone reads the steps")


@table(
    *each("TimeDistributed", sw.TimeDistributed, ConfigurationError, "Dense(1)", of=(3, "Dense")),
    case("joins", lambda: sw.TimeDistributed(sw.Add()), ConfigurationError, "Add()([a, b])"),
    case("attends", lambda: sw.TimeDistributed(sw.Attention()), ConfigurationError, "Attention()([a, b])"),
    case("mask", lambda: sw.TimeDistributed(sw.Masking()), ConfigurationError, "Masking", "make it the first layer"),
    case("embeds", lambda: sw.TimeDistributed(sw.Embedding(5, 2)), ConfigurationError, "Embedding", "the first layer"),
    case("counts", lambda: sw.TimeDistributed(sw.BatchNormalization()), ConfigurationError, "alike without it"),
    case("LSTM", lambda: inside(sw.LSTM(8)), ShapeError, "TimeDistributed(LSTM)", "[B, T, 3]", *WAY_OUT),
    case("Conv1D", lambda: inside(sw.Conv1D(8, 2)), ShapeError, "TimeDistributed(Conv1D)", *WAY_OUT),
    case("pool", lambda: inside(sw.GlobalMaxPooling1D()), ShapeError, "GlobalMaxPooling1D", *WAY_OUT),
    case("rows", lambda: inside(sw.Dense(8), (3,)), ShapeError, "TimeDistributed expects [B, T, F]", "[B, 3]"),
    case("nested", lambda: sw.LSTM(3)(sw.Input((None, S, F))), ShapeError, "TimeDistributed(LSTM(...))"),
    case(
        "stream",
        lambda: made(sw.TimeDistributed(sw.LSTM(3)), sw.LSTM(2), shape=(None, S, F)).stream(),
        StateError,
        "'timedistributed'",
        "LSTM in it reads a whole sequence at each step",
    ),
)
def test_mistakes_with_layers_in_steps(action: Action, error: Error, words: list[str]) -> None:
    refused(action, error, words)


# -- Bidirectional -----------------------------------------------------------------------------------------------------

KINDS: dict[str, Any] = {"LSTM": sw.LSTM, "GRU": sw.GRU, "SimpleRNN": sw.SimpleRNN}
every_kind = pytest.mark.parametrize("kind", KINDS)


def both_by_hand(kind: str, **options: Any) -> sw.Model:
    """What Bidirectional does, of two layers, and their last states."""
    x = sw.Input((None, F))
    there, *states = KINDS[kind](3, **STATE, **options)(x)
    back, *more = KINDS[kind](3, **STATE, go_backwards=True, **options)(x)
    return sw.Model(x, [sw.Concatenate()([there, back]), *states, *more], seed=1)


@every_kind
@pytest.mark.parametrize("flags", ["bare", "mask", "reset"])
def test_it_returns_its_last_states(kind: str, flags: str) -> None:
    x = sw.Input((None, F))
    model, hand = sw.Model(x, sw.Bidirectional(KINDS[kind](3, **STATE))(x), seed=1), both_by_hand(kind)
    random_weights(model)
    hand.set_weights(model.get_weights())
    given: dict[str, Any] = (
        {} if flags == "bare" else {flags: RNG.random((ROWS, T)) < (0.7 if flags == "mask" else 0.3)}
    )
    found, expected = model(X, **given)[0], hand(X, **given)[0]
    assert len(found) == len(expected) == 1 + 2 * (2 if kind == "LSTM" else 1)
    for one, other in zip(found, expected, strict=True):
        assert_close(np.asarray(one), np.asarray(other))
    checked = model.verify(X)
    assert checked.passed, checked


def test_names_say_which_state_it_is() -> None:
    x = sw.Input((None, F))
    y, *states = sw.Bidirectional(sw.LSTM(3, **STATE), name="both")(x)
    model = sw.Model(x, sw.Concatenate()([y, *states]))
    assert model.network.names[1:5] == ("both_forward_h", "both_forward_c", "both_backward_h", "both_backward_c")


def starting(kind: str, merge_mode: str | None = "concat") -> sw.Model:
    """Starts in values that are made of rows, so that they are not those of a layer."""
    x, rows = sw.Input((None, F), name="x"), sw.Input((2,), name="rows")
    layer = KINDS[kind](3, **EACH, **STATE)
    start = [sw.Dense(3, name=f"start_{part}")(rows) for part in range(2 * len(layer.state_sizes))]
    y = sw.Bidirectional(layer, merge_mode=merge_mode, name="both")(x, initial_state=start)
    return sw.Model([x, rows], y, seed=1)


@every_kind
def test_it_starts_in_given_values_and_a_reset_returns_there(kind: str) -> None:
    model = starting(kind)
    random_weights(model)
    rows, reset = RNG.normal(size=(ROWS, 2)).astype("float32"), np.zeros((ROWS, T), bool)
    reset[:, 2] = True
    y, _ = model([X, rows], reset=reset)
    first, _ = model([X[:, :2], rows])
    rest, _ = model([X[:, 2:], rows])
    assert_close(np.asarray(y[0]), np.concatenate([first[0], rest[0]], axis=1), "each part as by itself")
    half = len(y) // 2
    for found, expected in zip(y[1:], [*rest[1 : half + 1], *first[half + 1 :]], strict=True):
        assert_close(np.asarray(found), np.asarray(expected), "where each direction ends")
    moved, _ = model([X, rows + 1])
    assert np.abs(np.asarray(moved[0]) - np.asarray(model([X, rows])[0][0])).max() > 1e-3


@every_kind
def test_it_is_saved_with_where_it_starts(kind: str, tmp_path: Path) -> None:
    model = starting(kind)
    random_weights(model)
    rows = RNG.normal(size=(ROWS, 2)).astype("float32")
    model.compile("adam", "mse", loss_weights={"both": 1.0})
    model.save(tmp_path / "m")
    loaded: Any = sw.load(tmp_path / "m")
    assert loaded.network.unnamed() == model.network.unnamed()
    for one, other in zip(loaded([X, rows])[0], model([X, rows])[0], strict=True):
        assert_same(np.asarray(one), np.asarray(other))


def test_a_sequential_predicts_them_at_its_end() -> None:
    found = made(sw.Bidirectional(sw.LSTM(3, **STATE))).predict(X)
    assert [part.shape for part in found] == [(ROWS, 6), *[(ROWS, 3)] * 4]
    assert_same(found[0], np.concatenate([found[1], found[3]], axis=1), "the output is both h")


def test_its_two_outputs_are_the_halves_of_the_merged_one() -> None:
    x = sw.Input((None, F))
    two = sw.Bidirectional(sw.LSTM(3, **EACH), backward_layer=sw.GRU(4, **EACH, go_backwards=True), merge_mode=None)(x)
    one = sw.Bidirectional(sw.LSTM(3, **EACH), backward_layer=sw.GRU(4, **EACH, go_backwards=True))(x)
    assert [part.row_shape for part in two] == [(None, 3), (None, 4)]
    model, merged = sw.Model(x, two, seed=1), sw.Model(x, one, seed=1)
    halves = model(X)[0]
    assert_same(np.concatenate(halves, axis=-1), np.asarray(merged(X)[0]), "y")


def test_another_layer_reads_from_the_end(tmp_path: Path) -> None:
    back = sw.GRU(3, **EACH, go_backwards=True)
    model = made(sw.Bidirectional(sw.LSTM(3, **EACH), backward_layer=back, merge_mode="sum"), sw.Dense(1))
    x = sw.Input((None, F))
    hand = sw.Model(x, [sw.LSTM(3, **EACH)(x), back(x)], seed=1)
    hand.set_weights(model.get_weights()[:-2])
    there, backward = map(np.asarray, hand(X)[0])
    kernel, bias = model.get_weights()[-2:]
    assert_close(np.asarray(model(X)[0]), (there + backward[:, ::-1]) @ kernel + bias, "y", tolerance=1e-5)
    checked = model.verify(X)
    assert checked.passed, checked
    model.save(tmp_path / "m")
    assert sw.load(tmp_path / "m").layers == model.layers


def test_features_stream() -> None:
    model = made(sw.LSTM(5, **EACH), Features(1, 3), sw.LSTM(2, **EACH))
    found = model.verify(X)
    assert found.passed, found
    assert all(check.difference is not None for check in found.checks)


def both(**options: Any) -> Any:
    return sw.Bidirectional(sw.LSTM(3, **EACH), **options)


def back_layer(units: int = 3, **options: Any) -> Any:
    return sw.LSTM(units, **{"go_backwards": True, **EACH, **options})


def states_of(number: int) -> Any:
    return [sw.Input((3,), name=str(place)) for place in range(number)]


@table(
    case("no layer", lambda: both(backward_layer=sw.Dense(3)), ConfigurationError, "LSTM(32)", "Dense"),
    case("one way", lambda: both(backward_layer=sw.LSTM(3, **EACH)), ConfigurationError, "go_backwards=True"),
    case(
        "last", lambda: both(backward_layer=back_layer(return_sequences=False)), ConfigurationError, "return_sequences"
    ),
    case("sum", lambda: both(backward_layer=back_layer(4), merge_mode="sum"), ConfigurationError, "3 and 4", "concat"),
    case("merge", lambda: both(merge_mode="cat"), ConfigurationError, "merge_mode", "'cat'", "concat"),
    case("chain", lambda: sw.Sequential([both(merge_mode=None)]), ConfigurationError, "merge_mode='concat'"),
    case(
        "states in a chain",
        lambda: made(sw.Bidirectional(sw.LSTM(3, **EACH, **STATE)), sw.LSTM(2)),
        ConfigurationError,
        "return_state",
    ),
    case("few", lambda: both()(sw.Input((None, F)), initial_state=states_of(2)), ShapeError, "4 tensors"),
    case(
        "learned",
        lambda: sw.Bidirectional(sw.GRU(3, learn_initial_state=True))(sw.Input((None, F)), initial_state=states_of(2)),
        ConfigurationError,
        "learn_initial_state",
    ),
)
def test_mistakes_with_both_ends(action: Action, error: Error, words: list[str]) -> None:
    refused(action, error, words)
