"""A network as arrays for the native step: a table of instructions, a block of weights, and a block of states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from statewise.foundation.shapes import Array
from statewise.operations import (
    Add,
    Apply,
    Constant,
    Differs,
    Input,
    Joined,
    Kept,
    LookUp,
    Maximum,
    Minimum,
    Multiply,
    NetworkStep,
    Normalize,
    Pairwise,
    Slice,
    Subtract,
    Symbol,
    Value,
    Vector,
    Where,
    unknown_operation,
)
from statewise.state import LayerStates, map_parts
from statewise.streaming import instructions as code
from statewise.streaming.fused_products import Product, plan, uses_of
from statewise.streaming.instructions import FUNCTIONS, SIMD_WIDTH, WIDTH, aligned, padded

LARGEST_TABLE = 2**20
"""How many numbers a table may have that is multiplied by weights beforehand."""

PAIRWISE: dict[type[Pairwise], int] = {
    **{Add: code.ADD, Multiply: code.MULTIPLY, Subtract: code.SUBTRACT},
    **{Maximum: code.MAXIMUM, Minimum: code.MINIMUM},
}


class Span(NamedTuple):
    """The position of a part of a layer's state within a row of states."""

    start: int
    units: int


class Program(NamedTuple):
    """A network, ready for `native/stream.h`."""

    instructions: Array  # int64 [instructions, WIDTH]
    weights: Array  # float32
    parts: dict[str, dict[str, Span]]  # of each layer's state
    row: Array  # float32: the initial state of a sequence
    workspace_size: int  # numbers that a step needs
    features: int
    answer: Span  # its position in the workspace

    def write(self, rows: Array, states: LayerStates) -> None:
        """Copies the states of n sequences into `rows [n, row]`."""
        for name, parts in self.parts.items():
            for field, (start, units) in parts.items():
                rows[:, start : start + units] = getattr(states[name], field)

    def read(self, rows: Array, like: LayerStates) -> LayerStates:
        """Returns a copy of `rows [n, row]` as states by layer, structured as `like`."""
        return {
            name: map_parts(
                lambda _, at: rows[:, at.start : at.start + at.units].copy(), like[name], tuple(parts.values())
            )
            for name, parts in self.parts.items()
        }


def assemble(step: NetworkStep, fresh: LayerStates) -> Program:
    """Returns the program of a network's step; `fresh` is the initial state of one sequence.

    Raises:
        ConfigurationError: the step has an operation that this engine does not know.
    """
    program = _Assembler(step).program()
    program.write(program.row[None], fresh)
    return program


class _Assembler:
    """Assigns each value a place in the workspace when it is first needed, and emits the instructions to compute it."""

    def __init__(self, step: NetworkStep) -> None:
        self._step, self._operations = step, plan(step)
        self._uses = uses_of(step, self._operations)
        sums = [operation for operation in self._operations if type(operation) is Add]
        self._parts_of_sums = {part for add in sums for part in add.sources if self._uses[part] == 1}
        self._places: dict[Value, int] = {step.x: 0}
        self._own: set[Value] = set()  # values with a place not shared, so their last user may overwrite it
        self._workspace = padded(_size(step.x))
        self._instructions: list[list[int]] = []
        self._weights: list[Array] = []
        self._count = self._row = 0
        self._memory: dict[Value, int] = {}  # where parts of states lie
        self._parts: dict[str, dict[str, Span]] = {}
        for name, state in step.before.items():
            self._parts[name] = {}
            for field, part in zip(state._fields, state, strict=True):
                self._memory[part], self._parts[name][field] = self._row, Span(self._row, _size(part))
                self._row += padded(_size(part))

    def program(self) -> Program:
        """Returns the whole program; states are written at its end."""
        for operation in self._operations:
            self._add(operation)
        answer = Span(self._place(self._step.answer), _size(self._step.answer))
        for name, state in self._step.after.items():
            for part, old in zip(state, self._step.before[name], strict=True):
                self._write(code.WRITE, self._memory[old], self._place(part), padded(_size(part)))
        weights = aligned(self._count)
        np.concatenate([*self._weights, np.zeros(0, np.float32)], out=weights)
        return Program(
            np.array(self._instructions, np.int64).reshape(-1, WIDTH),
            weights,
            self._parts,
            np.zeros(self._row, np.float32),
            self._workspace,
            _size(self._step.x),
            answer,
        )

    # -- places ------------------------------------------------------------------------------------------------------

    def _allocate(self, count: int) -> int:
        """Allocates space for `count` numbers, and returns its start."""
        start, self._workspace = self._workspace, self._workspace + padded(count)
        return start

    def _place(self, value: Value) -> int:
        """Returns the place of a value; a deferred value is computed first."""
        if value not in self._places:
            if isinstance(value, Pairwise):
                self._pairwise(value)
            elif isinstance(value, LookUp):
                self._look_up(value)
            else:
                self._put(value, self._allocate(_size(value)))
                self._read(value)
        return self._places[value]

    def _read(self, value: Value) -> None:
        self._write(code.READ, self._places[value], self._memory[value], padded(_size(value)))

    def _put(self, value: Value, place: int) -> None:
        self._places[value] = place
        self._own.add(value)

    def _target(self, value: Vector, *operands: Vector) -> int:
        """Assigns a value the place of an operand that is not used again, or a new one."""
        last = (operand for operand in operands if operand in self._own and self._uses[operand] == 1)
        operand = next(last, None)
        self._put(value, self._allocate(_size(value)) if operand is None else self._places[operand])
        return self._places[value]

    # -- operations --------------------------------------------------------------------------------------------------

    def _add(self, operation: Product | Value) -> None:
        if isinstance(operation, Product):
            return self._product(operation)
        if type(operation) not in ASSEMBLED:
            raise unknown_operation(operation)
        ASSEMBLED[type(operation)](self, operation)
        return None

    def _product(self, product: Product) -> None:
        blocks = [_padded_columns(np.concatenate([bias[None], weights])) for weights, bias in product.blocks()]
        bias, matrix = np.split(np.concatenate(blocks, axis=1), [1])
        target = at = self._allocate(bias.size)
        inputs = product.inputs
        if (found := self._table_of(product)) is not None:
            table, rows = found
            first = self._append_weights(bias + table.table @ matrix[rows])
            symbol = self._place(table.symbol)
            self._write(code.LOOK_UP, target, symbol, first, bias.size, len(table.table))
            matrix = np.delete(matrix, np.r_[rows], axis=0)
            inputs = tuple(vector for vector in inputs if vector is not table)
        else:
            self._write(code.BIAS, target, self._append_weights(bias), bias.size)
        if inputs:
            source, first = self._side_by_side(inputs), self._append_weights(_in_panels(matrix))
            self._write(code.ADD_PRODUCT, target, source, len(matrix), first, bias.size)
        for column in product.columns:
            self._put(column.value, at)
            at += padded(column.width)
        for run in product.runs():
            self._activate(self._places[run[0].value], run[0].function, len(run), run[0].width)

    def _table_of(self, product: Product) -> tuple[LookUp, slice] | None:
        """Returns an input that is looked up in a table, and its rows of the product's matrix.

        The table is multiplied by them once, so that a step looks up a row of the result; unless that would be large.
        """
        start = 0
        for vector in product.inputs:
            rows = slice(start, start := start + _size(vector))
            if isinstance(vector, LookUp):
                columns = sum(padded(column.width) for column in product.columns)
                if len(vector.table) * columns <= LARGEST_TABLE:
                    return vector, rows
        return None

    def _side_by_side(self, inputs: tuple[Vector, ...]) -> int:
        """Returns where the inputs lie side by side. Vectors are copied whole, over the padding before."""
        if len(inputs) == 1:
            return self._place(inputs[0])
        start = at = self._allocate(sum(_size(vector) for vector in inputs) + SIMD_WIDTH)
        for vector in inputs:
            if vector in self._memory and vector not in self._places:
                self._places[vector] = at
                self._read(vector)
            else:
                self._write(code.COPY, at, self._place(vector), padded(_size(vector)))
            at += _size(vector)
        return start

    def _apply(self, value: Apply) -> None:
        source = self._place(value.source)
        if (target := self._target(value, value.source)) != source:
            self._write(code.COPY, target, source, padded(_size(value)))
        self._activate(target, value.function, 1, _size(value))

    def _activate(self, start: int, function: str, blocks: int, units: int) -> None:
        if function != "linear":
            self._write(code.ACTIVATE, start, FUNCTIONS[function], blocks, units)

    def _multiply(self, value: Multiply) -> None:
        if not self._is_deferred(value):
            self._pairwise(value)

    def _is_deferred(self, value: Vector) -> TypeGuard[Multiply]:
        """Returns whether a product waits to be fused with the only sum that uses it."""
        return type(value) is Multiply and value in self._parts_of_sums and value not in self._places

    def _sum(self, value: Add) -> None:
        left, right = value.left, value.right
        if self._is_deferred(right) and not self._is_deferred(left):
            left, right = right, left
        if not self._is_deferred(left):
            return self._pairwise(value)
        parts = (left.left, left.right, right)
        places = [self._place(part) for part in parts]
        self._write(code.MULTIPLY_ADD, self._target(value, *parts), *places, padded(_size(value)))
        return None

    def _pairwise(self, value: Pairwise) -> None:
        left, right = self._place(value.left), self._place(value.right)
        target = self._target(value, value.left, value.right)
        self._write(PAIRWISE[type(value)], target, left, right, padded(_size(value)))

    def _look_up(self, value: LookUp) -> None:
        first, symbol = self._append_weights(_padded_columns(value.table)), self._place(value.symbol)
        self._write(code.LOOK_UP, self._target(value), symbol, first, padded(value.size), len(value.table))

    def _joined(self, value: Joined) -> None:
        # Not a place of its own: a part of a state may have its place in it.
        self._places[value] = self._side_by_side(value.vectors)

    def _slice(self, value: Slice) -> None:
        self._places[value] = self._place(value.source) + value.start
        self._allocate(SIMD_WIDTH)  # what reads whole vectors may read past the source

    def _constant(self, value: Constant) -> None:
        first = self._append_weights(_padded_columns(value.numbers[None]))
        self._put(value, self._allocate(value.size))
        self._write(code.BIAS, self._places[value], first, padded(value.size))

    def _normalize(self, value: Normalize) -> None:
        first = self._append_weights(np.array([value.epsilon], np.float32))
        source = self._place(value.source)
        self._write(code.NORMALIZE, self._target(value, value.source), source, _size(value), first)

    def _differs(self, value: Differs) -> None:
        first = self._append_weights(np.array([value.value], np.float32))
        self._places[value] = self._allocate(1)
        self._write(code.DIFFERS, self._places[value], self._place(value.source), _size(value.source), first)

    def _where(self, value: Where) -> None:
        self._choose(value, value.condition, value.source, self._allocate(_size(value)))  # new space holds zeros

    def _kept(self, value: Kept) -> None:
        if self._step.counts is None:
            self._places[value] = self._place(value.left)
        else:
            self._choose(value, self._step.counts, value.left, self._place(value.right))

    def _choose(self, value: Vector, condition: Differs, then: Vector, otherwise: int) -> None:
        held, source = self._place(condition), self._place(then)
        self._write(code.CHOOSE, self._target(value, then), held, source, otherwise, padded(_size(value)))

    def _input(self, value: Input) -> None:
        """Inputs, and rows of tables, are read when they are first needed: a product may have them in its own table."""

    # -- instructions and weights ------------------------------------------------------------------------------------

    def _write(self, *numbers: int) -> None:
        self._instructions.append([*numbers, *[0] * (WIDTH - len(numbers))])

    def _append_weights(self, weights: Array) -> int:
        """Appends weights, and returns where they begin."""
        start, self._count = self._count, self._count + weights.size
        self._weights.append(weights.ravel())
        return start


def _size(value: Value) -> int:
    assert isinstance(value, Vector)  # noqa: S101 - for the type checker: conditions have no size
    assert value.size is not None  # noqa: S101 - engines.py leaves unknown sizes to NumPy
    return value.size


def _in_panels(matrix: Array) -> Array:
    """Returns the numbers of a matrix panel by panel, each of them row by row."""
    starts = range(code.PANEL, matrix.shape[1], code.PANEL)
    return np.concatenate([panel.ravel() for panel in np.split(matrix, starts, axis=1)])


def _padded_columns(rows: Array) -> Array:
    return np.pad(rows, [(0, 0), (0, padded(rows.shape[1]) - rows.shape[1])])


ASSEMBLED: dict[type[Value], Callable[[Any, Any], None]] = {
    Add: _Assembler._sum,
    Apply: _Assembler._apply,
    Constant: _Assembler._constant,
    Differs: _Assembler._differs,
    Input: _Assembler._input,
    Joined: _Assembler._joined,
    Kept: _Assembler._kept,
    LookUp: _Assembler._input,
    Maximum: _Assembler._pairwise,
    Minimum: _Assembler._pairwise,
    Multiply: _Assembler._multiply,
    Normalize: _Assembler._normalize,
    Slice: _Assembler._slice,
    Subtract: _Assembler._pairwise,
    Symbol: _Assembler._input,
    Where: _Assembler._where,
}
