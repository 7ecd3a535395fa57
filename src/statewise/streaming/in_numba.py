"""States of streams that advance in the compiled step: of one, and of many in numbered slots.

The step changes a state where it lies, all at once from Python's point of view: Ctrl-C comes before it or after it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from statewise.shapes import Array
from statewise.state import LayerStates
from statewise.streaming import instructions as at
from statewise.streaming.engines import compiled_step
from statewise.streaming.runtime import Runtime
from statewise.streaming.steps import read_step

SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
REAL = frozenset({float, np.float32, np.float64})
WHOLE = frozenset({int, np.int32, np.int64})
EXACT = 2**53
"""Up to here float64, in which steps are handed over, has every whole number."""


class _Machine:
    """A block of states `[slots, row]`, and the table that tells the compiled step where everything lies."""

    def __init__(self, runtime: Runtime) -> None:
        assert runtime.program is not None  # noqa: S101 - for the type checker: the engine is Numba's
        self._runtime, self._program = runtime, runtime.program
        self._run = compiled_step()
        self._fresh = runtime.fresh(1)
        self._workspace = at.aligned(at.GROUP * self._program.room)
        self._table = np.zeros(at.TABLE, np.int64)
        self._handle: int = self._table.ctypes.data
        self._place(_block(1, self._program.row))
        for field, array in (
            (at.INSTRUCTIONS, self._program.instructions),
            (at.WEIGHTS, self._program.weights),
            (at.WORKSPACE, self._workspace),
        ):
            self._table[field] = array.ctypes.data
        self._table[at.ROOM] = self._program.room
        self._table[at.COUNT] = len(self._program.instructions)
        self._table[at.FEATURES] = self._program.features
        self._table[at.ANSWER], self._table[at.ANSWERS] = self._program.answer

    def _place(self, store: Array) -> None:
        self._store = store
        self._table[at.STORE], self._table[at.ROW] = store.ctypes.data, self._program.row.size


def _block(rows: int, content: Array) -> Array:
    """Returns aligned rows that hold `content`, one row for all or the first ones."""
    size = content.shape[-1]
    block = at.aligned(rows * size).reshape(rows, size)
    block[: len(content) if content.ndim == 2 else rows] = content
    return block


class CompiledOne(_Machine):
    """The state of one stream, with one buffer each for a step and for its answer."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        F = self._program.features
        self._x, self._y = np.zeros(F), np.zeros(self._program.answer.units, np.float32)
        self._slots = np.zeros(1, np.int64)
        for field, array in ((at.X, self._x), (at.Y, self._y), (at.SLOTS, self._slots)):
            self._table[field] = array.ctypes.data
        self._table[at.N] = 1
        self._fill, self._buffer = struct.Struct(f"{F}d").pack_into, memoryview(self._x.data)
        reads_symbols, reads_numbers = runtime.symbols is not None, runtime.symbols is None and F == 1
        self._reals = REAL if reads_numbers else frozenset()
        self._wholes = WHOLE if reads_symbols or reads_numbers else frozenset()
        self._least, self._beyond = (0, runtime.symbols or 0) if reads_symbols else (-EXACT, EXACT)
        self._shape = None if reads_symbols else (F,)

    def push(self, x: Any) -> Array:
        """Returns the answer `[V]` to one more step, checked here; what fails changes nothing.

        What is written in the usual ways is taken over as it is, all else by `read_step`, which also tells what is
        wrong. The compiled step itself looks for NaN, infinity and what is beyond float32.
        """
        kind = type(x)
        if kind is np.ndarray and x.shape == self._shape and (x.dtype is SINGLE or x.dtype is DOUBLE):
            self._x[...] = x  # quicker than [:]
        elif kind in self._reals:
            self._x[0] = x
        elif not self._take(x):
            self._x[...] = read_step(self._runtime, x)[0]
        if self._run(self._handle):
            read_step(self._runtime, x)
        return self._y.copy()

    def _take(self, x: Any) -> bool:
        """Returns whether x was a list of numbers, or a whole number, plain enough to be taken over."""
        if type(x) in self._wholes and self._least <= x < self._beyond:
            self._x[0] = x
            return True
        if type(x) is not list or self._shape is None or not REAL.issuperset(map(type, x)):
            return False
        try:
            self._fill(self._buffer, 0, *x)
        except struct.error:  # another number of features
            return False
        return True

    def read(self) -> LayerStates:
        """Returns the state, one row, copied."""
        return self._program.read(self._store, self._fresh)

    def write(self, states: LayerStates) -> None:
        """Goes on from a state of one row."""
        self._program.write(self._store, states)


class CompiledMany(_Machine):
    """States in slots, and room for more."""

    def begin(self, slots: Array, x: Array) -> Callable[[Array], Array]:
        """Returns what ends a step of x `[n, F]` on the states in `slots`, fresh ones for -1.

        All that may fail is done here, and changes nothing. The end is given the slots to write to, and returns the
        answers `[n, V]`.
        """
        new, steps = slots < 0, np.ascontiguousarray(x, np.float64)
        y = np.empty((len(x), self._program.answer.units), np.float32)

        def end(slots: Array) -> Array:
            if new.any():
                self._store[slots[new]] = self._program.row
            for field, array in ((at.X, steps), (at.Y, y), (at.SLOTS, slots)):
                self._table[field] = array.ctypes.data
            self._table[at.N] = len(y)
            self._run(self._handle)
            return y

        return end

    def read(self, slots: Array) -> LayerStates:
        """Returns the states in `slots`, copied."""
        return self._program.read(self._store[slots], self._fresh)

    def write(self, slots: Array, states: LayerStates) -> None:
        """Puts states into `slots`."""
        rows = np.zeros((len(slots), self._program.row.size), np.float32)
        self._program.write(rows, states)
        self._store[slots] = rows

    def grow(self) -> None:
        """Makes twice the room."""
        self._place(_block(2 * len(self._store), self._store))
