"""ZeroPadding1D and UpSampling1D: each row by a plain loop over its own steps, with masks and resets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import statewise as sw
from mistakes import Action, Error, case, each, refused, table
from networks import random_weights
from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.layers import Layer
from statewise.layers.registry import layer_from_config
from tolerances import assert_close, assert_same

Array = np.ndarray[Any, np.dtype[Any]]
RNG = np.random.default_rng(11)
ROWS, STEPS, FEATURES = 6, 8, 3
X = RNG.normal(size=(ROWS, STEPS, FEATURES)).astype("float32")
MASK = RNG.random((ROWS, STEPS)) < 0.7
RESET = RNG.random((ROWS, STEPS)) < 0.15
MASK[0] = False
MASK[1, -2:], RESET[1, -2:] = False, True  # nothing counts after the last reset
RESET[5] = False
FLAGS: dict[str, dict[str, Any]] = {
    "bare": {},
    "mask": {"mask": MASK},
    "reset": {"reset": RESET},
    "mask and reset": {"mask": MASK, "reset": RESET},
}

CASES: dict[str, tuple[Callable[[], Layer], Callable[[list[Array]], list[Array]]]] = {
    "padding": (sw.ZeroPadding1D, lambda steps: padded(steps, 1, 1)),
    "padding-unequal": (lambda: sw.ZeroPadding1D((3, 0)), lambda steps: padded(steps, 3, 0)),
    "padding-none": (lambda: sw.ZeroPadding1D(0), lambda steps: padded(steps, 0, 0)),
    "upsampling": (sw.UpSampling1D, lambda steps: repeated(steps, 2)),
    "upsampling-more": (lambda: sw.UpSampling1D(3), lambda steps: repeated(steps, 3)),
    "upsampling-once": (lambda: sw.UpSampling1D(1), lambda steps: repeated(steps, 1)),
}


def padded(steps: list[Array], left: int, right: int) -> list[Array]:
    nothing = np.zeros(FEATURES, "float32")
    return [nothing] * left + steps + [nothing] * right if steps else []


def repeated(steps: list[Array], size: int) -> list[Array]:
    more = []
    for step in steps:
        for _ in range(size):
            more.append(step)
    return more


def own_steps(row: int, flags: dict[str, Any]) -> list[Array]:
    """The steps of a row that count: a reset forgets those before it."""
    steps: list[Array] = []
    for t in range(STEPS):
        if "reset" in flags and flags["reset"][row, t]:
            steps = []
        if "mask" not in flags or flags["mask"][row, t]:
            steps.append(X[row, t])
    return steps


def made(*layers: Layer) -> Any:
    model = sw.Sequential(layers, seed=3)
    model.build((None, None, FEATURES))
    random_weights(model)
    return model


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
@pytest.mark.parametrize("name", CASES)
def test_each_row_is_a_loop_over_its_own_steps(name: str, flags: dict[str, Any]) -> None:
    layer, loop = CASES[name]
    y, _ = made(layer())(X, **flags)
    assert y.shape[1:] == layer().output_shape((STEPS, FEATURES))
    for row in range(ROWS):
        expected = np.zeros(y.shape[1:], "float32")
        for t, step in enumerate(loop(own_steps(row, flags))):
            expected[t] = step
        assert_same(np.asarray(y[row]), expected, f"row {row}")


@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
@pytest.mark.parametrize("name", CASES)
def test_layers_that_follow_skip_what_a_row_does_not_have(name: str, flags: dict[str, Any]) -> None:
    """Zeros that fill a row up are no steps, those of ZeroPadding1D are; a masked row moves no state."""
    layer, loop = CASES[name]
    y, _ = made(layer(), sw.LSTM(4), sw.Dense(2))(X, **flags)
    after = made(sw.LSTM(4), sw.Dense(2))
    for row in range(ROWS):
        steps = loop(own_steps(row, flags))
        own, mask = (np.stack(steps), None) if steps else (X[row], np.zeros((1, STEPS), bool))
        assert_close(y[row : row + 1], after(own[None], mask=mask)[0], f"row {row}")


@pytest.mark.parametrize("name", CASES)
def test_a_row_with_a_reset_starts_fresh(name: str) -> None:
    model = made(CASES[name][0](), sw.GRU(4))
    state = model.initial_state(ROWS)
    state = state.replace("gru", h=RNG.normal(size=(ROWS, 4)).astype("float32"))
    y, _ = model.apply(model.params, X, state, mask=MASK, reset=RESET)
    fresh, _ = model(X, mask=MASK, reset=RESET)
    started = RESET.any(axis=1)
    assert_close(np.asarray(y)[started], np.asarray(fresh)[started], "y")
    assert (np.asarray(y)[~started] != np.asarray(fresh)[~started]).any(axis=1).all()


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_count_has_no_influence_and_no_gradient(name: str) -> None:
    model = made(CASES[name][0]())
    real = np.array([[MASK[row, t] and not RESET[row, t + 1 :].any() for t in range(STEPS)] for row in range(ROWS)])
    flags: dict[str, Any] = {"mask": MASK, "reset": RESET}
    spoiled = np.where(real[..., None], X, np.nan)
    y, _ = model.apply(model.params, X, **flags)
    assert_close(model.apply(model.params, spoiled, **flags)[0], y, "y")
    gradient = jax.grad(lambda x: (model.apply(model.params, x, **flags)[0] ** 2).sum())(spoiled)
    times = getattr(model.layers[0], "size", 1)
    assert_close(gradient, np.where(real[..., None], 2 * times * X, 0).astype("float32"), "gradient")


def test_rows_of_different_lengths_answer_as_each_by_itself() -> None:
    model = made(sw.ZeroPadding1D((0, 2)), sw.Conv1D(4, 3), sw.UpSampling1D(3), sw.MaxPooling1D(2), sw.LSTM(4))
    ragged = [X[row, : STEPS - row] for row in range(ROWS)]
    together = model.predict(ragged)
    for row, own in enumerate(ragged):
        np.testing.assert_allclose(together[row], model.predict(own[None])[0], atol=1e-5)


def test_a_causal_convolution_is_a_valid_one_of_zeros_and_steps() -> None:
    causal, valid = made(sw.Conv1D(4, 3, padding="causal")), made(sw.ZeroPadding1D((2, 0)), sw.Conv1D(4, 3))
    assert_close(valid(X)[0], causal(X)[0])


@pytest.mark.parametrize("name", CASES)
def test_everything_holds_for_a_network_with_it(name: str) -> None:
    found = made(sw.LSTM(4, return_sequences=True), CASES[name][0](), sw.GRU(3)).verify(X)
    assert found.passed, found


@pytest.mark.parametrize("name", CASES)
def test_files_keep_it(name: str, tmp_path: Path) -> None:
    layer = CASES[name][0]()
    assert layer_from_config({"kind": type(layer).__name__, **layer.config()}) == layer
    model = made(layer, sw.LSTM(4))
    model.save(tmp_path / "model.statewise")
    loaded: Any = sw.load(tmp_path / "model.statewise")
    assert loaded.layers[0] == model.layers[0]
    assert_same(loaded.predict(X), model.predict(X), "y")


def test_a_pair_may_be_a_list_and_one_number_stands_for_both() -> None:
    assert sw.ZeroPadding1D([2, 1]) == sw.ZeroPadding1D((2, 1))  # type: ignore[arg-type]
    assert sw.ZeroPadding1D(2) == sw.ZeroPadding1D((2, 2))
    assert sw.ZeroPadding1D((2, 1)).output_shape((None, 3)) == (None, 3)


@table(
    *each("padding", sw.ZeroPadding1D, ConfigurationError, ">= 0", of=(-1, 1.5, True, "1", None)),
    *each("padding", sw.ZeroPadding1D, ConfigurationError, "(left, right)", of=((1, 2, 3), (1,))),
    case("padding=(0, -1)", lambda: sw.ZeroPadding1D((0, -1)), ConfigurationError, "padding", ">= 0", "-1"),
    *each("size", sw.UpSampling1D, ConfigurationError, ">= 1", of=(0, 2.0, True, (2,))),
    case("pad rows", lambda: sw.ZeroPadding1D()(sw.Input((3,))), ShapeError, "ZeroPadding1D expects [B, T, F]"),
    case("repeat rows", lambda: sw.UpSampling1D()(sw.Input((3,))), ShapeError, "UpSampling1D expects [B, T, F]"),
    case("pad a stream", lambda: made(sw.ZeroPadding1D()).stream(), StateError, "ZeroPadding1D", "model.predict(x)"),
    case("repeat a stream", lambda: made(sw.UpSampling1D()).stream(), StateError, "UpSampling1D", "model.predict(x)"),
)
def test_mistakes(action: Action, error: Error, words: list[str]) -> None:
    refused(action, error, words)
