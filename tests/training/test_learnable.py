"""What cannot learn is refused before training: no classes, nothing that counts, one layer in two positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mistakes import Action, Error, case, fit, model_of, refused, sw, table
from statewise.errors import ConfigurationError, DataError

RNG = np.random.default_rng(29)
X = RNG.normal(size=(6, 4, 2)).astype(np.float32)
Y = (X.sum(axis=(1, 2)) > 0).astype(np.float32)[:, None]
STEPS = RNG.normal(size=(6, 4, 1)).astype(np.float32)
CATEGORICAL, SPARSE = "categorical_crossentropy", "sparse_categorical_crossentropy"
NONE = np.zeros((6, 4), bool)


# -- one output --------------------------------------------------------------------------------------------------------


def classify(*head: Any, loss: Any = CATEGORICAL, y: Any = Y) -> Action:
    return lambda: fit(model_of(sw.LSTM(2), *head, loss=loss), X, y)


SOFTMAX = sw.Dense(1, activation="softmax")
IN_STEPS = [sw.LSTM(2, return_sequences=True), sw.TimeDistributed(sw.Dense(1, activation="sigmoid"))]


@table(
    case("sigmoid", classify(sw.Dense(1, activation="sigmoid")), ConfigurationError, "categorical", "one output"),
    case(
        "linear", classify(sw.Dense(1)), ConfigurationError, "cannot distinguish classes", "loss='binary_crossentropy'"
    ),
    case("sparse", classify(sw.Dense(1), loss=SPARSE, y=[0] * 6), ConfigurationError, SPARSE, "sigmoid", "Dense(V"),
    case("wrong-classes", classify(SOFTMAX, loss=SPARSE, y=Y), ConfigurationError, SPARSE, "one output"),
    case("sampled", classify(SOFTMAX, loss=sw.SampledSoftmax(1), y=[0] * 6), ConfigurationError, "SampledSoftmax"),
    case("kld", classify(SOFTMAX, loss="kld"), ConfigurationError, "cannot distinguish classes"),
    case(
        "lstm",
        lambda: fit(model_of(sw.LSTM(1), loss=CATEGORICAL), X, Y),
        ConfigurationError,
        "cannot distinguish classes",
    ),
    case(
        "steps",
        lambda: fit(model_of(*IN_STEPS, loss=CATEGORICAL), X, STEPS > 0),
        ConfigurationError,
        "cannot distinguish classes",
    ),
    case(
        "evaluate",
        lambda: model_of(sw.LSTM(1), loss=CATEGORICAL).evaluate(X, Y),
        ConfigurationError,
        "cannot distinguish classes",
    ),
    case(
        "batches",
        lambda: fit(model_of(sw.LSTM(1), loss=CATEGORICAL), [(X, Y)]),
        ConfigurationError,
        "cannot distinguish classes",
    ),
    case("softmax-mse", classify(SOFTMAX, loss="mse"), ConfigurationError, "softmax", "always 1", "sigmoid"),
    case("softmax-binary", classify(SOFTMAX, loss="binary_crossentropy"), ConfigurationError, "always 1"),
    case("softmax-layer", classify(sw.Dense(1), sw.Activation("softmax"), loss="mse"), ConfigurationError, "always 1"),
    case("softmax-dropout", classify(SOFTMAX, sw.Dropout(0.1), loss="mse"), ConfigurationError, "always 1"),
    case(
        "softmax-rnn",
        lambda: fit(model_of(sw.SimpleRNN(1, activation="softmax")), X, Y),
        ConfigurationError,
        "always 1",
    ),
)
def test_one_output_has_no_classes(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_a_refusal_leaves_the_model_untrained() -> None:
    model = model_of(sw.LSTM(2), sw.Dense(1), loss=CATEGORICAL)
    with pytest.raises(ConfigurationError):
        fit(model, X, Y)
    assert model.history is None
    assert not model.train_state.trained


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        lambda: model_of(sw.LSTM(2), sw.Dense(1, activation="sigmoid"), loss="binary_crossentropy"),
        lambda: model_of(sw.LSTM(1, activation="softmax")),  # the output gate is learned
        lambda: model_of(sw.LSTM(2), sw.Dense(1), loss="categorical_hinge"),
    ],
    ids=["binary", "gated-softmax", "hinge"],
)
def test_one_output_is_enough_elsewhere(model: Callable[[], Any]) -> None:
    assert fit(model(), X, Y).history


# -- nothing that counts -----------------------------------------------------------------------------------------------


def rows() -> Any:
    return model_of(sw.LSTM(2), sw.Dense(1))


def steps() -> Any:
    return model_of(sw.LSTM(2, return_sequences=True), sw.Dense(1))


def backwards() -> Any:
    return model_of(sw.LSTM(2, return_sequences=True, go_backwards=True), sw.Dense(1))


def embedded(**options: Any) -> Any:
    return model_of(sw.Embedding(4, 2, mask_zero=True, input_shape=(None,)), sw.LSTM(2, **options), sw.Dense(1))


class Batches:
    """An iterable that counts the epochs it was read for."""

    def __init__(self, *batches: object) -> None:
        self.batches, self.epochs = batches, -1  # the first look is for the shapes

    def __iter__(self) -> Iterator[object]:
        self.epochs += 1
        return iter(self.batches)


HALF = np.arange(4) < 2
CROSSED = HALF * np.ones((6, 1))  # weights of just the steps that ~HALF masks
NOTHING: dict[str, Callable[[], object]] = {
    "masked-steps": lambda: fit(steps(), X, STEPS, mask=NONE),
    "masked-rows": lambda: fit(rows(), X, Y, mask=NONE),
    "weight-of-rows": lambda: fit(rows(), X, Y, sample_weight=np.zeros(6)),
    "weight-of-steps": lambda: fit(steps(), X, STEPS, sample_weight=np.zeros((6, 4))),
    "weight-of-what-is-masked": lambda: fit(steps(), X, STEPS, sample_weight=CROSSED, mask=~HALF & ~NONE),
    "weight-of-what-is-masked-backwards": lambda: fit(backwards(), X, STEPS, sample_weight=CROSSED, mask=HALF & ~NONE),
    "warmup": lambda: fit(steps(), X, STEPS, mask=HALF & ~NONE, state="warmup:2"),
    "masking": lambda: fit(model_of(sw.Masking(7.0), sw.LSTM(2), sw.Dense(1)), X * 0 + 7, Y),
    "mask-zero": lambda: fit(embedded(), np.zeros((6, 4), int), Y),
    "mask-zero-steps": lambda: fit(embedded(return_sequences=True), np.zeros((6, 4), int), STEPS),
    "nan-everywhere": lambda: fit(rows(), X * np.nan, Y, mask=NONE),
    "validation-weight": lambda: fit(rows(), X, Y, validation_data=(X, Y, np.zeros(6))),
    "validation-masking": lambda: fit(embedded(), np.ones((6, 4), int), Y, validation_data=(np.zeros((2, 4)), Y[:2])),
    "validation-split": lambda: fit(rows(), X, Y, sample_weight=[1, 1, 1, 0, 0, 0], validation_split=0.5),
    "evaluate-mask": lambda: steps().evaluate(X, STEPS, mask=NONE),
    "evaluate-weight": lambda: rows().evaluate(X, Y, sample_weight=np.zeros(6)),
    "evaluate-masked-rows": lambda: rows().evaluate(X, Y, mask=NONE),
}


@pytest.mark.parametrize("action", NOTHING.values(), ids=NOTHING)
def test_nothing_that_counts(action: Callable[[], object]) -> None:
    refused(action, DataError, ["there is nothing to score", "masked or has weight 0", "give x some steps that count"])


def test_batches_of_which_nothing_counts_end_with_the_first_epoch() -> None:
    model, batches = rows(), Batches((X, Y, np.zeros(6)), (X[:3], Y[:3], np.zeros(3)))
    refused(lambda: fit(model, batches, epochs=5), DataError, ["nothing to score"])
    assert batches.epochs == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "action",
    [
        lambda: fit(rows(), X, Y, sample_weight=[0, 0, 0, 0, 0, 1]),
        lambda: fit(steps(), X, STEPS, mask=np.arange(24).reshape(6, 4) == 23),
        lambda: fit(backwards(), X, STEPS, sample_weight=CROSSED, mask=~HALF & ~NONE),
        lambda: fit(embedded(), np.eye(6, 4, dtype=int), Y),
        lambda: fit(rows(), Batches((X, Y, np.zeros(6)), (X, Y)), epochs=2),
        lambda: fit(rows(), X, Y, sample_weight=-(np.eye(6)[0] ** 2) + 1),
    ],
    ids=["row", "step", "backwards", "symbol", "batch", "rows"],
)
def test_a_little_that_counts_is_enough(action: Callable[[], Any]) -> None:
    assert np.isfinite(action().history["loss"]).all()


# -- one layer in two positions ---------------------------------------------------------------------------------------


def added(*layers: Any) -> Any:
    model = sw.Sequential()
    for layer in layers:
        model.add(layer)
    return model


LSTM, DENSE = sw.LSTM(2, return_sequences=True), sw.Dense(2)


@table(
    case("inside", lambda: added(LSTM, sw.TimeDistributed(DENSE), DENSE), ConfigurationError, "Dense: expected"),
    case("inside-later", lambda: added(LSTM, DENSE, sw.TimeDistributed(DENSE)), ConfigurationError, "Dense: expected"),
    case("two-inside", lambda: added(sw.Bidirectional(LSTM), sw.Bidirectional(LSTM)), ConfigurationError, "LSTM: exp"),
    case("deep", lambda: added(sw.TimeDistributed(sw.TimeDistributed(DENSE)), DENSE), ConfigurationError, "Dense: exp"),
)
def test_a_layer_inside_another_is_not_in_a_second_place(action: Action, error: Error, words: tuple[str, ...]) -> None:
    refused(action, error, words)


def test_a_refused_layer_is_not_added() -> None:
    model = sw.Sequential([LSTM, DENSE])
    refused(lambda: model.add(sw.Bidirectional(LSTM)), ConfigurationError, ["two positions"])
    model.add(sw.Dense(2))
    model.build((None, None, 3))
    assert model.network.names == ("lstm", "dense", "dense_1")


def test_layers_that_are_equal_are_two_and_a_model_may_take_those_of_another() -> None:
    equal = sw.Sequential([sw.LSTM(2, return_sequences=True), sw.LSTM(2, return_sequences=True)])
    assert len(equal._stack.layers) == 2
    for seed in range(2):
        sw.Sequential([LSTM, sw.Bidirectional(sw.LSTM(2)), DENSE], seed=seed)
