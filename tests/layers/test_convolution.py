"""Convolutions and pooling: each output by a plain loop over its window, with masks, resets and states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import statewise as sw
from mistakes import refused
from networks import random_weights
from statewise.errors import ConfigurationError, ShapeError, StateError
from statewise.layers import Layer
from streamed import ENGINES

Array = np.ndarray[Any, np.dtype[Any]]
RNG = np.random.default_rng(8)
ROWS, STEPS, FEATURES = 5, 9, 3
X = RNG.normal(size=(ROWS, STEPS, FEATURES)).astype("float32")
MASK = RNG.random((ROWS, STEPS)) < 0.7
RESET = RNG.random((ROWS, STEPS)) < 0.2


def made(layer: Layer) -> sw.Sequential:
    model = sw.Sequential([layer])
    model.build((None, None, FEATURES))
    random_weights(model)
    return model


def causal_by_hand(model: sw.Sequential, x: Array, mask: Array, reset: Array, past: Array, dilation: int) -> Array:
    """Step by step: a list of the last steps, emptied by a reset, that a masked step neither reads nor enters."""
    kernel, bias = model.get_weights()
    size, _, filters = kernel.shape
    y = np.zeros((*x.shape[:2], filters))
    for row in range(len(x)):
        steps = list(past[row].reshape(-1, FEATURES))
        for t in range(x.shape[1]):
            if reset[row, t]:
                steps = [np.zeros(FEATURES)] * len(steps)
            if mask[row, t]:
                steps = [*steps, x[row, t]]
                window = steps[-1 - (size - 1) * dilation :: dilation]
                y[row, t] = bias + sum(one @ kernel[place] for place, one in enumerate(window))
                steps = steps[1:]
    return y


@pytest.mark.parametrize(("size", "dilation"), [(2, 1), (3, 1), (3, 2), (4, 3)])
def test_a_causal_convolution_is_the_loop_over_its_last_steps(size: int, dilation: int) -> None:
    model = made(sw.Conv1D(4, size, padding="causal", dilation_rate=dilation))
    zero = model.initial_state(ROWS)
    past = RNG.normal(size=np.shape(zero["conv1d"].past)).astype("float32")
    state = zero.replace("conv1d", past=past)
    none, every = np.zeros((ROWS, STEPS), bool), np.ones((ROWS, STEPS), bool)
    for mask, reset in ((every, none), (MASK, none), (every, RESET), (MASK, RESET)):
        expected = causal_by_hand(model, X, mask, reset, past, dilation)
        y, _ = model(X, state, mask=mask, reset=reset)
        np.testing.assert_allclose(y, expected, atol=1e-5)
        pieces, carried = [], state
        for first in range(0, STEPS, 2):
            part = slice(first, first + 2)
            piece, carried = model(X[:, part], carried, mask=mask[:, part], reset=reset[:, part])
            pieces.append(np.asarray(piece))
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), expected, atol=1e-5)


@pytest.mark.parametrize("size", [1, 3])
def test_a_stream_skips_the_steps_that_the_whole_pass_skips(size: int) -> None:
    model = sw.Sequential([sw.Masking(-1.0), sw.Conv1D(4, size, padding="causal")])
    model.build((None, None, FEATURES))
    random_weights(model)
    x = np.where(MASK[..., None], X, -1.0).astype("float32")
    whole, _ = model(x)
    for engine in ENGINES:
        streams = model.streams(engine=engine)
        pushed = [streams.push_rows(range(ROWS), x[:, t]) for t in range(STEPS)]
        np.testing.assert_allclose(np.stack(pushed, axis=1), whole, atol=1e-5)


def test_a_causal_convolution_streams() -> None:
    model = made(sw.Conv1D(20, 3, padding="causal", dilation_rate=2, activation="relu"))
    whole, _ = model(X)
    for engine in ENGINES:
        streams = model.streams(engine=engine)
        pushed = [streams.push_rows(range(ROWS), X[:, t]) for t in range(STEPS)]
        np.testing.assert_allclose(np.stack(pushed, axis=1), whole, atol=1e-5)


PLACES: dict[str, dict[str, Any]] = {
    "valid": {},
    "strided": {"strides": 3},
    "same": {"padding": "same"},
    "same-even": {"padding": "same", "size": 4},
    "same-strided": {"padding": "same", "strides": 2},
    "causal-strided": {"padding": "causal", "strides": 2},
    "dilated": {"dilation_rate": 2},
    "same-dilated": {"padding": "same", "dilation_rate": 2},
}


def windows_by_hand(size: int, steps: int, padding: str = "valid", strides: int = 1, dilation_rate: int = 1) -> Any:
    """The steps of each window, and the one it belongs to; some lie beyond the row."""
    reach = (size - 1) * dilation_rate
    if padding == "valid":
        count, before = (steps - reach - 1) // strides + 1, 0
    else:
        count = -(-steps // strides)
        before = reach if padding == "causal" else max((count - 1) * strides + reach + 1 - steps, 0) // 2
    anchor = (size - 1) // 2 if padding == "same" else size - 1
    listed = []
    for window in range(count):
        places = [window * strides - before + place * dilation_rate for place in range(size)]
        listed.append((places, places[anchor]))
    return listed


def own_steps(row: int, keeps: bool) -> list[list[int]]:
    """The steps of each sequence in a row that count, those that follow a reset apart; else of the last sequence."""
    segments = np.cumsum(RESET[row])
    listed = [[t for t in range(STEPS) if MASK[row, t] and segments[t] == one] for one in range(segments[-1] + 1)]
    return listed if keeps else listed[-1:]


@pytest.mark.parametrize("name", PLACES)
def test_other_convolutions_are_loops_over_their_windows(name: str) -> None:
    """Masked steps are not there, and what is beyond a sequence's ends counts as zeros."""
    options = dict(PLACES[name])
    size, keeps = options.pop("size", 3), options.get("padding") == "same" and "strides" not in options
    if name == "same-strided":  # whose place depends on the number of steps
        return
    model = made(sw.Conv1D(4, size, **options))
    kernel, bias = model.get_weights()
    y, _ = model(X, mask=MASK, reset=RESET)
    for row in range(ROWS):
        for steps in own_steps(row, keeps):
            for number, (places, _) in enumerate(windows_by_hand(size, len(steps), **options)):
                expected = bias.astype("float64")
                for place, t in enumerate(places):
                    if 0 <= t < len(steps):
                        expected = expected + X[row, steps[t]] @ kernel[place]
                found = y[row, steps[number] if keeps else number]
                np.testing.assert_allclose(found, expected, atol=1e-5)


def summarized(kind: str, steps: Array) -> Any:
    """The largest or mean of each feature; zeros of no steps."""
    if not len(steps):
        return np.zeros(FEATURES)
    return steps.max(axis=0) if "Max" in kind else steps.mean(axis=0)


@pytest.mark.parametrize("kind", ["MaxPooling1D", "AveragePooling1D"])
@pytest.mark.parametrize("options", [{}, {"strides": 1}, {"padding": "same"}, {"pool_size": 4, "strides": 2}])
def test_pooling_is_a_loop_over_its_windows(kind: str, options: dict[str, Any]) -> None:
    size, strides = options.get("pool_size", 2), options.get("strides") or options.get("pool_size", 2)
    padding = options.get("padding", "valid")
    y, _ = made(getattr(sw, kind)(**options))(X, mask=MASK, reset=RESET)
    for row in range(ROWS):
        steps = own_steps(row, keeps=False)[0]
        if padding == "same" and len(steps) % strides != STEPS % strides:
            continue  # where windows lie depends on the number of steps
        for number, (places, _) in enumerate(windows_by_hand(size, len(steps), padding, strides)):
            own = [steps[t] for t in places if 0 <= t < len(steps)]
            np.testing.assert_allclose(y[row, number], summarized(kind, X[row, own]), atol=1e-6)


@pytest.mark.parametrize("kind", ["GlobalMaxPooling1D", "GlobalAveragePooling1D"])
def test_global_pooling_counts_from_the_last_reset(kind: str) -> None:
    y, _ = made(getattr(sw, kind)())(X, mask=MASK, reset=RESET)
    for row in range(ROWS):
        last = max(np.flatnonzero(RESET[row]), default=0)
        own = [t for t in range(last, STEPS) if MASK[row, t]]
        expected = summarized(kind, X[row, own])
        np.testing.assert_allclose(y[row], expected, atol=1e-6)


def test_rows_of_different_lengths_answer_as_each_by_itself() -> None:
    layers = [sw.Conv1D(4, 3, activation="relu"), sw.MaxPooling1D(2), sw.LSTM(4), sw.Dense(1)]
    model = sw.Sequential(layers, seed=2)
    model.build((None, None, FEATURES))
    random_weights(model)
    ragged = [X[row, : STEPS - row] for row in range(4)]
    together = model.predict(ragged)
    for row, own in enumerate(ragged):
        np.testing.assert_allclose(together[row], model.predict(own[None])[0], atol=1e-5)


def test_mistakes() -> None:
    refused(lambda: sw.Conv1D(4, 3, padding="full"), ConfigurationError, ["padding", "'full'"])
    refused(lambda: sw.Conv1D(0, 3), ConfigurationError, ["filters"])
    refused(lambda: sw.Conv1D(4, 3, strides=2, dilation_rate=2), ConfigurationError, ["strides=1", "dilation_rate"])
    refused(lambda: sw.Conv1D(4, 3)(sw.Input((2, 3))), ShapeError, ["at least 3 steps", "got 2"])
    refused(lambda: sw.MaxPooling1D(4)(sw.Input((3, 3))), ShapeError, ["at least 4 steps", "pool_size"])
    refused(lambda: sw.Conv1D(4, 3)(sw.Input((3,))), ShapeError, ["Conv1D expects [B, T, F]"])
    refused(lambda: made(sw.Conv1D(4, 5))(X[:, :3]), ShapeError, ["at least 5 steps"])
    for layer in (sw.Conv1D(4, 3), sw.Conv1D(4, 3, padding="same"), sw.MaxPooling1D(2), sw.GlobalMaxPooling1D()):
        refused(made(layer).stream, StateError, ["model.predict(x)"])
