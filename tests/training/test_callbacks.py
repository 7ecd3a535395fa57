"""Readers of the training's records: what they keep, restore, write and end."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import statewise as sw
from learning import X, Y, fit, tagger
from statewise.errors import ConfigurationError, FileError
from statewise.objectives.metrics import METRICS, better
from statewise.storage.artifact import read_artifact
from tolerances import assert_same

NAN = float("nan")
SCRIPTED = [3.0, 2.0, 1.0, 1.5, 1.0, 2.0, 0.5, 0.4]  # best at epoch 2, and better again at epoch 6


def scripted(values: list[float], name: str = "loss") -> Callable[[], dict[str, float]]:
    """Returns validation that answers with one value after another."""
    answers = iter(values)
    return lambda: {name: next(answers)}


@pytest.fixture(scope="module")
def weights() -> list[list[Any]]:
    """The weights after each epoch of an undisturbed training."""
    model, after = tagger(), []
    fit(model, epochs=len(SCRIPTED), state="carry", callbacks=[lambda *_: after.append(model.get_weights())])
    return after


def fit_until(stopping: sw.Callback, values: list[float], name: str = "loss") -> tuple[sw.Sequential, sw.History]:
    model = tagger()
    validation = scripted(values, name)
    return model, fit(model, epochs=len(values), state="carry", validation_data=validation, callbacks=[stopping])


# -------------------------------------------------------------------------------------- EarlyStopping


@pytest.mark.parametrize(("patience", "epochs"), [(0, 4), (1, 4), (2, 5), (3, 6), (4, 8)])
def test_early_stopping_waits_for_as_many_epochs_as_its_patience(patience: int, epochs: int) -> None:
    """As in Keras: it stops once `patience` epochs have brought nothing better, and at the first one for 0."""
    _, history = fit_until(sw.EarlyStopping(patience=patience), SCRIPTED)
    assert len(history.epoch) == epochs


def test_early_stopping_restores_the_best_weights(weights: list[list[Any]]) -> None:
    stopping = sw.EarlyStopping(patience=2)
    model, _ = fit_until(stopping, SCRIPTED)
    assert stopping.best_epoch == 2
    assert_same(model.get_weights(), weights[2], "weights")


def test_early_stopping_restores_the_best_weights_when_training_ends_by_itself(weights: list[list[Any]]) -> None:
    stopping = sw.EarlyStopping(patience=9)
    model, history = fit_until(stopping, SCRIPTED[:5])
    assert len(history.epoch) == 5
    assert_same(model.get_weights(), weights[2], "weights")


def test_early_stopping_may_leave_the_last_weights(weights: list[list[Any]]) -> None:
    model, history = fit_until(sw.EarlyStopping(patience=1, restore_best_weights=False), SCRIPTED)
    assert_same(model.get_weights(), weights[len(history.epoch) - 1], "weights")
    assert len(history.epoch) > 3


def test_improvements_below_min_delta_do_not_count() -> None:
    stopping = sw.EarlyStopping(patience=3, min_delta=0.5)
    fit_until(stopping, [2.0, 1.6, 1.4, 1.3, 1.2, 1.1])
    assert stopping.best_epoch == 2  # 1.6 is not 0.5 below 2.0, 1.4 is


@pytest.mark.parametrize(
    ("monitor", "mode", "best"),
    [
        *[("val_loss", "auto", 1), ("val_loss", "max", 2), ("val_accuracy", "auto", 2), ("val_accuracy", "min", 1)],
        *[("val_cosine_similarity", "auto", 2), ("val_top_k_categorical_accuracy", "auto", 2)],
        *[("val_perplexity", "auto", 1), ("val_mae", "auto", 1), ("val_auc", "max", 2), ("val_auc", "min", 1)],
    ],
)
def test_mode_says_what_is_better(monitor: str, mode: str, best: int) -> None:
    stopping = sw.EarlyStopping(monitor, mode=mode, patience=9)
    fit_until(stopping, [0.5, 0.1, 0.9], monitor.removeprefix("val_"))
    assert stopping.best_epoch == best


def test_of_a_log_of_ones_own_it_asks_what_is_better() -> None:
    model = tagger()
    stopping = sw.EarlyStopping("val_profit")
    with pytest.raises(ConfigurationError, match="unknown monitor 'val_profit': for a custom log write mode='min' or"):
        fit(model, validation_data=lambda: {"profit": 1.0}, callbacks=[stopping])
    assert model.epochs_done == 0  # nothing was trained


def test_every_metric_says_itself_what_is_better() -> None:
    """Of the one that is right everywhere against the one that is wrong everywhere."""
    right, wrong = np.eye(6, dtype=np.float32), np.roll(np.eye(6, dtype=np.float32), 3, axis=1)
    for name, metric in METRICS.items():
        y: Any = right.argmax(1) if metric.targets == ("classes",) else right
        least, most = (
            float(np.mean(metric.values(y, jnp.asarray(answer)))) for answer in (0.9 * right + 0.01, 0.9 * wrong + 0.01)
        )
        if least != most:
            assert better(name) == ("min" if least < most else "max"), name


def test_what_is_no_number_is_no_improvement(weights: list[list[Any]]) -> None:
    stopping = sw.EarlyStopping(patience=9)
    model, _ = fit_until(stopping, [3.0, 1.0, NAN, 2.0])
    assert stopping.best_epoch == 1
    assert_same(model.get_weights(), weights[1], "weights")


def test_one_early_stopping_serves_two_trainings() -> None:
    stopping = sw.EarlyStopping(patience=1)
    lengths = [len(fit_until(stopping, SCRIPTED)[1].epoch) for _ in range(2)]
    assert lengths[0] == lengths[1]
    assert stopping.best_epoch == 2


def test_an_unknown_monitor_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"monitor 'val_loss'.*accuracy, loss.*pass validation_data to fit"):
        fit(tagger(), state="carry", callbacks=[sw.EarlyStopping()])
    with pytest.raises(ConfigurationError, match="mode: expected 'auto', 'min' or 'max', got 'least'"):
        fit(tagger(), state="carry", callbacks=[sw.EarlyStopping("loss", mode="least")])


# ------------------------------------------------------------------------------------ ModelCheckpoint


def loaded_weights(path: Path) -> list[Any]:
    model = sw.load(path)
    return model.get_weights()


def test_a_checkpoint_an_epoch(tmp_path: Path, weights: list[list[Any]]) -> None:
    checkpoint = sw.ModelCheckpoint(tmp_path / "{epoch:02d}-{loss:.3f}-{val_loss}")
    _, history = fit_until(checkpoint, SCRIPTED[:3])
    names = [
        f"{epoch + 1:02d}-{loss:.3f}-{value}"
        for epoch, (loss, value) in enumerate(zip(history.history["loss"], SCRIPTED, strict=False))
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    for epoch, name in enumerate(names):
        assert_same(loaded_weights(tmp_path / name), weights[epoch], f"weights after epoch {epoch + 1}")


def test_only_the_best_checkpoint(tmp_path: Path, weights: list[list[Any]]) -> None:
    saved = sw.ModelCheckpoint(tmp_path / "best", save_best_only=True)
    fit_until(saved, SCRIPTED[:6])
    assert_same(loaded_weights(tmp_path / "best"), weights[2], "weights")
    each = sw.ModelCheckpoint(tmp_path / "at-{epoch}", save_best_only=True)
    fit_until(each, SCRIPTED)
    assert sorted(path.name for path in tmp_path.glob("at-*")) == ["at-1", "at-2", "at-3", "at-7", "at-8"]


def test_a_better_file_of_an_earlier_training_stays(tmp_path: Path) -> None:
    path = tmp_path / "best"
    fit_until(sw.ModelCheckpoint(path, save_best_only=True), [2.0, 1.0, 3.0])
    before = path.read_bytes()
    fit_until(sw.ModelCheckpoint(path, save_best_only=True), [4.0, 1.0, 2.0])
    assert path.read_bytes() == before
    fit_until(sw.ModelCheckpoint(path, save_best_only=True), [4.0, 0.5, 2.0])
    assert path.read_bytes() != before


def test_a_file_that_was_measured_otherwise_is_not_replaced(tmp_path: Path) -> None:
    """By another loss, or on other validation data: neither value says which model is better."""
    path = tmp_path / "best"

    def save_best(loss: str, x: Any) -> None:
        model = sw.Sequential([sw.LSTM(2, input_shape=(None, 2)), sw.Dense(1)], seed=1)
        model.compile("sgd", loss)
        best = sw.ModelCheckpoint(path, save_best_only=True)
        model.fit(X, X.sum((1, 2)), validation_data=(x, X.sum((1, 2))), callbacks=[best], verbose=0)

    save_best("mse", X)
    before = path.read_bytes()
    for loss, x in (("mae", X), ("mse", 0.5 * X)):
        with pytest.raises(FileError, match="measured with another loss or on other data"):
            save_best(loss, x)
    assert path.read_bytes() == before


def test_validation_of_ones_own_answers_with_numbers() -> None:
    with pytest.raises(ConfigurationError, match="expected the function to return a dict of logs"):
        fit(tagger(), validation_data=lambda: {"f1": "high"})


def test_a_file_that_does_not_say_how_good_it_is_is_not_replaced(tmp_path: Path) -> None:
    path, model = tmp_path / "best", tagger()
    fit(model)
    model.set_weights(model.get_weights())  # whose logs are not known
    model.save(path)
    before = path.read_bytes()
    with pytest.raises(FileError, match="does not say what its val_loss was"):
        fit_until(sw.ModelCheckpoint(path, save_best_only=True), SCRIPTED[:2])
    assert path.read_bytes() == before


def test_a_file_says_what_its_epoch_came_to(tmp_path: Path) -> None:
    """That of the best epoch, where early stopping went back to it; also after loading and saving."""
    model, history = fit_until(sw.EarlyStopping(patience=2), SCRIPTED)
    model.save(tmp_path / "model")
    sw.load(tmp_path / "model").save(tmp_path / "again")
    for name in ("model", "again"):
        logs = read_artifact(tmp_path / name).header["logs"]
        assert logs == {name: values[2] for name, values in history.history.items()}


def test_training_goes_on_from_a_checkpoint(tmp_path: Path, weights: list[list[Any]]) -> None:
    fit_until(sw.ModelCheckpoint(tmp_path / "{epoch}"), SCRIPTED[:4])
    model = sw.load(tmp_path / "4")
    assert isinstance(model, sw.Sequential)
    fit(model, epochs=2, state="carry")
    assert_same(model.get_weights(), weights[5], "weights")


def test_a_checkpoint_named_after_what_is_not_logged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"ModelCheckpoint path .*loss, accuracy.* 'val_loss'"):
        fit(tagger(), state="carry", callbacks=[sw.ModelCheckpoint(tmp_path / "{val_loss}")])


# ------------------------------------------------------------------------------------------ CSVLogger


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_csv_file_holds_the_history(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("what was there before\n")
    history = fit(tagger(), state="carry", callbacks=[sw.CSVLogger(path)], validation_data=(X, Y))
    header, *rows = rows_of(path)
    assert header == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert [int(row[0]) for row in rows] == history.epoch
    for column, name in enumerate(header[1:], start=1):
        assert [float(row[column]) for row in rows] == history.history[name]


def test_a_resumed_training_appends_to_its_csv_file(tmp_path: Path) -> None:
    path, model = tmp_path / "log.csv", tagger()
    first = fit(model, state="carry", epochs=2, callbacks=[sw.CSVLogger(path, append=True)])
    logger = sw.CSVLogger(path, append=True)
    second = fit(model, state="carry", epochs=3, callbacks=[logger])
    header, *rows = rows_of(path)
    assert header == ["epoch", "loss", "accuracy"]
    assert [int(row[0]) for row in rows] == [0, 1, 2, 3, 4]
    assert [float(row[1]) for row in rows] == first.history["loss"] + second.history["loss"]


def test_a_csv_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot write .*log\.csv"):
        fit(tagger(), state="carry", callbacks=[sw.CSVLogger(tmp_path / "no" / "log.csv")])


# ---------------------------------------------------------------------------------------- TensorBoard


def test_tensorboard_reads_the_history(tmp_path: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    tensors = pytest.importorskip("tensorboard.util.tensor_util")
    history = fit(tagger(), state="carry", callbacks=[sw.TensorBoard(tmp_path)])
    events = accumulators.EventAccumulator(str(tmp_path), size_guidance={"tensors": 0})
    events.Reload()
    assert sorted(events.Tags()["tensors"]) == ["accuracy", "loss"]
    for name, values in history.history.items():
        scalars = events.Tensors(name)
        assert [event.step for event in scalars] == history.epoch
        found = [float(tensors.make_ndarray(event.tensor_proto)) for event in scalars]
        assert_same(np.array(found, np.float32), np.array(values, np.float32), name)


# ------------------------------------------------------------------------------------------- contract


def test_the_order_of_calls() -> None:
    calls: list[Any] = []

    class Recorder(sw.Callback):
        def on_train_begin(self, model: Any, epochs: range, steps: int | None) -> None:
            calls.append(("begin", epochs, steps))

        def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> bool | None:
            calls.append(("epoch", epoch, sorted(logs)))
            return None

        def on_train_end(self, model: Any) -> None:
            calls.append(("end",))

    fit(tagger(), state="carry", initial_epoch=1, epochs=3, callbacks=[Recorder()])
    assert calls == [
        ("begin", range(1, 3), 3),
        ("epoch", 1, ["accuracy", "loss"]),
        ("epoch", 2, ["accuracy", "loss"]),
        ("end",),
    ]


def test_a_callback_sees_the_weights_of_its_epoch(weights: list[list[Any]]) -> None:
    model, seen = tagger(), []
    fit(model, epochs=4, state="carry", callbacks=[lambda *_: seen.append(model.get_weights())])
    assert_same(seen, weights[:4], "weights")
