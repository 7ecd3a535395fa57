"""States of streams run by the native step: one state, or many in numbered slots.

The step updates states in place, atomically as seen from Python: Ctrl-C arrives before it or after it. It also counts
steps, so that after an interruption it is known whether the last one was executed.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from statewise.foundation.shapes import Array
from statewise.native.library import generate, stream_step
from statewise.state import LayerStates
from statewise.streaming import instructions as at
from statewise.streaming.assembler import Program
from statewise.streaming.instructions import DONE
from statewise.streaming.native_table import NativeTable
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
    """A call of the native step on a block of states: a table, and a workspace."""

    def __init__(self, runtime: Runtime, store: Array) -> None:
        self._runtime, self._program = runtime, _program_of(runtime)
        self._run, self._native = stream_step(), NativeTable(self._program)
        self._reference, self._table = self._native.reference, self._native.fields
        self._native.set_arrays(STORE=store, WORKSPACE=at.aligned(at.GROUP * self._program.workspace_size))
        self._table[at.ROWS] = len(store)
        self._before = 0

    def done(self) -> bool:
        """Returns whether the step was executed."""
        return self._table[DONE] != self._before

    def finish(self) -> None:
        """Does nothing: the step is already complete."""

    def _refuse(self, reason: int) -> None:
        """Raises why the step was not executed, unless its numbers are outside the range of float32."""
        if reason == at.BAD_SLOT:
            raise IndexError("the native step was given a slot outside the store")
        if reason != at.BAD_INPUT:
            raise NotImplementedError(f"unknown {'function' if reason == at.UNKNOWN_FUNCTION else 'instruction'}")


class SingleCall(_Call):
    """A call for one sequence, with a buffer for the step and one for its answer."""

    def __init__(self, runtime: Runtime, store: Array) -> None:
        super().__init__(runtime, store)
        F = self._program.features
        self._x, self._y = np.zeros(F), np.zeros(self._program.answer.units, np.float32)
        slots = np.zeros(1, np.int64)
        self._slots = memoryview(slots.data)
        self._native.set_arrays(X=self._x, Y=self._y, SLOTS=slots)
        self._table[at.N] = 1
        self._pack = struct.Struct(f"{F}f").pack
        reads_symbols, reads_numbers = runtime.symbols is not None, runtime.symbols is None and F == 1
        self._reals = REAL if reads_numbers else frozenset()
        self._integers = INTEGER if reads_symbols or reads_numbers else frozenset()
        self._lowest, self._limit = (0, runtime.symbols or 0) if reads_symbols else (-EXACT, EXACT)
        self._shape = None if reads_symbols else (F,)
        self._parts = [(name, slice(start, start + (size or 0)), size) for name, start, size in runtime.inputs]
        self._bytes: bytes | None = None
        self._given: Any = None
        self._key: object = None

    @property
    def steps(self) -> int:
        """The number of executed steps."""
        return self._table[DONE]

    @steps.setter
    def steps(self, steps: int) -> None:
        self._table[DONE] = steps

    def push(self, x: Any, key: object = None) -> Array:
        """Checks one more step, and returns the answer `[V]`; a failure changes nothing.

        Common kinds of input are copied directly, all others go through `read_step`, which also raises the errors. The
        native step itself checks for NaN, infinity and numbers outside float32.
        """
        plain = type(x) is ndarray and x.dtype is SINGLE and x.shape == self._shape  # inlined: 10% faster
        if reason := self._run(self._reference, x.tobytes() if plain else self._read(x, key)):
            self._refuse(reason)
            read_step(self._runtime, x, key)
        return self._y.copy()

    def generate(self, *arguments: int) -> None:
        """Continues the sequence by symbols; `arguments` as of `statewise_generate` in native/library.cpp."""
        generate(self._reference, *arguments)

    def prepare(self, slot: int, x: Any, key: object) -> SingleCall:
        """Returns the call, prepared for the state in `slot`."""
        plain = type(x) is ndarray and x.dtype is SINGLE and x.shape == self._shape
        self._bytes = x.tobytes() if plain else self._read(x, key)
        self._slots[0], self._given, self._key, self._before = slot, x, key, self._table[DONE]
        return self

    def run(self) -> Array:
        """Executes the prepared call, and returns the answer `[V]`."""
        if reason := self._run(self._reference, self._bytes):
            self._refuse(reason)
            read_step(self._runtime, self._given, self._key)
        return self._y.copy()

    def _read(self, x: Any, key: object) -> bytes | None:
        """Returns the step in float32, or None if it is in the table's buffer, from where it is read."""
        kind = type(x)
        if kind is list and self._shape is not None and REAL.issuperset(map(type, x)):
            try:
                return self._pack(*x)
            except (struct.error, OverflowError):  # another number of features, or one outside float32
                pass
        elif kind is ndarray and x.dtype is DOUBLE and x.shape == self._shape:
            self._x[...] = x  # faster than [:]
            return None
        elif kind in self._reals or (kind in self._integers and self._lowest <= x < self._limit):
            self._x[0] = x
            return None
        elif kind is dict and self._parts and self._copy_parts(x):
            return None
        self._x[...] = read_step(self._runtime, x, key)[0]
        return None

    def _copy_parts(self, x: dict[str, Any]) -> bool:
        """Copies a step by input into the table's buffer if it is of common kinds; returns whether it is."""
        if len(x) != len(self._parts):
            return False
        for name, where, size in self._parts:
            part = x.get(name)
            if type(part) is ndarray:
                if part.shape != (size,) or (part.dtype is not SINGLE and part.dtype is not DOUBLE):
                    return False
            elif type(part) is not list or len(part) != size or not REAL.issuperset(map(type, part)):
                return False
            self._x[where] = part
        return True


class BatchCall(_Call):
    """A call for many sequences."""

    def prepare(self, slots: Array, x: Array) -> BatchCall:
        """Returns the call, prepared for the states in `slots`."""
        self._y = np.empty((len(x), self._program.answer.units), np.float32)
        steps, slots = np.ascontiguousarray(x, np.float64), np.ascontiguousarray(slots, np.int64)
        self._native.set_arrays(X=steps, Y=self._y, SLOTS=slots)
        self._table[at.N] = min(len(x), len(slots))
        self._before = self._table[DONE]
        return self

    def run(self) -> Array:
        """Executes the prepared call, and returns the answers `[n, V]`."""
        if reason := self._run(self._reference, None):
            self._refuse(reason)
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
