"""`fit` and its relatives: each way to drive a training leads to the same numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from networks import quick_compilation
from statewise.errors import ConfigurationError, DataError, LifecycleError, ShapeError
from statewise.legacy import dialect
from statewise.legacy.callbacks import Callback, History, LambdaCallback
from statewise.legacy.keras_utils import Sequence
from statewise.legacy.layers import LSTM, Dense, Embedding
from statewise.legacy.logs import Logs
from statewise.legacy.models import Sequential
from statewise.legacy.optimizers import SGD

SIZE, EPOCHS = 4, 3
rng = np.random.default_rng(3)
X = rng.normal(size=(12, 3, 2)).astype(np.float32)
Y = rng.normal(size=(12, 1)).astype(np.float32)
WEIGHTS = [rng.normal(0, 0.7, shape).astype(np.float32) for shape in [(2, 12), (3, 12), (12,), (3, 1), (1,)]]
Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


def stack() -> Sequential:
    model = Sequential([LSTM(3, input_shape=(3, 2)), Dense(1)])
    model.compile(optimizer=SGD(lr=0.1, momentum=0.5), loss="mse", metrics=["mae"])
    model.set_weights(WEIGHTS)
    return model


@pytest.fixture(scope="module")
def shared() -> Sequential:
    """For tests that do not look at the weights."""
    return stack()


class Batches(Sequence):
    def __len__(self) -> int:
        return len(X) // SIZE

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        rows = slice(index * SIZE, (index + 1) * SIZE)
        return X[rows], Y[rows]


def batches() -> Iterator[tuple[Array, Array]]:
    return itertools.cycle(list(Batches()))


def by_epochs(model: Sequential) -> list[float]:
    fits = [
        model.fit(X, Y, batch_size=SIZE, epochs=epoch + 1, initial_epoch=epoch, shuffle=False, verbose=0)
        for epoch in range(EPOCHS)
    ]
    assert [fit.epoch for fit in fits] == [[0], [1], [2]]
    return [fit.history["loss"][0] for fit in fits]


def by_batches(model: Sequential) -> list[float]:
    return [float(np.mean([model.train_on_batch(x, y)[0] for x, y in Batches()])) for _ in range(EPOCHS)]


def by_samples(model: Sequential) -> list[float]:
    with dialect.use(dialect.KERAS1):
        history = model.fit_generator(batches(), samples_per_epoch=len(X), nb_epoch=EPOCHS, verbose=0)
    return list(history.history["loss"])


def losses(fit: Callable[[Sequential], History]) -> Callable[[Sequential], list[float]]:
    return lambda model: list(fit(model).history["loss"])


PLAIN: dict[str, Any] = {"batch_size": SIZE, "epochs": EPOCHS, "shuffle": False, "verbose": 0}
DRIVES: dict[str, Callable[[Sequential], list[float]]] = {
    "with a callback": losses(lambda model: model.fit(X, Y, **PLAIN, callbacks=[LambdaCallback()])),
    "with one that looks at batches": losses(
        lambda model: model.fit(X, Y, **PLAIN, callbacks=[LambdaCallback(on_batch_end=lambda *_: None)])
    ),
    "with validation": losses(lambda model: model.fit(X, Y, **PLAIN, validation_data=(X[:3], Y[:3]))),
    "in Keras 1's words": losses(lambda model: model.fit(X, Y, SIZE, nb_epoch=EPOCHS, shuffle=False, verbose=0)),
    "lists of one array": losses(lambda model: model.fit([X], [Y], **PLAIN)),
    "flat targets": losses(lambda model: model.fit(X, Y[:, 0], **PLAIN)),
    "epoch by epoch": by_epochs,
    "batch by batch": by_batches,
    "by samples": by_samples,
    "generator": losses(lambda model: model.fit_generator(batches(), 3, EPOCHS, verbose=0)),
    "part of a step": losses(lambda model: model.fit_generator(batches(), len(X) / 5, EPOCHS, verbose=0)),
    "generator in fit": losses(lambda model: model.fit(batches(), steps_per_epoch=3, epochs=EPOCHS, verbose=0)),
    "Sequence": losses(lambda model: model.fit_generator(Batches(), epochs=EPOCHS, shuffle=False, verbose=0)),
    "Sequence in fit": losses(lambda model: model.fit(Batches(), epochs=EPOCHS, shuffle=False, verbose=0, workers=4)),
}


@pytest.fixture(scope="module")
def expected() -> tuple[list[float], list[Array]]:
    model = stack()
    return model.fit(X, Y, **PLAIN).history["loss"], model.get_weights()


@pytest.mark.parametrize("drive", DRIVES)
def test_every_drive_trains_the_same(drive: str, expected: tuple[list[float], list[Array]]) -> None:
    model = stack()
    assert DRIVES[drive](model) == pytest.approx(expected[0], rel=1e-5)
    for weight, wanted in zip(model.get_weights(), expected[1], strict=True):
        np.testing.assert_allclose(weight, wanted, rtol=1e-4, atol=1e-6)


def test_shuffling_changes_the_order_of_each_epoch() -> None:
    one, other = stack(), stack()
    one.fit(X, Y, **PLAIN)
    other.fit(X, Y, **PLAIN | {"shuffle": True})
    assert not np.allclose(one.get_weights()[0], other.get_weights()[0], rtol=1e-5)


def test_scores_are_those_of_the_predictions(shared: Sequential) -> None:
    error = shared.predict(X) - Y
    wanted = [float((error**2).mean()), float(abs(error).mean())]
    assert shared.evaluate(X, Y, batch_size=5, verbose=0) == pytest.approx(wanted, rel=1e-5)
    assert shared.evaluate(X, Y, verbose=0, return_dict=True) == pytest.approx(
        dict(zip(["loss", "mae"], wanted, strict=True)), rel=1e-5
    )
    assert shared.test_on_batch(X, Y) == pytest.approx(wanted, rel=1e-5)
    assert shared.evaluate_generator(batches(), steps=3) == pytest.approx(wanted, rel=1e-5)
    assert shared.evaluate(Batches(), verbose=0) == pytest.approx(wanted, rel=1e-5)
    with dialect.use(dialect.KERAS1):
        assert shared.evaluate_generator(batches(), val_samples=12) == pytest.approx(wanted, rel=1e-5)


def test_predictions_keep_the_order_of_the_rows(shared: Sequential) -> None:
    wanted = shared.predict(X)
    assert (wanted.shape, wanted.dtype) == ((12, 1), np.float32)
    for answer in (shared.predict(Batches()), shared.predict_generator(batches(), 3), shared(X), shared.predict([X])):
        np.testing.assert_allclose(answer, wanted, rtol=1e-5, atol=1e-6)


def test_validation_split_takes_the_last_rows_which_are_not_trained_on() -> None:
    one, other = stack(), stack()
    options = PLAIN | {"epochs": 2}
    split = one.fit(X, Y, **options, validation_split=0.25).history
    given = other.fit(X[:9], Y[:9], **options, validation_data=(X[9:], Y[9:])).history
    assert split == given
    assert list(split) == ["loss", "mae", "val_loss", "val_mae"]


def test_validation_scores_the_weights_after_the_epoch() -> None:
    model = stack()
    validated = model.fit(X, Y, **PLAIN, validation_data=(X[:SIZE], Y[:SIZE])).history["val_loss"][-1]
    assert model.evaluate(X[:SIZE], Y[:SIZE], verbose=0)[0] == pytest.approx(validated, rel=1e-5)


def test_class_weights_are_weights_of_rows() -> None:
    classes = (Y > 0).astype(int)
    one, other = stack(), stack()
    weighted = one.fit(X, classes, **PLAIN, class_weight={0: 1.0, 1: 5.0}).history["loss"]
    wanted = other.fit(X, classes, **PLAIN, sample_weight=np.where(classes[:, 0] > 0, 5.0, 1.0)).history["loss"]
    assert weighted == pytest.approx(wanted, rel=1e-6)
    both = shared_loss(X, classes, class_weight={0: 1.0, 1: 5.0}, sample_weight=np.arange(12.0))
    assert both == pytest.approx(shared_loss(X, classes, sample_weight=np.where(classes[:, 0], 5.0, 1.0) * range(12)))


def shared_loss(x: Array, y: Array, **weights: Any) -> float:
    return float(stack().train_on_batch(x, y, **weights)[0])


def test_a_weight_is_a_factor_of_the_rows_loss(shared: Sequential) -> None:
    weight = rng.uniform(0.5, 2, 12).astype(np.float32)
    errors = (shared.predict(X) - Y)[:, 0] ** 2
    assert shared.evaluate(X, Y, sample_weight=weight, verbose=0)[0] == pytest.approx(
        (errors * weight).mean(), rel=1e-5
    )


def test_weights_by_step() -> None:
    model = Sequential([LSTM(3, return_sequences=True, input_shape=(3, 2)), Dense(1)])
    model.compile(optimizer="sgd", loss="mse", sample_weight_mode="temporal")
    y, weight = rng.normal(size=(12, 3, 1)).astype(np.float32), rng.uniform(0.5, 2, (12, 3)).astype(np.float32)
    errors = (model.predict(X) - y)[..., 0] ** 2
    assert model.test_on_batch(X, y, sample_weight=weight) == pytest.approx((errors * weight).mean(), rel=1e-5)


def test_a_history_is_that_of_its_fit(shared: Sequential) -> None:
    first = shared.fit(X, Y, batch_size=SIZE, epochs=2, verbose=0)
    second = shared.fit(X, Y, batch_size=SIZE, epochs=5, initial_epoch=2, verbose=0)
    assert (first.epoch, second.epoch) == ([0, 1], [2, 3, 4])
    assert (len(first.history["loss"]), len(second.history["mae"])) == (2, 3)
    assert shared.history is second
    assert second.params["epochs"] == 5


def test_keras_1_had_ten_epochs(shared: Sequential) -> None:
    with dialect.use(dialect.KERAS1):
        assert len(shared.fit(X, Y, verbose=0).epoch) == 10
    assert len(shared.fit(X, Y, verbose=0).epoch) == 1


def test_a_sequence_hears_of_the_end_of_each_epoch(shared: Sequential) -> None:
    class Heard(Batches):
        ends = 0

        def on_epoch_end(self) -> None:
            self.ends += 1

    heard = Heard()
    shared.fit_generator(heard, epochs=2, verbose=0)
    assert heard.ends == 2


def test_predict_works_before_training_and_compiling() -> None:
    model = Sequential([LSTM(3), Dense(1)])
    assert model.predict(X).shape == (12, 1)


MISTAKES: dict[str, tuple[Callable[[Sequential], Any], type[Exception], str]] = {
    "option": (lambda model: model.fit(X, Y, epoch=3), ConfigurationError, "fit has no option epoch=.*epochs="),
    "both": (lambda model: model.fit(X, Y, nb_epoch=3, epochs=3), ConfigurationError, "write epochs= alone"),
    "callback": (lambda model: model.fit(X, Y, callbacks=[3]), ConfigurationError, "such as EarlyStopping"),
    "callbacks": (lambda model: model.fit(X, Y, callbacks=3), ConfigurationError, "such as EarlyStopping"),
    "split": (lambda model: model.fit(X, Y, validation_split=0.99), DataError, "leaves nothing on one side"),
    "steps": (lambda model: model.fit_generator(batches()), ConfigurationError, "^steps_per_epoch: .*None"),
    "validation_steps": (
        lambda model: model.fit_generator(batches(), 3, validation_data=batches(), verbose=0),
        ConfigurationError,
        "^validation_steps: ",
    ),
    "score steps": (lambda model: model.evaluate_generator(batches()), ConfigurationError, "^steps: "),
    "end": (lambda model: model.fit_generator(iter(Batches()), 4, verbose=0), DataError, "ended after 3 of 4"),
    "yields": (lambda model: model.fit_generator(iter([X]), 1, verbose=0), DataError, r"yield \(x, y\)"),
    "no targets": (lambda model: model.evaluate(X), DataError, r"yield \(x, y\)"),
    "classes": (
        lambda model: model.fit(X, Y > 0, class_weight={0: 1}),
        ConfigurationError,
        "a weight for each class, got none for class 1",
    ),
    "steps weighed": (
        lambda model: model.fit(X, X, class_weight={0: 1}),
        ConfigurationError,
        "one target per row; write sample_weight=",
    ),
    "epochs": (lambda model: model.fit(X, Y, epochs=2.5), ConfigurationError, "epochs: expected an integer"),
    "freq": (lambda model: model.fit(X, Y, validation_freq=2), AttributeError, "validation comes after each epoch"),
    "validation": (
        lambda model: model.fit(X, Y, validation_data=batches()),
        ConfigurationError,
        r"validation_data: expected \(x, y\)",
    ),
    "dict": (lambda model: model.predict({"x": X}), ConfigurationError, "expected an array, got a dict"),
    "ragged": (lambda model: model.predict([[1, 2], [3]]), ShapeError, r"of one length.*write pad_sequences\(x\)"),
    "lists": (
        lambda model: model.predict(np.array([[1, 2], [3]], object)),
        ShapeError,
        r"of one length.*write pad_sequences\(x\)",
    ),
    "nothing": (lambda model: model.predict(None), DataError, "x: expected an array, got None"),
    "no rows": (lambda model: model.fit(X, 3.0), DataError, r"y: expected an array, got 3\.0"),
    "rows": (lambda model: model.fit(X, Y[:4], verbose=0), ShapeError, "expected 12 row"),
    "time": (lambda model: model.predict(X[:, :2]), ShapeError, "as the first layer's input_shape says"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(shared: Sequential, name: str) -> None:
    call, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        call(shared)


@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_training_needs_compile(call: str) -> None:
    model = Sequential([LSTM(3, input_shape=(3, 2)), Dense(1)])
    with pytest.raises(LifecycleError, match=r"call model.compile\(optimizer, loss, metrics\) first"):
        getattr(model, call)(X, Y)


def test_words_say_whether_samples_or_batches_are_counted(shared: Sequential) -> None:
    with dialect.use(dialect.KERAS1):
        assert shared.fit_generator(batches(), samples_per_epoch=8, nb_epoch=1, verbose=0).params["steps"] == 8
        taken = itertools.count()
        counted = (batch for batch in batches() if next(taken) >= 0)
        shared.fit_generator(counted, steps_per_epoch=3, epochs=1, verbose=0)
        assert next(taken) == 3
        shared.fit_generator(counted, samples_per_epoch=2 * SIZE, epochs=1, verbose=0)
        assert next(taken) == 6  # one more was counted by the line above


def test_a_sequence_goes_on_in_the_next_epoch(shared: Sequential) -> None:
    seen: list[int] = []

    class Seen(Batches):
        def __getitem__(self, index: int) -> tuple[Array, Array]:
            seen.append(index)
            return super().__getitem__(index)

    shared.fit_generator(Seen(), steps_per_epoch=2, epochs=3, shuffle=False, verbose=0)
    assert seen == [0, 1, 2, 0, 1, 2]


def test_batches_of_which_nothing_counts_are_left_out() -> None:
    x = np.array([[0, 0, 0], [1, 2, 0], [0, 0, 0], [2, 1, 1]])
    model = Sequential([Embedding(3, 2, mask_zero=True, input_length=3), LSTM(2, return_sequences=True), Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    y = np.ones((4, 3, 1))
    expected = model.evaluate(x[[1, 3]], y[:2], batch_size=1, verbose=0)
    assert model.evaluate(x, y, batch_size=1, verbose=0) == pytest.approx(expected)
    assert np.isfinite(model.fit(x, y, batch_size=1, shuffle=False, verbose=0).history["mae"]).all()
    with pytest.raises(DataError, match="there is nothing to score"):
        model.evaluate(x[:1], y[:1], verbose=0)


def test_steps_take_the_first_batches(shared: Sequential) -> None:
    first = shared.evaluate(X[:SIZE], Y[:SIZE], verbose=0)
    assert shared.evaluate(X, Y, batch_size=SIZE, steps=1, verbose=0) == pytest.approx(first)
    assert len(shared.predict(X, batch_size=SIZE, steps=2)) == 2 * SIZE


def test_evaluation_and_prediction_are_announced(shared: Sequential) -> None:
    heard: list[str] = []

    class Listening(Callback):
        def on_test_begin(self, logs: Logs | None = None) -> None:
            heard.append("test")

        def on_test_end(self, logs: Logs | None = None) -> None:
            heard.append("tested")

        def on_predict_begin(self, logs: Logs | None = None) -> None:
            heard.append("predict")

    shared.evaluate(X, Y, verbose=0, callbacks=[Listening()])
    shared.predict(X, callbacks=Listening())
    shared.fit(X, Y, verbose=0, callbacks=[Listening()], validation_data=(X, Y))
    assert heard == ["test", "tested", "predict", "test", "tested"]
