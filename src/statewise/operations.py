"""What one step of a layer computes, as operations on vectors: engines know operations, and no layers.

A layer writes its step as expressions, `c = f * state.c + i * apply("tanh", g)`. Each part of one is a value that knows
what it is computed from; nothing is computed here. `streaming` makes steps in NumPy and compiled ones of that.
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
"""The activation functions, by Keras 3's names.

`hard_sigmoid` was another function in Keras 1 and 2, and in Theano before: that one is `hard_sigmoid_keras_2`.
"""


def settle_function(layer: object, option: str = "activation") -> None:
    """Gives an option of a frozen layer the name that its activation function has here, in whatever case it came.

    Raises:
        ConfigurationError: there is no such function; the message has the nearest.
    """
    given = getattr(layer, option)
    name = known_name(given, FUNCTIONS)
    if name is None:
        raise unknown_name("activation", given, FUNCTIONS)
    object.__setattr__(layer, option, name)


def check_function(name: object) -> None:
    """Raises ConfigurationError, naming the nearest, unless `name` is an activation function."""
    if name not in FUNCTIONS:
        raise unknown_name("activation", name, FUNCTIONS)


# -- values ----------------------------------------------------------------------------------------------------------


class Value:
    """Anything that a step is given or computes, from `sources`. Nothing changes it; it equals itself only."""

    sources: tuple[Value, ...] = ()


class Vector(Value):
    """`size` numbers of each sequence; None where any number of them fits."""

    size: int | None

    def __add__(self, other: Vector) -> Vector:
        return Add(self, other)

    def __sub__(self, other: Vector) -> Vector:
        return Subtract(self, other)

    def __mul__(self, other: Vector) -> Vector:
        return Multiply(self, other)


class Input(Vector):
    """Numbers that a step is given: its x, or a part of its state."""

    def __init__(self, size: int | None) -> None:
        self.size = size


class Symbol(Vector):
    """A step's x where that is a symbol, 0 .. count-1, checked: tables may be read at it."""

    def __init__(self, count: int) -> None:
        self.count, self.size = count, 1


class Affine(Vector):
    """The inputs side by side, times `weights [sum of their sizes, N]`, plus `bias [N]`."""

    size: int

    def __init__(self, inputs: Sequence[Vector], weights: Array, bias: Array) -> None:
        sizes = [vector.size or 0 for vector in inputs]
        if weights.shape != (sum(sizes), *bias.shape):
            raise ShapeError(
                f"Affine: expected weights [{sum(sizes)}, N] and bias [N], got {list(weights.shape)} and "
                f"{list(bias.shape)}"
            )
        self.sources = self.inputs = tuple(inputs)
        self.weights, self.bias, self.size = weights, bias, len(bias)


class Apply(Vector):
    """An activation function of each number; softmax is one of all of them."""

    def __init__(self, function: str, source: Vector) -> None:
        check_function(function)
        self.function, self.source, self.sources, self.size = function, source, (source,), source.size


class Pairwise(Vector):
    """An operation on two vectors of one size, number by number."""

    sources: tuple[Vector, Vector]

    def __init__(self, left: Vector, right: Vector) -> None:
        if left.size != right.size:
            kind = type(self).__name__
            raise ShapeError(f"{kind}: expected two vectors of one size, got sizes {left.size} and {right.size}")
        self.left, self.right, self.sources, self.size = left, right, (left, right), left.size


class Add(Pairwise):
    """`left + right`."""


class Subtract(Pairwise):
    """`left - right`."""


class Multiply(Pairwise):
    """`left * right`."""


class Kept(Pairwise):
    """A part of the state after the step: `left`, or `right`, the part before it, where the step is to be skipped."""


class LookUp(Vector):
    """A symbol's row of `table [count, N]`."""

    size: int

    def __init__(self, symbol: Symbol, table: Array) -> None:
        if len(table) != symbol.count:
            raise ShapeError(f"LookUp: expected a table [{symbol.count}, N], got {list(table.shape)}")
        self.symbol, self.table, self.sources, self.size = symbol, table, (symbol,), table.shape[1]


class Differs(Value):
    """The condition that at least one number of `source` is not `value`."""

    def __init__(self, source: Vector, value: float) -> None:
        self.source, self.value, self.sources = source, value, (source,)


class Where(Vector):
    """`source` where the condition holds, zeros elsewhere."""

    def __init__(self, condition: Differs, source: Vector) -> None:
        self.condition, self.source, self.sources, self.size = condition, source, (condition, source), source.size


# -- what steps are written with --------------------------------------------------------------------------------------


def apply(function: str, source: Vector) -> Vector:
    """Returns the function of `source`, which is itself where that is linear."""
    return source if function == "linear" else Apply(function, source)


def affine_blocks(inputs: Sequence[Vector], weights: Array, bias: Array, blocks: int) -> tuple[Affine, ...]:
    """Returns an Affine for each of so many blocks of columns of equal width."""
    parts = zip(np.split(weights, blocks, axis=1), np.split(bias, blocks), strict=True)
    return tuple(Affine(inputs, *part) for part in parts)


class Step(NamedTuple):
    """One step of a layer: what it answers, its state before and after, and what else is to be known of it."""

    answer: Vector
    before: Any = ()  # a state as `kernels.states` has it, its parts Inputs
    after: Any = ()  # of the same kind, its parts Kept
    gates: Mapping[str, Vector] = MappingProxyType({})
    counts: Differs | None = None  # whether the step is none to skip, if this layer, the network's first, says so


class NetworkStep(NamedTuple):
    """One step of a network: the layers' steps, each reading what the one before it answers."""

    x: Input | Symbol
    answer: Vector
    before: Mapping[str, Any] = MappingProxyType({})  # by the layer's name, of those that have a state
    after: Mapping[str, Any] = MappingProxyType({})
    counts: Differs | None = None

    @property
    def results(self) -> list[Value]:
        """What is to be computed, the condition first."""
        counts: list[Value] = [] if self.counts is None else [self.counts]
        return [*counts, self.answer, *(part for state in self.after.values() for part in state)]


def in_order(results: Iterable[Value], sources: Callable[[Value], Iterable[Value]]) -> list[Value]:
    """Returns the results and all that they are computed from, each once, after its `sources`."""
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
    """Returns the error of an engine that does not know an operation."""
    return ConfigurationError(f"unknown operation {type(value).__name__!r}: this engine cannot carry it out")
