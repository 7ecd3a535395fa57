"""One step of a layer as operations on vectors, so that engines depend only on operations, not on layers.

A layer writes its step as expressions, such as `c = f * state.c + i * apply("tanh", g)`. Each value records what it is
computed from; nothing is computed here. `streaming` turns the operations into NumPy and native steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import ConfigurationError, ShapeError, unknown_name
from statewise.foundation.shapes import Array
from statewise.foundation.words import known_name

FUNCTIONS = (
    *("elu", "exponential", "gelu", "hard_sigmoid", "hard_sigmoid_keras_2", "leaky_relu", "linear", "relu", "selu"),
    *("sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh"),
)
"""The activation functions, by their Keras 3 names.

`hard_sigmoid` was a different function in Theano, Keras 1 and Keras 2: that one is `hard_sigmoid_keras_2`.
"""


def settle_function(layer: object, option: str = "activation") -> None:
    """Replaces an option of a frozen layer by the canonical name of its activation function, ignoring case.

    Raises:
        ConfigurationError: there is no such function; the message suggests the nearest.
    """
    given = getattr(layer, option)
    name = known_name(given, FUNCTIONS)
    if name is None:
        raise unknown_name("activation", given, FUNCTIONS)
    object.__setattr__(layer, option, name)


def check_function(name: object) -> None:
    """Raises ConfigurationError, which suggests the nearest name, unless `name` is an activation function."""
    if name not in FUNCTIONS:
        raise unknown_name("activation", name, FUNCTIONS)


# -- values ----------------------------------------------------------------------------------------------------------


class Value:
    """An input of a step, or a value computed from `sources`. Immutable; compared by identity."""

    sources: tuple[Value, ...] = ()


class Vector(Value):
    """A vector of `size` numbers per sequence; None allows any size."""

    size: int | None

    def __add__(self, other: Vector) -> Vector:
        return Add(self, other)

    def __sub__(self, other: Vector) -> Vector:
        return Subtract(self, other)

    def __mul__(self, other: Vector) -> Vector:
        return Multiply(self, other)


class Input(Vector):
    """An input of a step: its x, or a part of its state."""

    def __init__(self, size: int | None) -> None:
        self.size = size


class Symbol(Vector):
    """A step's x if it is a symbol, checked to be in 0 .. count-1, so that it can index tables."""

    def __init__(self, count: int) -> None:
        self.count, self.size = count, 1


class Affine(Vector):
    """The concatenated inputs, times `weights [sum of their sizes, N]`, plus `bias [N]`."""

    size: int

    def __init__(self, inputs: Sequence[Vector], weights: Array, bias: Array) -> None:
        sizes = [vector.size or 0 for vector in inputs]
        if weights.shape != (sum(sizes), *bias.shape):
            raise ShapeError(
                f"Affine: expected weights [{sum(sizes)}, N] and bias [N], got {list(weights.shape)} and "
                f"{list(bias.shape)}"
            )
        self.sources = self.inputs = tuple(dict.fromkeys(part for vector in inputs for part in _parts(vector)))
        self.weights, self.bias, self.size = _by_input(self.inputs, inputs, weights), bias, len(bias)


class Apply(Vector):
    """An activation function, elementwise except for softmax."""

    def __init__(self, function: str, source: Vector) -> None:
        check_function(function)
        self.function, self.source, self.sources, self.size = function, source, (source,), source.size


class Normalize(Vector):
    """The source less its mean, divided by the square root of its variance plus `epsilon`."""

    def __init__(self, source: Vector, epsilon: float) -> None:
        self.source, self.epsilon, self.sources, self.size = source, epsilon, (source,), source.size


class Pairwise(Vector):
    """An elementwise operation on two vectors of the same size."""

    sources: tuple[Vector, Vector]

    def __init__(self, left: Vector, right: Vector) -> None:
        if left.size != right.size:
            kind = type(self).__name__
            raise ShapeError(f"{kind}: expected two vectors of the same size, got sizes {left.size} and {right.size}")
        self.left, self.right, self.sources, self.size = left, right, (left, right), left.size


class Add(Pairwise):
    """`left + right`."""


class Subtract(Pairwise):
    """`left - right`."""


class Multiply(Pairwise):
    """`left * right`."""


class Maximum(Pairwise):
    """The larger of `left` and `right`."""


class Minimum(Pairwise):
    """The smaller of `left` and `right`."""


class Kept(Pairwise):
    """A part of the state after the step: `left`, or if the step is skipped `right`, the part before it."""


class LookUp(Vector):
    """The row of `table [count, N]` for a symbol."""

    size: int

    def __init__(self, symbol: Symbol, table: Array) -> None:
        if len(table) != symbol.count:
            raise ShapeError(f"LookUp: expected a table [{symbol.count}, N], got {list(table.shape)}")
        self.symbol, self.table, self.sources, self.size = symbol, table, (symbol,), table.shape[1]


class Joined(Vector):
    """Vectors side by side."""

    def __init__(self, vectors: Sequence[Vector]) -> None:
        self.sources = self.vectors = tuple(part for vector in vectors for part in _parts(vector))
        self.size = sum(vector.size or 0 for vector in self.vectors)


class Slice(Vector):
    """`size` numbers of the source, from `start` on."""

    def __init__(self, source: Vector, start: int, size: int) -> None:
        if source.size is None or not 0 <= start <= start + size <= source.size:
            raise ShapeError(f"Slice: expected numbers of {source.size}, got {size} from {start} on")
        self.source, self.start, self.size, self.sources = source, start, size, (source,)


class Constant(Vector):
    """The same numbers `[N]` at every step."""

    size: int

    def __init__(self, numbers: Array) -> None:
        self.numbers, self.size = numbers, len(numbers)


class Differs(Value):
    """The condition that at least one number in `source` differs from `value`."""

    def __init__(self, source: Vector, value: float) -> None:
        self.source, self.value, self.sources = source, value, (source,)


class Where(Vector):
    """`source` where the condition holds, zeros elsewhere."""

    def __init__(self, condition: Differs, source: Vector) -> None:
        self.condition, self.source, self.sources, self.size = condition, source, (condition, source), source.size


def _parts(vector: Vector) -> tuple[Vector, ...]:
    """Returns what a vector is put together from, which may be itself alone."""
    return vector.vectors if isinstance(vector, Joined) else (vector,)


def _by_input(inputs: Sequence[Vector], given: Sequence[Vector], weights: Array) -> Array:
    """Returns the weights for `inputs`, each once, of those for `given`, which may be joined or occur again."""
    parts = [part for vector in given for part in _parts(vector)]
    if len(inputs) == len(parts):
        return weights
    blocks = np.split(weights, np.cumsum([part.size or 0 for part in parts])[:-1])
    sums = [sum(block for part, block in zip(parts, blocks, strict=True) if part is vector) for vector in inputs]
    return np.concatenate([np.asarray(block, np.float32) for block in sums])


# -- steps -----------------------------------------------------------------------------------------------------------


def apply(function: str, source: Vector) -> Vector:
    """Returns the activation of `source`, which is `source` itself if the function is linear."""
    return source if function == "linear" else Apply(function, source)


def affine_blocks(inputs: Sequence[Vector], weights: Array, bias: Array, blocks: int) -> tuple[Affine, ...]:
    """Returns one Affine for each of `blocks` blocks of columns of equal width."""
    parts = zip(np.split(weights, blocks, axis=1), np.split(bias, blocks), strict=True)
    return tuple(Affine(inputs, *part) for part in parts)


class Step(NamedTuple):
    """One step of a layer: its output, its state before and after, its gates, and whether it counts."""

    answer: Vector
    before: Any = ()  # a state of `kernels.states` whose parts are Inputs
    after: Any = ()  # the same kind of state, whose parts are Kept
    gates: Mapping[str, Vector] = MappingProxyType({})
    counts: Differs | None = None  # false for a skipped step; only set by a first layer that skips steps


class NetworkStep(NamedTuple):
    """One step of a network: the layers' steps, each reading the output of the one before it."""

    x: Input | Symbol
    answer: Vector
    before: Mapping[str, Any] = MappingProxyType({})  # by layer, for layers with a state
    after: Mapping[str, Any] = MappingProxyType({})
    counts: Differs | None = None

    @property
    def results(self) -> list[Value]:
        """The values to compute, the condition first."""
        counts: list[Value] = [] if self.counts is None else [self.counts]
        return [*counts, self.answer, *(part for state in self.after.values() for part in state)]


def in_order(results: Iterable[Value], sources: Callable[[Value], Iterable[Value]]) -> list[Value]:
    """Returns the results and everything they are computed from, each once and after its `sources`."""
    done: dict[Value, None] = {}
    todo = [(value, False) for value in results][::-1]
    while todo:
        value, ready = todo.pop()
        if ready:
            done.setdefault(value)
        elif value not in done:
            todo.append((value, True))
            todo += [(source, False) for source in sources(value) if source not in done][::-1]
    return list(done)


def unknown_operation(value: Value) -> ConfigurationError:
    """Returns the error for an operation that an engine does not know."""
    return ConfigurationError(f"unknown operation {type(value).__name__!r}: this engine does not support it")
