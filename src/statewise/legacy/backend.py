"""keras.backend: the few of its functions that scripts call and that mean something without a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Array
from statewise.legacy.errors import lacking
from statewise.legacy.names import forget_names
from statewise.legacy.optimizers import Rate
from statewise.legacy.spellings import note


def get_value(x: Any) -> Any:
    """Returns what a variable holds: a learning rate, or an array."""
    return float(x) if isinstance(x, Rate) else np.asarray(x)


eval = get_value  # noqa: A001 - Keras's name


def set_value(x: Any, value: Any) -> None:
    """Changes a variable: `K.set_value(model.optimizer.lr, 0.001)`."""
    if not isinstance(x, Rate):
        raise ConfigurationError(
            f"K.set_value: expected model.optimizer.lr, got {x!r}; weights: layer.set_weights(...)"
        )
    note("K.set_value(model.optimizer.lr, rate)", "model.learning_rate = rate")
    x.assign(float(value))


def clear_session() -> None:
    """Starts counting the names of layers again; there is no graph to forget."""
    forget_names()


def floatx() -> str:
    """Returns the type of all weights."""
    return "float32"


def set_floatx(value: str) -> None:
    """Raises ConfigurationError unless `value` is float32, the type of all weights."""
    if value != "float32":
        raise ConfigurationError(f"K.set_floatx: expected 'float32', the only one, got {value!r}")


def epsilon() -> float:
    """Returns how far probabilities are kept from 0 and 1."""
    return 1e-7


def backend() -> str:
    """Returns "tensorflow", whose behavior statewise follows."""
    return "tensorflow"


def image_dim_ordering() -> str:
    """Returns what Keras 1 called TensorFlow's order of an image's axes."""
    return "tf"


def image_data_format() -> str:
    """Returns what Keras 2 called TensorFlow's order of an image's axes."""
    return "channels_last"


def cast_to_floatx(x: Any) -> Array:
    """Returns `x` as an array float32."""
    return np.asarray(x, np.float32)


def set_session(session: Any) -> None:
    """Accepts a session, which has no effect."""
    note("K.set_session(...)", "leave it out: JAX finds the devices by itself")


def get_session() -> Any:
    """Returns None: there is no session."""
    note("K.get_session()", "leave it out: there is no graph")


def set_learning_phase(value: int) -> None:
    """Does nothing: dropout is for training alone, and `fit` trains."""
    note("K.set_learning_phase(...)", "leave it out: fit trains, predict does not")


def set_image_dim_ordering(order: str) -> None:
    """Does nothing: there are no images."""


set_image_data_format = set_image_dim_ordering


__all__ = [
    "backend",
    "cast_to_floatx",
    "clear_session",
    "epsilon",
    "eval",
    "floatx",
    "get_session",
    "get_value",
    "image_data_format",
    "image_dim_ordering",
    "set_floatx",
    "set_image_data_format",
    "set_image_dim_ordering",
    "set_learning_phase",
    "set_session",
    "set_value",
]

__getattr__ = lacking("keras.backend", __all__)
