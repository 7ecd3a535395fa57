"""Callbacks: when they are called and with what, and what Keras's own do. Expected numbers are those of tf-keras."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from networks import quick_compilation
from statewise.errors import ConfigurationError, StatewiseWarning
from statewise.legacy import backend, dialect
from statewise.legacy.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
)
from statewise.legacy.layers import LSTM, Dense
from statewise.legacy.logs import Logs
from statewise.legacy.models import Sequential, load_model
from statewise.legacy.optimizers import SGD

rng = np.random.default_rng(8)
X = rng.normal(size=(5, 3, 2)).astype(np.float32)
Y = rng.normal(size=(5, 1)).astype(np.float32)
LOSSES = [0.9, 0.8, 0.85, 0.8, 0.79995, 0.82, 0.81, 0.5, 0.6, 0.55, 0.52, 0.51, 0.505, 0.6]
ACCURACIES = [0.5, 0.6, 0.6, 0.55, 0.7, 0.7, 0.65, 0.68, 0.69, 0.7, 0.71, 0.7, 0.6, 0.5]
SERIES = {"loss": LOSSES, "acc": ACCURACIES}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with quick_compilation():
        yield


@pytest.fixture(scope="module")
def model() -> Sequential:
    model = Sequential([LSTM(3, input_shape=(3, 2)), Dense(1)])
    model.compile(loss="mse", optimizer=SGD(lr=0.1), metrics=["acc"])
    return model


def fit(model: Sequential, *callbacks: Any, epochs: int = 2, **options: Any) -> Any:
    return model.fit(X, Y, epochs=epochs, batch_size=3, verbose=0, callbacks=list(callbacks), **options)


# -- hooks -----------------------------------------------------------------------------------------------------------


class Recorder(Callback):
    """Writes down each call, with the names of its logs."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append(("train begins", *logs))

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append(("train ends", *logs))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch begins", epoch, *logs))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(("epoch ends", epoch, *logs))


class BatchRecorder(Recorder):
    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch begins", batch, logs["batch"], logs["size"]))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("batch ends", batch, *logs))


OWN = ("loss", "acc")
EPOCH_ENDS = (*OWN, "val_loss", "val_acc")


def test_hooks_are_called_in_keras_order(model: Sequential) -> None:
    recorder = Recorder()
    fit(model, recorder, epochs=3, initial_epoch=1, validation_data=(X, Y))
    epochs = [[("epoch begins", n), ("epoch ends", n, *EPOCH_ENDS)] for n in (1, 2)]
    assert recorder.calls == [("train begins",), *epochs[0], *epochs[1], ("train ends",)]
    assert recorder.model is model
    assert recorder.params == {
        "epochs": 3,
        "steps": 2,
        "samples": 5,
        "batch_size": 3,
        "verbose": 0,
        "metrics": ["loss", "acc"],
    }


def test_hooks_of_batches_are_called_around_each(model: Sequential) -> None:
    recorder = BatchRecorder()
    fit(model, recorder, epochs=1)
    ends = (*OWN, "batch", "size")
    batches = [("batch begins", 0, 0, 3), ("batch ends", 0, *ends), ("batch begins", 1, 1, 2), ("batch ends", 1, *ends)]
    assert recorder.calls == [
        ("train begins",),
        ("epoch begins", 0),
        *batches,
        ("epoch ends", 0, *OWN),
        ("train ends",),
    ]


def test_an_epochs_loss_is_the_mean_over_its_rows(model: Sequential) -> None:
    seen: list[tuple[float, int]] = []
    note = LambdaCallback(on_batch_end=lambda _, logs: seen.append((logs["loss"], logs["size"])))
    (loss,) = fit(model, note, epochs=1).history["loss"]
    assert loss == pytest.approx(sum(value * size for value, size in seen) / 5)


def test_callbacks_that_look_at_the_model_find_it_trained_so_far(model: Sequential) -> None:
    kernels: list[Any] = []
    fit(model, LambdaCallback(on_epoch_end=lambda *_: kernels.append(model.get_weights()[0])), epochs=3)
    assert not np.array_equal(kernels[0], kernels[1])
    np.testing.assert_array_equal(kernels[2], model.get_weights()[0])


def test_callbacks_see_the_rows_that_are_validated_on(model: Sequential) -> None:
    recorder = Recorder()
    fit(model, recorder, validation_split=0.4)
    for part, wanted in zip(recorder.validation_data, (X[3:], Y[3:], np.ones(2)), strict=True):
        np.testing.assert_array_equal(part, wanted)


@pytest.mark.parametrize("hook", ["on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end"])
def test_functions_stand_for_hooks(model: Sequential, hook: str) -> None:
    calls: list[Any] = []
    fit(model, LambdaCallback(**{hook: lambda *arguments: calls.append(arguments)}))
    assert len(calls) == (2 if "epoch" in hook else 1)


@pytest.mark.parametrize("hook", ["on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"])
def test_functions_stand_for_hooks_of_batches(model: Sequential, hook: str) -> None:
    batches: list[int] = []
    fit(model, LambdaCallback(**{hook: lambda batch, logs: batches.append(batch)}))  # noqa: ARG005 - Keras's arguments
    assert batches == [0, 1, 0, 1]


def stop(model: Sequential) -> None:
    model.stop_training = True


@pytest.mark.parametrize(("hook", "batches"), [("on_epoch_end", 2), ("on_epoch_begin", 1), ("on_batch_end", 1)])
def test_stop_training_ends_it(model: Sequential, hook: str, batches: int) -> None:
    recorder = BatchRecorder()
    history = fit(model, recorder, LambdaCallback(**{hook: lambda *_: stop(model)}), epochs=5)
    assert history.epoch == [0]
    assert [call[0] for call in recorder.calls].count("batch ends") == batches
    assert recorder.calls[-1] == ("train ends",)
    assert fit(model, Recorder()).epoch == [0, 1]  # the next fit starts anew


def test_a_single_callback_needs_no_list(model: Sequential) -> None:
    recorder = Recorder()
    model.fit(X, Y, batch_size=3, verbose=0, callbacks=recorder)
    assert recorder.calls


def test_logs_are_found_under_either_name() -> None:
    logs = Logs(val_accuracy=0.5, mse=2.0)
    assert (logs["val_acc"], logs.get("mean_squared_error"), "val_acc" in logs) == (0.5, 2.0, True)
    assert (logs.get("val_loss"), logs.get("val_loss", 3.0), "val_mse" in logs, None in logs) == (
        None,
        3.0,
        False,
        False,
    )
    assert logs.in_both_spellings().keys() == {"val_accuracy", "val_acc", "mse", "mean_squared_error"}
    with pytest.raises(KeyError, match="val_loss"):
        logs["val_loss"]


# -- learning rates --------------------------------------------------------------------------------------------------


class Rated:
    """All of a model that a callback of the learning rate looks at, and one that stops looks at."""

    def __init__(self) -> None:
        self.optimizer, self.stop_training, self.weights = SimpleNamespace(lr=1.0), False, 0

    def get_weights(self) -> int:
        return self.weights

    def set_weights(self, weights: int) -> None:
        self.weights = weights


def driven(callback: Any, monitor: str, each: Callable[[Rated], Any]) -> list[Any]:
    """What `each` says of a model after each epoch, until the callback ends the training."""
    model, seen = Rated(), []
    callback.set_model(model)
    callback.set_params({"epochs": len(LOSSES), "steps": 1})
    callback.on_train_begin()
    for epoch, value in enumerate(SERIES[monitor]):
        model.weights = epoch
        callback.on_epoch_end(epoch, Logs({monitor: value}))
        seen.append(each(model))
        if model.stop_training:
            break
    callback.on_train_end()
    return [*seen, each(model)]


PLATEAUS: list[tuple[str, dict[str, Any], str]] = [
    ("loss", {"patience": 2}, "0 0 0 1 1 2 2 2 2 3 3 4 4 5"),
    ("loss", {"patience": 1, "cooldown": 2}, "0 0 1 1 2 2 3 3 4 4 5 5 6 6"),
    ("loss", {"patience": 1, "min_delta": 0.02, "min_lr": 0.25}, "0 0 1 2 2 2 2 2 2 2 2 2 2 2"),
    ("acc", {"patience": 2}, "0 0 0 1 1 1 2 2 3 3 3 3 4 4"),
    ("acc", {"patience": 3, "mode": "min"}, "0 0 0 1 1 1 2 2 2 3 3 3 4 4"),
]


@pytest.mark.parametrize(("monitor", "options", "halvings"), PLATEAUS)
def test_the_rate_falls_on_plateaus(monitor: str, options: dict[str, Any], halvings: str) -> None:
    callback = ReduceLROnPlateau(monitor=monitor, factor=0.5, **options)
    for _ in range(2):  # it can be used again
        rates = driven(callback, monitor, lambda model: float(model.optimizer.lr))
        assert rates[:-1] == [0.5 ** int(count) for count in halvings.split()]


def test_reducing_says_so_and_logs_the_rate(model: Sequential, capsys: pytest.CaptureFixture[str]) -> None:
    model.optimizer.lr = 0.1
    plateau = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100, verbose=1)
    history = fit(model, plateau, epochs=3).history
    assert history["lr"] == pytest.approx([0.1, 0.1, 0.05])
    assert "Epoch 00002: ReduceLROnPlateau reducing learning rate to 0.05" in capsys.readouterr().out
    assert model.core.learning_rate == pytest.approx(0.025)


SCHEDULES: dict[str, Callable[..., float]] = {
    "of the epoch": lambda epoch: 0.1 / 2**epoch,
    "of the rate": lambda epoch, rate: 0.1 if epoch == 0 else rate / 2,
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_set_the_rate_of_each_epoch(model: Sequential, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    history = fit(model, LearningRateScheduler(SCHEDULES[name], verbose=1), epochs=3).history
    assert history["lr"] == pytest.approx([0.1, 0.05, 0.025])
    assert model.core.learning_rate == pytest.approx(0.025)
    assert "Epoch 2: LearningRateScheduler setting learning rate to 0.05." in capsys.readouterr().out


def test_a_callback_sets_the_rate_by_the_backend(model: Sequential) -> None:
    def halve(*_: object) -> None:
        backend.set_value(model.optimizer.lr, backend.get_value(model.optimizer.lr) * 0.5)

    model.optimizer.lr = 0.08
    fit(model, LambdaCallback(on_epoch_end=halve), epochs=3)
    assert backend.get_value(model.optimizer.lr) == pytest.approx(0.01)
    assert model.core.learning_rate == pytest.approx(0.01)


# -- stopping and keeping --------------------------------------------------------------------------------------------

STOPS: list[tuple[str, dict[str, Any], int, int]] = [
    ("loss", {}, 3, 2),
    ("loss", {"patience": 1}, 3, 2),
    ("loss", {"patience": 3, "restore_best_weights": True}, 11, 7),
    ("loss", {"patience": 3, "min_delta": 0.3, "restore_best_weights": True}, 4, 0),
    ("loss", {"patience": 3, "min_delta": -0.01}, 5, 4),
    ("loss", {"patience": 20, "restore_best_weights": True}, 14, 7),
    ("acc", {"patience": 2}, 4, 3),
    ("acc", {"patience": 4, "restore_best_weights": True}, 9, 4),
    ("acc", {"patience": 2, "mode": "min"}, 3, 2),
]


@pytest.mark.parametrize(("monitor", "options", "epochs", "weights"), STOPS)
def test_training_stops_early(monitor: str, options: dict[str, Any], epochs: int, weights: int) -> None:
    seen = driven(EarlyStopping(monitor=monitor, **options), monitor, lambda model: model.weights)
    assert (len(seen) - 1, seen[-1]) == (epochs, weights)


def test_stopping_says_so(model: Sequential, capsys: pytest.CaptureFixture[str]) -> None:
    stopping = EarlyStopping("val_loss", min_delta=100, verbose=1, patience=2)
    assert fit(model, stopping, epochs=9, validation_split=0.4).epoch == [0, 1, 2]
    assert (stopping.stopped_epoch, capsys.readouterr().out) == (2, "Epoch 00003: early stopping\n")


NAMES: dict[str, list[str]] = {
    "weights-{epoch:02d}.hdf5": ["weights-01.hdf5", "weights-02.hdf5", "weights-03.hdf5"],
    "{epoch}-{val_accuracy:.1f}-{val_acc:.1f}": ["1-0.0-0.0", "2-0.0-0.0", "3-0.0-0.0"],
    "last.h5": ["last.h5"],
}


@pytest.mark.parametrize("spelled", [dialect.KERAS2, dialect.TF_KERAS], ids=lambda one: one.name)
@pytest.mark.parametrize("name", NAMES)
def test_models_are_kept_after_epochs(tmp_path: Path, model: Sequential, name: str, spelled: dialect.Dialect) -> None:
    with dialect.use(spelled):
        fit(model, ModelCheckpoint(str(tmp_path / name)), epochs=3, validation_data=(X, Y))
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES[name]


def test_the_kept_model_is_that_of_its_epoch(tmp_path: Path, model: Sequential) -> None:
    path = tmp_path / "{epoch}-{loss:.2f}.h5"
    history = fit(model, ModelCheckpoint(str(path)))
    kept = load_model(str(path).format(epoch=2, loss=history.history["loss"][1]))
    np.testing.assert_array_equal(kept.predict(X), model.predict(X))


def test_only_the_best_are_kept(tmp_path: Path, model: Sequential, capsys: pytest.CaptureFixture[str]) -> None:
    model.optimizer.lr = 1e-20
    path = tmp_path / "best-{epoch}.h5"
    fit(model, ModelCheckpoint(str(path), "val_loss", 1, True), epochs=3, validation_data=(X, Y))
    assert [kept.name for kept in tmp_path.iterdir()] == ["best-1.h5"]
    best = f"{fit(model, validation_data=(X, Y)).history['val_loss'][0]:.5f}"
    saved = f"val_loss improved from inf to {best}, saving model to {tmp_path}/best-1.h5"
    kept = [f"val_loss did not improve from {best}"] * 2
    lines = [f"\nEpoch {number:05d}: {line}\n" for number, line in enumerate([saved, *kept], 1)]
    assert capsys.readouterr().out == "".join(lines)


def test_every_second_epochs_weights_are_kept(tmp_path: Path, model: Sequential) -> None:
    keep = ModelCheckpoint(str(tmp_path / "{epoch}"), save_weights_only=True, period=2)
    fit(model, keep, epochs=5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "4"]
    model.load_weights(tmp_path / "4")


def test_logs_are_written_as_rows(tmp_path: Path, model: Sequential) -> None:
    path = tmp_path / "log.csv"
    history = fit(model, CSVLogger(str(path)))
    fit(model, CSVLogger(str(path), append=True), epochs=3, initial_epoch=2)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert [float(row["loss"]) for row in rows[:2]] == pytest.approx(history.history["loss"])


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "option": (
        lambda: EarlyStopping(patients=3),
        ConfigurationError,
        "has no option patients=: did you mean patience=",
    ),
    "baseline": (lambda: EarlyStopping(baseline=0.3), AttributeError, r"baseline=\) is not supported.*stop_training"),
    "save_freq": (lambda: ModelCheckpoint("m", save_freq=10), AttributeError, "models are saved after epochs"),
    "separator": (lambda: CSVLogger("m.csv", separator=";"), AttributeError, "separated by commas"),
    "histogram": (lambda: TensorBoard(histogram_freq=1), AttributeError, "loss and metrics are written"),
    "factor": (lambda: ReduceLROnPlateau(factor=1.5), ConfigurationError, "expected less than 1"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str) -> None:
    make, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize("kind", ["plateau", "stopping", "best"])
def test_a_log_that_there_is_not_is_warned_of_and_changes_nothing(model: Sequential, kind: str, tmp_path: Path) -> None:
    kinds: dict[str, Callable[[], Callback]] = {
        "plateau": ReduceLROnPlateau,
        "stopping": EarlyStopping,
        "best": lambda: ModelCheckpoint(str(tmp_path / "best"), save_best_only=True),
    }
    callback = kinds[kind]()
    rate = float(model.optimizer.lr)
    with pytest.warns(StatewiseWarning, match="'val_loss' is not among loss, acc"):
        history = fit(model, callback)
    assert len(history.epoch) > 1
    assert float(model.optimizer.lr) == rate
    assert not list(tmp_path.iterdir())


def test_the_best_is_the_best_of_all_fits(model: Sequential, tmp_path: Path) -> None:
    path = tmp_path / "best"
    checkpoint = ModelCheckpoint(str(path), monitor="loss", save_best_only=True)
    fit(model, checkpoint, epochs=1)
    saved = path.read_bytes()
    model.set_weights([weight + 5 for weight in model.get_weights()])
    fit(model, checkpoint, epochs=1)
    assert path.read_bytes() == saved
