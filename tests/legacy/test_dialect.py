"""Dialects: which Keras a script was written for, and how that one spoke."""

from __future__ import annotations

import pytest

from statewise.legacy.dialect import KERAS1, KERAS2, TF_KERAS, Dialect, current, read_dialect, use

KERAS = "from keras.layers import LSTM\n"

SCRIPTS = [
    (KERAS, KERAS2),
    ("import keras", KERAS2),
    ("import keras.layers.recurrent", KERAS2),
    (KERAS + "Embedding(input_dim=9, output_dim=4)", KERAS2),
    (KERAS + "KMeans(init='random')", KERAS2),
    (KERAS + "print(history.history['acc'])", KERAS2),
    (KERAS + "# nb_epoch=5", KERAS2),
    (KERAS + "model.fit(x, y, nb_epoch=5)", KERAS1),
    (KERAS + "LSTM(output_dim=4)", KERAS1),
    (KERAS + "keras.layers.Dense(3, init='uniform')", KERAS1),
    (KERAS + "LSTM(4, consume_less='mem')", KERAS1),
    (KERAS + "model.fit_generator(rows, samples_per_epoch=9)", KERAS1),
    ("from keras.objectives import mse", KERAS1),
    ("from keras.layers.core import TimeDistributedDense", KERAS1),
    (KERAS + "print(history.history['accuracy'])", TF_KERAS),
    (KERAS + "EarlyStopping(monitor='val_accuracy')", TF_KERAS),
    (KERAS + "compile(metrics=['accuracy'])", KERAS2),
    ("import tensorflow as tf\ntf.keras.layers.LSTM(3)", TF_KERAS),
    ("from tensorflow.keras.layers import LSTM", TF_KERAS),
    ("from tensorflow import keras", TF_KERAS),
    ("import tf_keras as keras", TF_KERAS),
    ("print('no Keras at all')", TF_KERAS),
]

NAMES = [
    ("accuracy", "accuracy", "acc", "accuracy"),
    ("accuracy", "acc", "acc", "acc"),
    ("binary_accuracy", "binary_accuracy", "binary_accuracy", "binary_accuracy"),
    ("categorical_accuracy", "accuracy", "acc", "accuracy"),
    ("mean_squared_error", "mse", "mean_squared_error", "mse"),
    ("mean_squared_error", "mean_squared_error", "mean_squared_error", "mean_squared_error"),
]

LOGS = {"loss": 0.69304, "acc": 0.5, "val_loss": -0.00021}
VALUES = " - loss: 0.6930 - acc: 0.5000 - val_loss: -2.1000e-04"
BAR = "[==============================]"


@pytest.mark.parametrize(("source", "dialect"), SCRIPTS, ids=[source for source, _ in SCRIPTS])
def test_a_script_is_told_by_its_words(source: str, dialect: Dialect) -> None:
    assert read_dialect(source) is dialect


@pytest.mark.parametrize(("metric", "spelled", "old", "new"), NAMES)
def test_metrics_are_named_as_that_version_did(metric: str, spelled: str, old: str, new: str) -> None:
    names = [dialect.log_name(metric, spelled) for dialect in (KERAS1, KERAS2, TF_KERAS)]
    assert names == [old, old, new]


@pytest.mark.parametrize(
    ("dialect", "seconds", "line"),
    [
        (KERAS1, 0.25, f"0s{VALUES}"),
        (KERAS2, 12.6, f" - 13s{VALUES}"),
        (TF_KERAS, 0.25, f"5/5 - 0s{VALUES} - 250ms/epoch - 50ms/step"),
        (TF_KERAS, 12.6, f"5/5 - 13s{VALUES} - 13s/epoch - 3s/step"),
        (TF_KERAS, 0.0005, f"5/5 - 0s{VALUES} - 500us/epoch - 100us/step"),
    ],
)
def test_the_line_of_an_epoch(dialect: Dialect, seconds: float, line: str) -> None:
    assert dialect.epoch_line(seconds, 5, LOGS) == line


@pytest.mark.parametrize(
    ("dialect", "line"),
    [
        (KERAS1, f"128/128 {BAR} - 1s{VALUES}"),
        (KERAS2, f"128/128 {BAR} - 1s 5ms/step{VALUES}"),
        (TF_KERAS, f"4/4 {BAR} - 1s 160ms/step{VALUES}"),
    ],
)
def test_the_bar_of_an_epoch(dialect: Dialect, line: str) -> None:
    assert dialect.bar_line(0.64, 4, 128, LOGS) == line


def test_a_dialect_is_in_use_inside_its_block_alone() -> None:
    assert current() is TF_KERAS
    with use(KERAS1):
        with use(KERAS2):
            assert current() is KERAS2
        assert current() is KERAS1
    assert current() is TF_KERAS
