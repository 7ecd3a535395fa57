"""What cannot learn runs in a script for Keras and is said; what would be taken for something else is refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from networks import quick_compilation
from statewise.errors import ConfigurationError, DataError, StatewiseWarning
from statewise.legacy.layers import LSTM, Dense, Dropout, Embedding, TimeDistributed
from statewise.legacy.models import Sequential, load_model

rng = np.random.default_rng(43)
X = rng.normal(size=(6, 4, 1)).astype(np.float32)
Y = rng.integers(0, 2, size=(6, 1))
NONE = np.zeros((6, 4), int)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


def stack(*head: Any, loss: str = "mse", **options: Any) -> Sequential:
    model = Sequential([LSTM(2, input_shape=(4, 1)), *(head or [Dense(1)])])
    model.compile(optimizer="sgd", loss=loss, **options)
    return model


def one_output() -> Sequential:
    return stack(Dense(1, activation="sigmoid"), loss="categorical_crossentropy", metrics=["accuracy"])


def fit(model: Sequential, *data: Any, **options: Any) -> Any:
    return model.fit(*data, verbose=0, **options)


def test_one_output_with_classes_runs_and_is_said() -> None:
    with pytest.warns(StatewiseWarning, match=r"cannot distinguish classes.*binary_crossentropy") as told:
        history = fit(one_output(), X, Y, epochs=2)
    assert np.isfinite(history.history["loss"]).all()
    assert {warning.filename for warning in told} == {__file__}


def test_a_model_from_a_file_is_as_lenient(tmp_path: Any) -> None:
    with pytest.warns(StatewiseWarning):
        fit(model := one_output(), X, Y)
    model.save(tmp_path / "model.h5")
    with pytest.warns(StatewiseWarning, match="cannot distinguish classes"):
        fit(load_model(tmp_path / "model.h5"), X, Y)


def test_outputs_that_are_no_probabilities_are_said() -> None:
    with pytest.warns(StatewiseWarning, match="compares probabilities"):
        fit(stack(Dense(2), loss="sparse_categorical_crossentropy"), X, Y)


def embedded(**options: Any) -> Sequential:
    model = Sequential([Embedding(4, 2, mask_zero=True, input_length=4), LSTM(2, **options), Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return model


NOTHING: dict[str, Callable[[], object]] = {
    "weights": lambda: fit(stack(), X, Y, sample_weight=np.zeros(6)),
    "class-weights": lambda: fit(stack(), X, Y, class_weight={0: 0.0, 1: 0.0}),
    "masked-steps": lambda: fit(embedded(return_sequences=True), NONE, X),
}


@pytest.mark.parametrize("action", NOTHING.values(), ids=NOTHING)
def test_a_fit_of_nothing_is_refused(action: Callable[[], object]) -> None:
    with pytest.raises(DataError, match="there is nothing to score: every step is masked or has weight 0"):
        action()


def test_batches_of_which_nothing_counts_are_passed_over() -> None:
    """A batch among others moves on without a word, as in Keras."""
    model = stack()
    before = model.get_weights()
    model.train_on_batch(X, Y, sample_weight=np.zeros(6))
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


TWICE: dict[str, Callable[[Any], object]] = {
    "list": lambda layer: Sequential([layer, layer]),
    "add": lambda layer: Sequential([layer]).add(layer),
    "inside": lambda layer: Sequential([TimeDistributed(layer), layer]),
    "inside-twice": lambda layer: Sequential([TimeDistributed(layer), TimeDistributed(layer)]),
}


@pytest.mark.parametrize("stacked", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("layer", [lambda: Dense(2), lambda: Dropout(0.1)], ids=["dense", "dropout"])
def test_a_layer_is_in_one_place(layer: Callable[[], Any], stacked: Callable[[Any], object]) -> None:
    with pytest.raises(ConfigurationError, match="got one object in two positions of the model; sharing weights"):
        stacked(layer())


TIMES = (1_700_000_000 + 10 * np.arange(24)).reshape(6, 4, 1)
CHANGED: dict[str, tuple[Callable[[], object], str]] = {
    "times": (lambda: fit(stack(), TIMES * 1.0, Y), "x: expected numbers that differ in float32"),
    "times-as-objects": (lambda: fit(stack(), TIMES.astype(object), Y), "x: expected numbers that differ in float32"),
    "masked": (lambda: fit(stack(), np.ma.masked_greater(X, 0.0), Y), "x: expected an array without masked entries"),
    "masked-weights": (
        lambda: fit(stack(), X, Y, sample_weight=np.ma.masked_array(np.ones(6), np.arange(6) == 2)),
        "sample_weight: expected an array without masked entries",
    ),
}


@pytest.mark.parametrize(("action", "words"), CHANGED.values(), ids=CHANGED)
def test_no_number_is_changed_without_a_word(action: Callable[[], object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        action()


def test_what_tutorials_do_all_the_time_is_not_spoken_of() -> None:
    """Overlapping windows with a validation_split: a script cannot be changed, and its validation loss is Keras's."""
    windows = np.stack([np.sin(np.arange(at, at + 4.0)) for at in range(6)])[..., None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(stack(), windows, Y, validation_split=0.5)
