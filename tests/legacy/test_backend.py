"""keras.backend and tensorflow: what scripts begin with, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import statewise.legacy as keras
from statewise.errors import ConfigurationError, StatewiseError
from statewise.legacy import backend as K  # noqa: N812 - as every script calls it
from statewise.legacy import tensorflow as tf
from statewise.legacy.layers import LSTM
from statewise.legacy.optimizers import Adam


def test_what_the_backend_says_of_itself() -> None:
    assert (K.backend(), K.floatx(), K.epsilon()) == ("tensorflow", "float32", 1e-7)
    assert (K.image_dim_ordering(), K.image_data_format()) == ("tf", "channels_last")
    assert K.cast_to_floatx([1, 2]).dtype == np.float32
    K.set_floatx("float32")


def test_variables_are_read_and_set() -> None:
    optimizer = Adam(lr=0.1)
    K.set_value(optimizer.lr, np.float32(0.5))
    assert (K.get_value(optimizer.lr), type(K.get_value(optimizer.lr))) == (0.5, float)
    np.testing.assert_array_equal(K.get_value([1.0, 2.0]), [1, 2])


def test_sessions_and_settings_are_taken_and_do_nothing() -> None:
    config = tf.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    K.set_session(tf.Session(config=config))
    for device in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(device, True)
    tf.logging.set_verbosity(tf.logging.ERROR)
    tf.get_logger().setLevel("ERROR")
    tf.reset_default_graph()
    K.clear_session()
    assert tf.executing_eagerly()
    assert tf.config.list_physical_devices()
    assert tf.test.is_gpu_available() == bool(tf.config.list_physical_devices("GPU"))


def test_tensorflow_leads_to_keras() -> None:
    assert tf.keras is keras
    assert tf.keras.layers.LSTM is LSTM
    assert tf.compat.v1.keras.backend is K
    assert tf.keras.backend.tensorflow_backend is K
    assert tf.__version__.startswith("2.")
    assert keras.__version__.startswith("2.")


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "float64": (lambda: K.set_floatx("float64"), ConfigurationError, "expected 'float32', the only one"),
    "set_value": (lambda: K.set_value(np.zeros(3), 0), ConfigurationError, r"model.optimizer.lr.*layer.set_weights"),
    "placeholder": (lambda: K.placeholder, AttributeError, "there are no graphs and no sessions"),
    "mean": (lambda: K.sqaure, AttributeError, "keras.backend has no sqaure"),
    "tape": (lambda: tf.GradientTape, AttributeError, "fit differentiates the loss by itself"),
    "tf": (lambda: tf.random_seed, AttributeError, "tensorflow has no random_seed; did you mean"),
    "keras": (lambda: keras.datasets, AttributeError, "statewise includes no data sets"),
    "Sequentail": (lambda: keras.Sequentail, AttributeError, "keras has no Sequentail; did you mean Sequential"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_there_is_not(name: str) -> None:
    call, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message) as caught:
        call()
    assert isinstance(caught.value, StatewiseError)
