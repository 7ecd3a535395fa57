"""States of streams run by the native step: one state, or many in numbered slots.

The step updates states in place, atomically as seen from Python: Ctrl-C arrives before it or after it. It also counts
steps, so that after an interruption it is known whether the last one was executed.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any, NamedTuple

import numpy as np

from statewise.foundation.shapes import Array
from statewise.native.library import generate, stream_step
from statewise.state import LayerStates
from statewise.streaming import instructions as at
from statewise.streaming.assembler import Program
from statewise.streaming.runtime import Runtime
from statewise.streaming.step_input import read_step

SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
REAL = frozenset({float, np.float32, np.float64})
INTEGER = frozenset({int, np.int32, np.int64})
EXACT = 2**53
"""float64, in which steps are passed, represents every integer up to this one."""


def _program_of(runtime: Runtime) -> Program:
    assert runtime.program is not None  # noqa: S101 - for the type checker: the engine is the native one
    return runtime.program


class _Call:
    """A call of the native step on a block of states: a table of addresses, and a workspace."""

    def __init__(self, runtime: Runtime, store: Array) -> None:
        self._runtime, self._program = runtime, _program_of(runtime)
        self._run = stream_step()
        self._kept = {at.STORE: store, at.WORKSPACE: at.aligned(at.GROUP * self._program.workspace_size)}
        self._kept |= {at.INSTRUCTIONS: self._program.instructions, at.WEIGHTS: self._program.weights}
        table = np.zeros(at.TABLE, np.int64)
        self._handle = ctypes.c_long(table.ctypes.data)
        self._table = memoryview(table.data)  # faster than the array
        for field, array in self._kept.items():
            self._table[field] = array.ctypes.data
        self._table[at.ROWS], self._table[at.ROW_SIZE] = store.shape
        self._table[at.WORKSPACE_SIZE] = self._program.workspace_size
        self._table[at.COUNT] = len(self._program.instructions)
        self._table[at.FEATURES] = self._program.features
        self._table[at.ANSWER], self._table[at.ANSWER_SIZE] = self._program.answer
        self._before = 0

    def _set_arrays(self, **arrays: Array) -> None:
        """Enters the addresses of arrays into the table, and keeps the arrays alive until they are replaced."""
        for name, array in arrays.items():
            field = getattr(at, name)
            self._kept[field] = array
            self._table[field] = array.ctypes.data

    def done(self) -> bool:
        """Returns whether the step was executed."""
        return self._table[at.DONE] != self._before

    def finish(self) -> None:
        """Does nothing: the step is already complete."""

    def _execute(self) -> bool:
        """Returns whether the step was executed; if not, its numbers are outside the range of float32."""
        if reason := self._run(self._handle):
            if reason == at.BAD_SLOT:
                raise IndexError("the native step was given a slot outside the store")
            if reason != at.BAD_INPUT:
                raise NotImplementedError(f"unknown {'function' if reason == at.UNKNOWN_FUNCTION else 'instruction'}")
            return False
        return True


class SingleCall(_Call):
    """A call for one sequence, with a buffer for the step and one for its answer."""

    def __init__(self, runtime: Runtime, store: Array) -> None:
        super().__init__(runtime, store)
        F = self._program.features
        self._x, self._y = np.zeros(F), np.zeros(self._program.answer.units, np.float32)
        slots = np.zeros(1, np.int64)
        self._slots = memoryview(slots.data)
        self._set_arrays(X=self._x, Y=self._y, SLOTS=slots)
        self._table[at.N] = 1
        self._fill, self._buffer = struct.Struct(f"{F}d").pack_into, memoryview(self._x.data)
        reads_symbols, reads_numbers = runtime.symbols is not None, runtime.symbols is None and F == 1
        self._reals = REAL if reads_numbers else frozenset()
        self._integers = INTEGER if reads_symbols or reads_numbers else frozenset()
        self._lowest, self._limit = (0, runtime.symbols or 0) if reads_symbols else (-EXACT, EXACT)
        self._shape = None if reads_symbols else (F,)
        self._given: tuple[Any, Any] = (None, None)

    @property
    def steps(self) -> int:
        """The number of executed steps."""
        return self._table[at.DONE]

    @steps.setter
    def steps(self, steps: int) -> None:
        self._table[at.DONE] = steps

    def push(self, x: Any, key: object = None) -> Array:
        """Checks one more step, and returns the answer `[V]`; a failure changes nothing.

        Common kinds of input are copied directly, all others go through `read_step`, which also raises the errors. The
        native step itself checks for NaN, infinity and numbers outside float32.
        """
        kind = type(x)  # `_take` and `_execute` inlined, which makes a push 10% faster
        if kind is np.ndarray and x.shape == self._shape and (x.dtype is SINGLE or x.dtype is DOUBLE):
            self._x[...] = x
        else:
            self._take(x, key)
        if self._run(self._handle) and not self._execute():
            read_step(self._runtime, x, key)
        return self._y.copy()

    def generate(self, *arguments: int) -> None:
        """Continues the sequence by symbols; `arguments` as of `statewise_generate` in native/library.cpp."""
        generate(self._handle.value, *arguments)

    def prepare(self, slot: int, x: Any, key: object) -> SingleCall:
        """Returns the call, prepared for the state in `slot`."""
        self._take(x, key)
        self._slots[0], self._given, self._before = slot, (x, key), self._table[at.DONE]
        return self

    def run(self) -> Array:
        """Executes the prepared call, and returns the answer `[V]`."""
        if not self._execute():
            read_step(self._runtime, *self._given)
        return self._y.copy()

    def _take(self, x: Any, key: object) -> None:
        kind = type(x)
        if kind is np.ndarray and x.shape == self._shape and (x.dtype is SINGLE or x.dtype is DOUBLE):
            self._x[...] = x  # faster than [:]
        elif kind in self._reals:
            self._x[0] = x
        elif not self._take_plain(x):
            self._x[...] = read_step(self._runtime, x, key)[0]

    def _take_plain(self, x: Any) -> bool:
        """Copies x if it is an integer or a list of plain floats, and returns whether it is."""
        if type(x) in self._integers and self._lowest <= x < self._limit:
            self._x[0] = x
            return True
        if type(x) is not list or self._shape is None or not REAL.issuperset(map(type, x)):
            return False
        try:
            self._fill(self._buffer, 0, *x)
        except struct.error:  # another number of features
            return False
        return True


class BatchCall(_Call):
    """A call for many sequences."""

    def prepare(self, slots: Array, x: Array) -> BatchCall:
        """Returns the call, prepared for the states in `slots`."""
        self._y = np.empty((len(x), self._program.answer.units), np.float32)
        self._set_arrays(X=np.ascontiguousarray(x, np.float64), Y=self._y, SLOTS=np.ascontiguousarray(slots, np.int64))
        self._table[at.N] = min(len(x), len(slots))
        self._before = self._table[at.DONE]
        return self

    def run(self) -> Array:
        """Executes the prepared call, and returns the answers `[n, V]`."""
        self._execute()  # the input is already checked
        return self._y


class NativeState:
    """The state of one stream, fresh or given."""

    def __init__(self, runtime: Runtime, states: LayerStates | None = None, steps: int = 0) -> None:
        self.runtime, self._program, self._fresh = runtime, _program_of(runtime), runtime.fresh(1)
        self._store = _block(1, self._program.row)
        if states is not None:
            self._program.write(self._store, states)
        self._call = SingleCall(runtime, self._store)
        self._call.steps = steps
        self.push = self._call.push

    @property
    def steps(self) -> int:
        """The number of pushed steps."""
        return self._call.steps

    def read(self) -> LayerStates:
        """Returns a copy of the state, one row."""
        return self._program.read(self._store, self._fresh)


class _Buffers(NamedTuple):
    """A block of states and the calls that work on it, replaced together."""

    store: Array
    one: SingleCall
    many: BatchCall


class NativeStates:
    """The `SlotStore` of the native engine."""

    def __init__(self, runtime: Runtime, size: int) -> None:
        self._runtime, self._program = runtime, _program_of(runtime)
        self._fresh = runtime.fresh(1)
        self._replace_store(_block(size, np.zeros_like(self._program.row)))

    def _replace_store(self, store: Array) -> None:
        self._buffers = _Buffers(store, SingleCall(self._runtime, store), BatchCall(self._runtime, store))

    @property
    def size(self) -> int:
        """The number of slots."""
        return len(self._buffers.store)

    def grow(self, size: int) -> None:
        """Makes room for `size` slots; takes effect at once."""
        self._replace_store(_block(size, self._buffers.store))

    def reset(self, slots: Array) -> None:
        """Writes the initial state into `slots`, which must be unused."""
        self._buffers.store[slots] = self._program.row

    def read(self, slots: Array) -> LayerStates:
        """Returns a copy of the states in `slots`."""
        return self._program.read(self._buffers.store[slots], self._fresh)

    def write(self, slots: Array, states: LayerStates) -> None:
        """Writes states into `slots`, atomically."""
        rows = np.zeros((len(slots), self._program.row.size), np.float32)
        self._program.write(rows, states)
        self._buffers.store[slots] = rows

    def step(self, slots: Array, x: Array) -> BatchCall:
        """Returns the update for one step of `slots`, with x `[n, F]` or symbols `[n]`; answers `[n, V]`."""
        return self._buffers.many.prepare(slots, x)

    def step_one(self, slot: int, x: object, key: object) -> SingleCall:
        """Returns the update for one step of one slot; errors about x name `key`. Answers `[V]`."""
        return self._buffers.one.prepare(slot, x, key)


def _block(rows: int, content: Array) -> Array:
    """Returns aligned rows, filled with one row `content` or beginning with the rows of `content`."""
    size = content.shape[-1]
    block = at.aligned(rows * size).reshape(rows, size)
    block[: len(content) if content.ndim == 2 else rows] = content
    return block
