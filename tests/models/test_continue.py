"""`state="continue"`: rows go on from batch to batch, epoch to epoch and call to call, until `reset_state`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import statewise as sw
from statewise.errors import ConfigurationError, StateError

BATCHES, ROWS, STEPS = 3, 2, 4

RNG = np.random.default_rng(5)
X = RNG.normal(size=(BATCHES * ROWS, STEPS, 2)).astype(np.float32)
Y = RNG.normal(size=(BATCHES * ROWS, 1)).astype(np.float32)

STILL = 1e-30  # a learning rate that leaves float32 weights as they are


def compiled(learning_rate: float = 0.1, **options: Any) -> sw.Sequential:
    model = sw.Sequential([sw.LSTM(3, input_shape=(None, 2), **options), sw.Dense(1)], seed=3)
    model.compile(sw.SGD(learning_rate), "mse")
    return model


def fit(model: sw.Sequential, epochs: int, **options: object) -> None:
    options = {"batch_size": ROWS, "state": "continue", "verbose": 0} | options
    model.fit(X, Y, epochs=epochs, **options)  # type: ignore[arg-type]


def as_series(times: int) -> np.ndarray:
    """Returns what each lane reads in so many passes over X, one after another: `[ROWS, times BATCHES STEPS, 2]`."""
    once = X.reshape(BATCHES, ROWS, STEPS, 2).swapaxes(0, 1).reshape(ROWS, BATCHES * STEPS, 2)
    return np.tile(once, (1, times, 1))


def test_epochs_go_on_from_one_another() -> None:
    model = compiled(STILL)
    fit(model, epochs=3)
    assert model.state is not None
    _, expected = model(as_series(3))
    np.testing.assert_allclose(model.state["lstm"].c, expected["lstm"].c, atol=1e-6)


def test_calls_go_on_from_one_another_until_the_state_is_reset() -> None:
    model = compiled(STILL)
    fit(model, epochs=1)
    model.predict(X, batch_size=ROWS, state="continue")
    model.evaluate(X, Y, batch_size=ROWS, state="continue")
    assert model.state is not None
    _, expected = model(as_series(3))
    np.testing.assert_allclose(model.state["lstm"].h, expected["lstm"].h, atol=1e-6)
    model.reset_state()
    fit(model, epochs=1)
    np.testing.assert_allclose(model.state["lstm"].h, model(as_series(1))[1]["lstm"].h, atol=1e-6)


def test_one_call_of_many_epochs_is_many_calls_of_one() -> None:
    at_once, one_by_one = compiled(), compiled()
    fit(at_once, epochs=4)
    for _ in range(4):
        fit(one_by_one, epochs=1)
    assert at_once.state == one_by_one.state
    for a, b in zip(at_once.get_weights(), one_by_one.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_goes_on_from_the_state_too(tmp_path: Path) -> None:
    whole, first, second = compiled(), compiled(), compiled()
    fit(whole, epochs=5)
    fit(first, epochs=2, checkpoint=tmp_path / "run")
    fit(second, epochs=5, checkpoint=tmp_path / "run")
    assert whole.state == second.state
    for a, b in zip(whole.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_lanes_go_on_in_evaluation() -> None:
    series = RNG.normal(size=(13, 2)).astype(np.float32)
    pieces = sw.lanes(series, batch_size=1, steps=4)
    model = sw.Sequential([sw.LSTM(3, input_shape=(None, 2), return_sequences=True), sw.Dense(2)], seed=3)
    model.compile("sgd", "mse")
    fresh = model.evaluate(pieces, state="continue")
    assert model.evaluate(pieces, state="continue") != fresh
    model.reset_state()
    assert model.evaluate(pieces, state="carry") == fresh


def test_a_kept_state_of_another_number_of_rows_is_refused() -> None:
    model = compiled()
    fit(model, epochs=1)
    with pytest.raises(StateError, match=r"model\.state has 2 row"):
        fit(model, epochs=1, batch_size=3)


def test_shuffling_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="shuffle=True with a carried state"):
        fit(compiled(), epochs=1, shuffle=True)


def test_a_learnt_start_is_where_the_first_batch_starts() -> None:
    model = compiled(STILL, learn_initial_state=True)
    weights = model.get_weights()
    model.set_weights([RNG.normal(size=weight.shape) for weight in weights])
    fit(model, epochs=2)
    assert model.state is not None
    np.testing.assert_allclose(model.state["lstm"].h, model(as_series(2))[1]["lstm"].h, atol=1e-5)


def test_a_checkpoint_is_continued_in_the_same_process(tmp_path: Path) -> None:
    whole, parted = compiled(), compiled()
    fit(whole, epochs=4)
    fit(parted, epochs=2, checkpoint=tmp_path / "run")
    fit(parted, epochs=2, checkpoint=tmp_path / "run")  # another training, of the model that has the first behind it
    assert whole.state == parted.state


def test_going_on_compiles_nothing() -> None:
    model = compiled()
    fit(model, epochs=1)
    train = model.programs.train
    before = len(train)
    fit(model, epochs=1)
    assert len(train) == before
