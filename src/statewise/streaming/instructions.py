"""A network as numbers for the compiled step: a table of instructions, and one block each of weights and of state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from statewise.foundation.shapes import Array
from statewise.state import LayerStates, map_parts, parts_of
from statewise.streaming.cells import Cell, Entry, GRUCell, LSTMCell

LANES = 16
"""Numbers that a processor handles at once; every row of weights is filled up with zeros to a multiple of it."""

GROUP = 4
"""Sequences that advance together where there are so many."""

WIDTH = 10
"""Numbers of an instruction: its code, then what the methods of `_Assembler` list."""

DENSE, LSTM, GRU, SIMPLE, LOOK_UP, ACTIVATE, MASK = range(7)

LINEAR, TANH, SIGMOID_OF_TWICE, SIGMOID, RELU, SOFTMAX = range(6)
ELU, EXPONENTIAL, GELU, HARD_SIGMOID, HARD_SIGMOID_KERAS_2, LEAKY_RELU, SELU, SILU, SOFTPLUS, SOFTSIGN = range(6, 16)

FUNCTIONS = {
    "elu": ELU,
    "exponential": EXPONENTIAL,
    "gelu": GELU,
    "hard_sigmoid": HARD_SIGMOID,
    "hard_sigmoid_keras_2": HARD_SIGMOID_KERAS_2,
    "leaky_relu": LEAKY_RELU,
    "linear": LINEAR,
    "relu": RELU,
    "selu": SELU,
    "sigmoid": SIGMOID,
    "silu": SILU,
    "softmax": SOFTMAX,
    "softplus": SOFTPLUS,
    "softsign": SOFTSIGN,
    "swish": SILU,
    "tanh": TANH,
}
"""The number of each activation. `SIGMOID_OF_TWICE` is that of gates whose weights were halved."""

TABLE = 16
INSTRUCTIONS, COUNT, WEIGHTS, STORE, ROWS, ROW, WORKSPACE, ROOM = range(8)
X, FEATURES, Y, ANSWER, ANSWERS, SLOTS, N, DONE = range(8, TABLE)
"""The table that `machine.run` is given the address of: addresses of blocks, their sizes, where the answer lies.

`DONE` counts the steps that were carried out: whoever was interrupted can tell whether the last one was.
"""

NO_NUMBER, OUTSIDE = 1, 2
"""Why `machine.run` refuses: a number that is not within float32, or a slot outside the store."""


class Slice(NamedTuple):
    """Where a part of a layer's state lies in a row of the block of states."""

    start: int
    units: int


class Program(NamedTuple):
    """A network, ready for `machine.run`."""

    instructions: Array  # int64 [instructions, WIDTH]
    weights: Array  # float32
    parts: dict[str, dict[str, Slice]]  # of each layer's state
    row: Array  # float32: the state in which a sequence starts
    room: int  # of the workspace: how many numbers a step needs
    features: int
    answer: Slice  # where in the workspace it lies

    def write(self, rows: Array, states: LayerStates) -> None:
        """Writes what `states` hold of n sequences into `rows [n, row]`."""
        for name, parts in self.parts.items():
            for field, (start, units) in parts.items():
                rows[:, start : start + units] = getattr(states[name], field)

    def read(self, rows: Array, like: LayerStates) -> LayerStates:
        """Returns what `rows [n, row]` hold, copied, by layers as in `like`."""
        return {
            name: map_parts(
                lambda _, at: rows[:, at.start : at.start + at.units].copy(), like[name], tuple(parts.values())
            )
            for name, parts in self.parts.items()
        }


def assemble(
    entries: Sequence[Entry], cells: dict[str, Cell], fresh: LayerStates, features: int, skips: bool
) -> Program:
    """Returns the program of a network.

    Args:
        entries: its layers; of a TimeDistributed, the layer inside.
        cells: those of them that are recurrent.
        fresh: the state of one sequence that starts.
        features: F, or 1 for a symbol.
        skips: whether the first layer says which steps count.
    """
    assembler = _Assembler(features)
    for place, entry in enumerate(entries):
        assembler.add(entry, cells.get(entry.name), skips and place == 0)
    program = assembler.program()
    program.write(program.row[None], fresh)
    return program


def aligned(count: int) -> Array:
    """Returns float32 zeros that begin where a line of the processor's cache does: unaligned ones cost time."""
    block = np.zeros(count + LANES, np.float32)
    start = -block.ctypes.data // block.itemsize % LANES
    return block[start : start + count]


def _padded(count: int) -> int:
    return -(-count // LANES) * LANES


class _Assembler:
    """Writes instructions one after another, each reading from the workspace where the one before it wrote."""

    def __init__(self, features: int) -> None:
        self._features = features
        self._source, self._size, self._workspace = 0, features, _padded(features)
        self._instructions: list[list[int]] = []
        self._weights: list[Array] = []
        self._count, self._row = 0, 0
        self._parts: dict[str, dict[str, Slice]] = {}

    def add(self, entry: Entry, cell: Cell | None, skips: bool) -> None:
        """Adds a layer."""
        kind, options = entry.options["kind"], entry.options
        if cell is not None:
            self._recurrent(entry.name, cell)
        elif kind == "Dense":
            units = options["units"]
            kernel = entry.take("kernel", entry.features, units)
            weights = self._blocks([entry.bias(units)[None], kernel], units)
            self._emit(DENSE, units, weights, 0, FUNCTIONS[options.get("activation", "linear")])
        elif kind == "Embedding":
            vectors = entry.take("embeddings", options["input_dim"], options["output_dim"])
            self._emit(LOOK_UP, options["output_dim"], self._blocks([vectors], options["output_dim"]), 0, int(skips))
        elif kind == "Activation":
            self._in_place(ACTIVATE, FUNCTIONS[options["activation"]])
        elif kind == "Masking":
            value = np.array([[options.get("mask_value", 0.0)]], np.float32)
            self._in_place(MASK, int(skips), self._blocks([value], 1))

    def _recurrent(self, name: str, cell: Cell) -> None:
        H = cell.units
        blocks = [cell.bias[None], cell.weights]
        apart = -1 if cell.apart is None else self._blocks([cell.apart], H)
        weights, memory = self._blocks(blocks, H), self._row
        self._parts[name] = {}
        for field in parts_of(cell.fresh(1)):
            self._parts[name][field] = Slice(self._row, H)
            self._row += _padded(H)
        gate = getattr(cell, "gate", "linear")
        code = LSTM if isinstance(cell, LSTMCell) else GRU if isinstance(cell, GRUCell) else SIMPLE
        gate_code = SIGMOID_OF_TWICE if gate == "sigmoid" else FUNCTIONS[gate]
        self._emit(
            code,
            H,
            weights,
            memory,
            FUNCTIONS[cell.activation],
            gate_code,
            apart,
            room=4 * _padded(H) + _padded(cell.weights.shape[0]),
        )

    def _blocks(self, rows: list[Array], units: int) -> int:
        """Takes over weights, each block of `units` columns filled up, and returns where they begin."""
        stacked = np.concatenate(rows)
        split = stacked.reshape(len(stacked), -1, units)
        filled = np.zeros((*split.shape[:2], _padded(units)), np.float32)
        filled[..., :units] = split
        start, self._count = self._count, self._count + filled.size
        self._weights.append(filled.ravel())
        return start

    def _emit(self, code: int, units: int, *operands: int, room: int = 0) -> None:
        """Adds an instruction with an answer of its own, and room to work in beyond that."""
        target = self._workspace
        self._workspace += _padded(units) + room
        self._append(code, self._source, self._size, target, units, *operands)
        self._source, self._size = target, units

    def _in_place(self, code: int, option: int, weights: int = 0) -> None:
        self._append(code, self._source, self._size, self._source, self._size, weights, 0, option)

    def _append(self, *numbers: int) -> None:
        self._instructions.append([*numbers, *[0] * (WIDTH - len(numbers))])

    def program(self) -> Program:
        """Returns what was added."""
        weights = aligned(self._count)
        np.concatenate([*self._weights, np.zeros(0, np.float32)], out=weights)
        return Program(
            np.array(self._instructions, np.int64).reshape(-1, WIDTH),
            weights,
            self._parts,
            np.zeros(self._row, np.float32),
            self._workspace,
            self._features,
            Slice(self._source, self._size),
        )
