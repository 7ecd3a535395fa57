"""The activation functions in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from statewise.foundation.shapes import Array


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))  # <= 1, so nothing overflows
    return np.where(x >= 0, 1, small) / (1 + small)


def _softmax(x: Array) -> Array:
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _selu(x: Array) -> Array:
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


_erfc: Any = np.frompyfunc(math.erfc, 1, 1)  # NumPy has none


def _gelu(x: Array) -> Array:
    return 0.5 * x * _erfc(-x / math.sqrt(2)).astype(x.dtype)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "elu": _elu,
    "exponential": np.exp,
    "gelu": _gelu,
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_sigmoid_keras_2": lambda x: np.clip(np.float32(0.2) * x + np.float32(0.5), 0, 1),
    "leaky_relu": lambda x: np.where(x >= 0, x, np.float32(0.2) * x),
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "selu": _selu,
    "sigmoid": _sigmoid,
    "silu": lambda x: x * _sigmoid(x),
    "softmax": _softmax,
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "swish": lambda x: x * _sigmoid(x),
    "tanh": np.tanh,
}
"""The functions by their names in `operations`. None modifies its argument; `linear` returns it."""
