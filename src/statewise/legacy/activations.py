"""keras.activations: functions by name; a layer takes the name or the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from statewise.foundation.shapes import Array
from statewise.legacy.errors import lacking, unsupported
from statewise.legacy.spellings import note
from statewise.streaming.numpy_activations import ACTIVATIONS

KERAS_2 = {"hard_sigmoid": "hard_sigmoid_keras_2"}
"""Names that meant something else in Keras 1 and 2 than they do since."""


def name_of(activation: object) -> str:
    """Returns statewise's name of an activation given by Keras's name, by its function, or by nothing.

    >>> name_of("hard_sigmoid"), name_of(None)
    ('hard_sigmoid_keras_2', 'linear')

    Raises:
        UnsupportedError: a custom function.
    """
    if activation is None:
        return "linear"
    if callable(activation):
        name = getattr(activation, "__name__", "")
        if globals().get(name) is not activation:
            raise unsupported("a custom activation", "write the name of one, such as 'tanh' or 'relu'")
        activation = name
    if activation in KERAS_2:
        note(f"activation {activation!r}", f"{KERAS_2[activation]!r}, since Keras 3's {activation!r} is different")
    return KERAS_2.get(activation, activation)  # type: ignore[call-overload]  # the core checks it


def _function(name: str) -> Callable[[Any], Array]:
    def activation(x: Any) -> Array:
        return ACTIVATIONS[KERAS_2.get(name, name)](np.asarray(x, np.float32))

    activation.__name__ = name
    activation.__doc__ = f"Returns `{name}` of each number, or of each row, of `x`."
    return activation


elu, relu, selu, tanh = _function("elu"), _function("relu"), _function("selu"), _function("tanh")
linear, sigmoid, hard_sigmoid = _function("linear"), _function("sigmoid"), _function("hard_sigmoid")
softmax, softplus, softsign = _function("softmax"), _function("softplus"), _function("softsign")
exponential, swish, gelu = _function("exponential"), _function("swish"), _function("gelu")


def get(identifier: object) -> Callable[[Any], Array]:
    """Returns the function of that name."""
    return identifier if callable(identifier) else _function(str(identifier or "linear"))


__all__ = [
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "linear",
    "relu",
    "selu",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
]

__getattr__ = lacking("keras.activations", __all__)
