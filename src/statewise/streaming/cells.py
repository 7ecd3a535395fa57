"""Cells of the recurrent layers, and the activations, in NumPy: what a step without JAX is made of.

Every cell lays its weights out once, at construction, so that a step is one product and a few passes over its result.
The equations are those of `kernels.lstm`, `kernels.gru` and `kernels.simple_rnn`, and the tests hold these to them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from statewise.errors import ShapeError, unknown_name
from statewise.foundation.shapes import Array
from statewise.kernels.states import GRUState, LayerState, LSTMState, RecurrentState, SimpleState
from statewise.state import map_parts

Transform = Callable[[Array], Array]
"""A layer without memory: `[n, F]` to `[n, N]`. It never changes its argument, but may answer it."""

# -- activations -----------------------------------------------------------------------------------------------------


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))  # at most 1, so that nothing overflows
    return np.where(x >= 0, 1, small) / (1 + small)


def _softmax(x: Array) -> Array:
    grown = np.exp(x - x.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _selu(x: Array) -> Array:
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


_erfc: Any = np.frompyfunc(math.erfc, 1, 1)  # NumPy has none


def _gelu(x: Array) -> Array:
    return 0.5 * x * _erfc(-x / math.sqrt(2)).astype(x.dtype)


ACTIVATIONS: dict[str, Transform] = {
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
"""The functions of `layers.activations`, by the same names."""


def activation_of(name: object) -> Transform:
    """Returns the function of that name, or raises ConfigurationError with the nearest."""
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise unknown_name("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]


def _gate_of(activation: str) -> tuple[Transform, float]:
    """Returns the gates' function, and by what to scale the weights of what it is applied to.

    sigmoid(z) = tanh(z / 2) / 2 + 1/2: the first half goes into the weights, where it costs nothing and is exact.
    """
    return (_sigmoid_of_twice, 0.5) if activation == "sigmoid" else (activation_of(activation), 1.0)


def _sigmoid_of_twice(x: Array) -> Array:
    return _to_gate(np.tanh(x))


def _to_gate(x: Array) -> Array:
    """Returns `x`, changed in place from the range of tanh to that of sigmoid."""
    x *= 0.5
    x += 0.5
    return x


# -- weights ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """One layer as it is described, and its weights, which are checked as they are taken."""

    name: str
    options: Mapping[str, Any]
    arrays: Mapping[str, Any]
    features: Any  # of what goes in; None where it is not known

    def take(self, weight: str, *shape: int) -> Array:
        """Returns a copy of the weight in float32, so that nothing done to the model's reaches the runtime."""
        if weight not in self.arrays:
            known = ", ".join(self.arrays) or "none"
            raise ShapeError(f"weights of {self.name!r}: expected {weight} {list(shape)}, got {known}")
        array = np.array(self.arrays[weight], np.float32)
        if array.shape != shape:
            raise ShapeError(f"weights of {self.name!r}: expected {weight} {list(shape)}, got {list(array.shape)}")
        return array

    def bias(self, *shape: int) -> Array:
        """Returns the bias, zeros where there is none."""
        return self.take("bias", *shape) if self.options.get("use_bias", True) else np.zeros(shape, np.float32)


# -- layers with memory ----------------------------------------------------------------------------------------------


class Cell(ABC):
    """A recurrent layer laid out for stepping: `cell(x [n, F], state)`; what it answers is the new state's h."""

    kind: type[RecurrentState]
    weights: Array  # of [x, h], a block of columns for each part of the product
    bias: Array
    apart: Array | None = None  # what r h of a GRU is multiplied by, where h U is not

    def __init__(self, entry: Entry) -> None:
        options = entry.options
        self.units = int(options["units"])
        self.activation = options.get("activation", "tanh")
        self._activation = activation_of(self.activation)
        self.learnt: LayerState = ()
        if options.get("learn_initial_state"):
            self.learnt = self.kind(*(entry.take(f"initial_{part}", self.units) for part in self.kind._fields))

    def fresh(self, n: int) -> Any:
        """Returns the state in which `n` sequences start."""
        zeros = self.kind(*(np.zeros(self.units, np.float32) for _ in self.kind._fields))
        return map_parts(lambda row: np.repeat(row[None], n, axis=0), self.learnt or zeros)

    @abstractmethod
    def __call__(self, x: Array, state: Any) -> Any:
        """Returns the state after one step on `x [n, F]`, in new arrays."""


class GatedCell(Cell):
    """A cell with gates, in the first blocks of its product."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.gate = entry.options.get("recurrent_activation", "sigmoid")
        self._gate, self._scale = _gate_of(self.gate)

    def _lay_out(self, weights: Array, bias: Array, gates: int) -> None:
        """Keeps what a step multiplies by and adds, the first `gates` blocks scaled as their function wants them."""
        self.weights, self.bias = weights, bias
        weights[:, : gates * self.units] *= self._scale
        bias[: gates * self.units] *= self._scale

    def _gates(self, z: Array, count: int) -> Array:
        """Returns the first `count` gates, each by itself: softmax goes over the units of one."""
        n, width = len(z), count * self.units
        return self._gate(z[:, :width].reshape(n, count, self.units)).reshape(n, width)


class LSTMCell(GatedCell):
    """An LSTM with its gates in the order i, f, o, g, so that those of one function lie side by side."""

    kind = LSTMState

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        H = self.units
        stacked = np.concatenate(
            [entry.take("kernel", entry.features, 4 * H), entry.take("recurrent_kernel", H, 4 * H)]
        )
        ifog = np.arange(4 * H).reshape(4, H)[[0, 1, 3, 2]].ravel()
        self._lay_out(np.ascontiguousarray(stacked[:, ifog]), entry.bias(4 * H)[ifog], gates=3)
        self._one_tanh = self._gate is _sigmoid_of_twice and self._activation is np.tanh

    def __call__(self, x: Array, state: Any) -> Any:  # noqa: D102 - described by its base
        H = self.units
        z = np.concatenate((x, state.h), axis=1).dot(self.weights)
        z += self.bias
        if self._one_tanh:
            gates = _to_gate(np.tanh(z, out=z)[:, : 3 * H])
            g = z[:, 3 * H :]
        else:
            gates, g = self._gates(z, 3), self._activation(z[:, 3 * H :])
        c = gates[:, H : 2 * H] * state.c
        c += gates[:, :H] * g
        return LSTMState(gates[:, 2 * H :] * self._activation(c), c)


class GRUCell(GatedCell):
    """A GRU. With `reset_after`, h Uh + dh is a fourth block of the product, apart from the input's x Wh + bh."""

    kind = GRUState

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        H, F = self.units, entry.features
        after = bool(entry.options.get("reset_after", True))
        W, U = entry.take("kernel", F, 3 * H), entry.take("recurrent_kernel", H, 3 * H)
        b, d = entry.bias(2, 3 * H) if after else (entry.bias(3 * H), np.zeros(3 * H, np.float32))
        U_h, blank, width = U[:, 2 * H :], np.zeros((F + H, H), np.float32), 4 * H if after else 3 * H
        weights = np.concatenate([np.concatenate([W, U]), blank], axis=1)
        weights[F:, 2 * H :] = np.concatenate([blank[F:], U_h], axis=1)
        bias = np.concatenate([b[: 2 * H] + d[: 2 * H], b[2 * H :], d[2 * H :]])
        self._lay_out(np.ascontiguousarray(weights[:, :width]), bias[:width], gates=2)
        self.apart = None if after else np.ascontiguousarray(U_h)

    def __call__(self, x: Array, state: Any) -> Any:  # noqa: D102 - described by its base
        H, h = self.units, state.h
        p = np.concatenate((x, h), axis=1).dot(self.weights)
        p += self.bias
        gates = self._gates(p, 2)
        z, r = gates[:, :H], gates[:, H:]
        memory = r * p[:, 3 * H :] if self.apart is None else (r * h).dot(self.apart)
        memory += p[:, 2 * H : 3 * H]
        g = self._activation(memory)
        return GRUState(g + z * (h - g))


class SimpleCell(Cell):
    """A SimpleRNN: no gates, one product."""

    kind = SimpleState

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        H = self.units
        self.weights = np.concatenate([entry.take("kernel", entry.features, H), entry.take("recurrent_kernel", H, H)])
        self.bias = entry.bias(H)

    def __call__(self, x: Array, state: Any) -> Any:  # noqa: D102 - described by its base
        z = np.concatenate((x, state.h), axis=1).dot(self.weights)
        z += self.bias
        return SimpleState(self._activation(z))
