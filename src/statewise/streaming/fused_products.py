"""Operations prepared for engines: affine sums of the same inputs become one product, with their activations.

Nothing here depends on layers: any cell structured like an LSTM is computed as efficiently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from statewise.foundation.shapes import Array
from statewise.operations import Affine, Apply, Multiply, NetworkStep, Value, Vector, in_order

OF_TWICE = "sigmoid of twice"
"""The function `sigmoid(2 z) = tanh(z) / 2 + 1/2`, applied to sums with halved weights; halving is exact."""

FIRST = {OF_TWICE: 0, "tanh": 1}
"""Columns with these functions come first: one tanh serves both."""


class Column(NamedTuple):
    """A block of columns of a product, and the value computed from them by an activation function."""

    value: Vector
    function: str
    affine: Affine

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.affine.size


class Product(NamedTuple):
    """The concatenated inputs times one matrix, plus a bias, with an activation for each block of columns."""

    inputs: tuple[Vector, ...]
    columns: tuple[Column, ...]

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """Yields the weights `[sum of the inputs' sizes, width]` and the bias of each block."""
        rows, count = dict[Vector, slice](), 0
        for vector in self.inputs:
            rows[vector] = slice(count, count := count + (vector.size or 0))
        for _, function, affine in self.columns:
            weights, scale = np.zeros((count, affine.size), np.float32), 0.5 if function == OF_TWICE else 1
            parts = np.split(affine.weights, np.cumsum([vector.size or 0 for vector in affine.inputs])[:-1])
            for vector, part in zip(affine.inputs, parts, strict=True):
                weights[rows[vector]] += part
            yield weights * np.float32(scale), affine.bias * np.float32(scale)

    def runs(self) -> Iterator[list[Column]]:
        """Yields groups of adjacent columns with the same function and width."""
        run: list[Column] = []
        for column in self.columns:
            if run and (column.function, column.width) != (run[0].function, run[0].width):
                yield run
                run = []
            run.append(column)
        yield run


def plan(step: NetworkStep) -> list[Product | Value]:
    """Returns the operations to execute, each after those it depends on."""
    values = in_order(step.results, lambda value: value.sources)
    affines = [value for value in values if isinstance(value, Affine)]
    uses = Counter([*step.results, *(source for value in values for source in value.sources)])
    columns: dict[Value, Column] = {affine: Column(affine, "linear", affine) for affine in affines}
    for value in values:
        if isinstance(value, Apply) and isinstance(value.source, Affine) and uses[value.source] == 1:
            gate = value.function == "sigmoid" and _only_multiplies(value, values, step)
            function = OF_TWICE if gate else value.function
            columns[value.source] = Column(value, function, value.source)
    leaders, fused = _leaders(affines), {column.value for column in columns.values()}
    operations: dict[Product | Value, None] = {}
    products = {leader: _product([columns[a] for a in affines if leaders[a] is leader], leader) for leader in affines}
    for value in in_order(step.results, lambda value: leaders.get(value, value).sources):
        if isinstance(value, Affine):
            operations.setdefault(products[leaders[value]])
        elif value not in fused:
            operations.setdefault(value)
    return list(operations)


def _only_multiplies(value: Value, values: list[Value], step: NetworkStep) -> bool:
    """Returns whether a value is used only as a factor, which needs no more digits than 1 has.

    An output of a sigmoid needs them: `tanh(z) / 2 + 1/2` is 0 where the sigmoid is below 1e-8.
    """
    users = [user for user in values if value in user.sources]
    return value not in step.results and all(isinstance(user, Multiply) for user in users)


def _product(columns: list[Column], leader: Affine) -> Product:
    def place(column: Column) -> tuple[int, str, int]:
        return FIRST.get(column.function, len(FIRST)), column.function, column.width

    return Product(leader.inputs, tuple(sorted(columns, key=place)))


def _leaders(affines: list[Affine]) -> dict[Value, Affine]:
    """Returns for each sum the one whose product contains its columns: it reads the same inputs, or more.

    Weights of inputs that a sum does not read are zero. No sum joins a product that depends on it.
    """
    leaders: dict[Value, Affine] = {}
    for affine in sorted(affines, key=lambda affine: -len(affine.inputs)):
        fitting = (
            leader
            for leader in dict.fromkeys(leaders.values())
            if set(affine.inputs) <= set(leader.inputs)
            and affine not in in_order([leader], lambda value: leaders.get(value, value).sources)
        )
        leaders[affine] = next(fitting, affine)
    return leaders


def uses_of(step: NetworkStep, operations: list[Product | Value]) -> Counter[Value]:
    """Returns how often each value is used, by operations or as a result."""
    used = (operation.inputs if isinstance(operation, Product) else operation.sources for operation in operations)
    return Counter([*step.results, *(value for values in used for value in values)])
