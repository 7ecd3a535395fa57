"""Layers that lay a row's numbers out otherwise, by themselves and in networks whose steps they change."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from mistakes import case, fit, refused, table
from networks import random_state, random_weights
from statewise.errors import ConfigurationError, ShapeError, StateError, StatewiseError
from statewise.foundation.shapes import Array
from statewise.layers import Layer
from statewise.layers.registry import layer_from_config
from statewise.network import Network
from tolerances import assert_close, assert_same

B, T, F = 3, 4, 3
X: Array = np.random.default_rng(5).normal(size=(B, T, F)).astype(np.float32)

EXPECTED: dict[str, tuple[Layer, Any, Any]] = {
    "flatten": (sw.Flatten(), X, X.reshape(B, T * F)),
    "flatten-rows": (sw.Flatten(), X[:, 0], X[:, 0]),
    "repeat": (sw.RepeatVector(5), X[:, 0], np.stack([X[:, 0]] * 5, axis=1)),
    "reshape": (sw.Reshape((2, 6)), X, X.reshape(B, 2, 6)),
    "reshape-rest": (sw.Reshape((6, -1)), X, X.reshape(B, 6, 2)),
    "reshape-rows": (sw.Reshape((-1,)), X, X.reshape(B, -1)),
    "permute": (sw.Permute((2, 1)), X, X.transpose(0, 2, 1)),
}


@pytest.mark.parametrize(("layer", "x", "expected"), EXPECTED.values(), ids=EXPECTED)
def test_what_comes_out(layer: Layer, x: Array, expected: Array) -> None:
    y, state = layer.apply({}, jnp.asarray(x), ())
    assert_same(y, expected, "y")
    assert state == ()
    assert layer.output_shape(x.shape[1:]) == expected.shape[1:]
    assert layer_from_config({"kind": type(layer).__name__, **layer.config()}) == layer


# --------------------------------------------------------------------------------- how many steps there are

FREE: list[list[Any]] = [
    [sw.LSTM(2), sw.RepeatVector(3)],
    [sw.LSTM(2), sw.Reshape((2, 1)), sw.Flatten(), sw.Dense(1)],
    [sw.TimeDistributed(sw.Dense(4)), sw.TimeDistributed(sw.Reshape((2, 2)))],
]
FIXED: list[list[Any]] = [[sw.Flatten()], [sw.LSTM(2, return_sequences=True), sw.Flatten()], [sw.Permute((2, 1))]]


@pytest.mark.parametrize("layers", FREE + FIXED, ids=str)
def test_steps_are_fixed_where_a_layer_needs_to_know_them_only(layers: list[Any]) -> None:
    model = sw.Sequential(layers)
    model.build((None, T, F))
    assert model.network.input_shape == ((None, F) if layers in FREE else (T, F))


def test_layers_added_later_know_the_steps_of_the_first() -> None:
    model = sw.Sequential([sw.LSTM(2, return_sequences=True, input_shape=(T, F))])
    assert model.network.input_shape == (None, F)
    model.add(sw.Flatten())
    assert model.network.output_shape == (T * 2,)


# ----------------------------------------------------------------------------------------- other steps after


def decoder() -> Any:
    """Three answers to rows of any number of steps."""
    layers = [sw.LSTM(2), sw.RepeatVector(3), sw.SimpleRNN(2, return_sequences=True)]
    model = sw.Sequential(layers, seed=1)
    model.build((None, None, F))
    random_weights(model)
    model.compile("sgd", "mse")
    return model


TARGETS: Array = np.random.default_rng(6).normal(size=(B, 3, 2)).astype(np.float32)
PADDED = np.array([[True, True, True, True], [False, True, True, True], [True, True, False, False]])


def test_what_is_masked_in_x_is_not_masked_in_other_steps() -> None:
    model = decoder()
    y, _ = model(X, mask=PADDED)
    alone = np.concatenate([np.asarray(model(X[row : row + 1, PADDED[row]])[0]) for row in range(B)])
    assert_close(np.asarray(y), alone, "y")
    loss = float(np.mean((alone - TARGETS) ** 2))
    assert model.evaluate(X, TARGETS, mask=PADDED) == pytest.approx(loss, rel=1e-5)


def test_rows_of_different_lengths_have_answers_of_one_length() -> None:
    model = decoder()
    y, _ = model([X[row, PADDED[row]] for row in range(B)])
    assert_close(np.asarray(y), np.asarray(model(X, mask=PADDED)[0]), "y")


def test_a_row_that_is_skipped_altogether_moves_no_state() -> None:
    model, mask = decoder(), np.ones((B, T), bool)
    mask[1] = False
    start = random_state(model, B)
    _, end = model(X, start, mask=mask)
    assert_same(end["simplernn"].h[1], start["simplernn"].h[1], "h")
    assert_same(end["lstm"].h[1], start["lstm"].h[1], "h")


@pytest.mark.parametrize("step", [0, 2])
def test_a_row_that_starts_afresh_anywhere_does_so_in_its_new_steps(step: int) -> None:
    model, reset = decoder(), np.zeros((B, T), bool)
    reset[1, step] = True
    start = random_state(model, B)
    y, _ = model(X, start, reset=reset)
    alone, _ = model(X[1:2, step:], model.initial_state(1))
    assert_close(np.asarray(y)[1], np.asarray(alone)[0], "y of the row")
    others, _ = model(X, start)
    assert_close(np.asarray(y)[[0, 2]], np.asarray(others)[[0, 2]], "y of the others")


def test_states_are_carried_from_batch_to_batch_a_short_last_one_too() -> None:
    model = decoder()
    x: Array = np.concatenate([X, X[::-1], X[:1]])[:5]
    y = model.predict(x, batch_size=2, state="carry")
    first, middle = model(x[:2])
    second, end = model(x[2:4], middle)
    third, last = model(x[4:], end.rows(0))
    assert_close(y, np.concatenate([first, second, third]), "y")
    assert_close(
        np.asarray(model.state["simplernn"].h), np.asarray(sw.State.concat([last, end.rows(1)])["simplernn"].h)
    )


def test_verify_says_what_does_not_apply() -> None:
    found = decoder().verify(X)
    assert found.passed, found
    apart = {check.name for check in found.checks if check.difference is None}
    assert apart == {"chunks of 2 steps", "chunks of 3 steps", "single steps", "streaming runtime"}
    model = sw.Sequential([sw.SimpleRNN(2, return_sequences=True), sw.Flatten()])
    found = model.verify(X)
    assert found.passed, found
    reasons = {check.name: check.reason for check in found.checks if check.difference is None}
    assert reasons["padded on the left, masked"] == "not possible: layer 'flatten' rearranges the steps that it reads"


# ------------------------------------------------------------------------------------------------- mistakes

OTHER_STEPS = ("layer 'repeatvector' rearranges the steps that it reads", "whole rows only")


@table(
    case("tbptt", lambda: fit(decoder(), X, TARGETS, tbptt=2), StateError, "tbptt", *OTHER_STEPS, "omit tbptt"),
    case("warmup", lambda: fit(decoder(), X, TARGETS, state="warmup:1"), StateError, "'warmup:1'", *OTHER_STEPS),
    case("memory", lambda: decoder().memory_report(X, TARGETS), StateError, "memory_report", *OTHER_STEPS),
    case("stream", lambda: decoder().stream(), StateError, "'repeatvector'", "one step at a time", "model.predict(x)"),
    case(
        "unknown-steps",
        lambda: sw.Sequential([sw.LSTM(2, return_sequences=True, input_shape=(None, F)), sw.Flatten()]),
        ShapeError,
        "layer 'flatten': Flatten expects a known number of steps, got [B, T, 2]",
        "write input_shape=(T, F) on the first layer",
    ),
    case(
        "other-steps",
        lambda: decoder_of_fixed()(X[:, :2]),
        ShapeError,
        "x: expected [B, 4, 3], got [3, 2, 3]",
        "a new model",
    ),
    case(
        "repeat-steps",
        lambda: Network.of([sw.RepeatVector(3)], (4, 2)),
        ShapeError,
        "RepeatVector expects [B, F], got [B, 4, 2]",
        "return_sequences=True",
    ),
    case("n", lambda: sw.RepeatVector(0), ConfigurationError, "RepeatVector n", ">= 1", "got 0"),
    case(
        "reshape",
        lambda: Network.of([sw.Reshape((3, 2))], (4,)),
        ShapeError,
        "Reshape expects rows of 6 numbers, got [B, 4]; each has 4: make target_shape (3, 2) agree",
    ),
    case(
        "reshape-rest",
        lambda: Network.of([sw.Reshape((3, -1))], (4,)),
        ShapeError,
        "rows of n * 3 numbers",
        "(3, -1)",
    ),
    case("two-rests", lambda: sw.Reshape((-1, -1)), ConfigurationError, "Reshape target_shape", "(3, -1)", "(-1, -1)"),
    case("size", lambda: sw.Reshape((3, 0)), ConfigurationError, "Reshape target_shape", ">= 1", "got 0"),
    case("dims", lambda: sw.Permute((0, 1)), ConfigurationError, "Permute dims", "from 1", "(2, 1)", "got (0, 1)"),
    case("axes", lambda: Network.of([sw.Permute((2, 1))], (4,)), ShapeError, "Permute expects 3 axes", "[B, 4]"),
)
def test_what_is_refused(action: Any, error: type[StatewiseError], words: tuple[str, ...]) -> None:
    refused(action, error, words)


def decoder_of_fixed() -> Any:
    model = sw.Sequential([sw.Flatten(), sw.Dense(1)])
    model.build((None, T, F))
    return model
