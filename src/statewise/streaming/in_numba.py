"""States of streams that advance in the compiled step: of one, and of many in numbered slots.

The step changes a state where it lies, all at once from Python's point of view: Ctrl-C comes before it or after it.
It also counts the steps, which tells whoever was interrupted whether the last one was carried out.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

from statewise.foundation.shapes import Array
from statewise.state import LayerStates
from statewise.streaming import instructions as at
from statewise.streaming.assembler import Program
from statewise.streaming.engines import compiled_step
from statewise.streaming.runtime import Runtime
from statewise.streaming.steps import read_step

SINGLE, DOUBLE = np.dtype(np.float32), np.dtype(np.float64)
REAL = frozenset({float, np.float32, np.float64})
WHOLE = frozenset({int, np.int32, np.int64})
EXACT = 2**53
"""Up to here float64, in which steps are handed over, has every whole number."""


def _program_of(runtime: Runtime) -> Program:
    assert runtime.program is not None  # noqa: S101 - for the type checker: the engine is Numba's
    return runtime.program


class _Call:
    """A call of the compiled step on a block of states: a table that tells where everything lies, and room to work."""

    def __init__(self, runtime: Runtime, store: Array) -> None:
        self._runtime, self._program = runtime, _program_of(runtime)
        self._run = compiled_step()
        self._kept = {at.STORE: store, at.WORKSPACE: at.aligned(at.GROUP * self._program.room)}
        self._kept |= {at.INSTRUCTIONS: self._program.instructions, at.WEIGHTS: self._program.weights}
        table = np.zeros(at.TABLE, np.int64)
        self._handle: int = table.ctypes.data
        self._table = memoryview(table.data)  # quicker than the array
        for field, array in self._kept.items():
            self._table[field] = array.ctypes.data
        self._table[at.ROWS], self._table[at.ROW] = store.shape
        self._table[at.ROOM] = self._program.room
        self._table[at.COUNT] = len(self._program.instructions)
        self._table[at.FEATURES] = self._program.features
        self._table[at.ANSWER], self._table[at.ANSWERS] = self._program.answer
        self._before = 0

    def _hand_over(self, **arrays: Array) -> None:
        """Tells the step where arrays lie, and keeps them there until others take their place."""
        for name, array in arrays.items():
            field = getattr(at, name)
            self._kept[field] = array
            self._table[field] = array.ctypes.data

    def done(self) -> bool:
        """Returns whether the step was carried out."""
        return self._table[at.DONE] != self._before

    def finish(self) -> None:
        """Does nothing: the step left nothing to do."""

    def _carry_out(self) -> bool:
        """Returns whether the step was carried out; otherwise its numbers are not within float32."""
        if reason := self._run(self._handle):
            if reason == at.OUTSIDE:
                raise IndexError("the compiled step was handed a slot outside the store, and refused it")
            return False
        return True


class OneCall(_Call):
    """A call for one sequence, with one buffer each for a step and for its answer."""

    def __init__(self, runtime: Runtime, store: Array) -> None:
        super().__init__(runtime, store)
        F = self._program.features
        self._x, self._y = np.zeros(F), np.zeros(self._program.answer.units, np.float32)
        slots = np.zeros(1, np.int64)
        self._slots = memoryview(slots.data)
        self._hand_over(X=self._x, Y=self._y, SLOTS=slots)
        self._table[at.N] = 1
        self._fill, self._buffer = struct.Struct(f"{F}d").pack_into, memoryview(self._x.data)
        reads_symbols, reads_numbers = runtime.symbols is not None, runtime.symbols is None and F == 1
        self._reals = REAL if reads_numbers else frozenset()
        self._wholes = WHOLE if reads_symbols or reads_numbers else frozenset()
        self._least, self._beyond = (0, runtime.symbols or 0) if reads_symbols else (-EXACT, EXACT)
        self._shape = None if reads_symbols else (F,)
        self._given: tuple[Any, Any] = (None, None)

    @property
    def steps(self) -> int:
        """How many steps were carried out."""
        return self._table[at.DONE]

    @steps.setter
    def steps(self, steps: int) -> None:
        self._table[at.DONE] = steps

    def push(self, x: Any, key: object = None) -> Array:
        """Returns the answer `[V]` to one more step, checked here; what fails changes nothing.

        What is written in the usual ways is taken over as it is, all else by `read_step`, which also tells what is
        wrong. The compiled step itself looks for NaN, infinity and what is beyond float32.
        """
        kind = type(x)  # as `_take` and `_carry_out`, a tenth of a push quicker
        if kind is np.ndarray and x.shape == self._shape and (x.dtype is SINGLE or x.dtype is DOUBLE):
            self._x[...] = x
        else:
            self._take(x, key)
        if self._run(self._handle) and not self._carry_out():
            read_step(self._runtime, x, key)
        return self._y.copy()

    def aim(self, slot: int, x: Any, key: object) -> OneCall:
        """Returns the call, which `run` will carry out on the state in `slot`."""
        self._take(x, key)
        self._slots[0], self._given, self._before = slot, (x, key), self._table[at.DONE]
        return self

    def run(self) -> Array:
        """Carries out what the call was aimed at, and returns the answer `[V]`."""
        if not self._carry_out():
            read_step(self._runtime, *self._given)
        return self._y.copy()

    def _take(self, x: Any, key: object) -> None:
        kind = type(x)
        if kind is np.ndarray and x.shape == self._shape and (x.dtype is SINGLE or x.dtype is DOUBLE):
            self._x[...] = x  # quicker than [:]
        elif kind in self._reals:
            self._x[0] = x
        elif not self._take_plain(x):
            self._x[...] = read_step(self._runtime, x, key)[0]

    def _take_plain(self, x: Any) -> bool:
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


class ManyCall(_Call):
    """A call for many sequences."""

    def aim(self, slots: Array, x: Array) -> ManyCall:
        """Returns the call, which `run` will carry out on the states in `slots`."""
        self._y = np.empty((len(x), self._program.answer.units), np.float32)
        self._hand_over(X=np.ascontiguousarray(x, np.float64), Y=self._y, SLOTS=np.ascontiguousarray(slots, np.int64))
        self._table[at.N] = min(len(x), len(slots))
        self._before = self._table[at.DONE]
        return self

    def run(self) -> Array:
        """Carries out what the call was aimed at, and returns the answers `[n, V]`."""
        self._carry_out()  # the numbers were looked at
        return self._y


class CompiledOne:
    """The state of one stream, fresh or as given."""

    def __init__(self, runtime: Runtime, states: LayerStates | None = None, steps: int = 0) -> None:
        self.runtime, self._program, self._fresh = runtime, _program_of(runtime), runtime.fresh(1)
        self._store = _block(1, self._program.row)
        if states is not None:
            self._program.write(self._store, states)
        self._call = OneCall(runtime, self._store)
        self._call.steps = steps
        self.push = self._call.push

    @property
    def steps(self) -> int:
        """How many steps were pushed."""
        return self._call.steps

    def read(self) -> LayerStates:
        """Returns the state, one row, copied."""
        return self._program.read(self._store, self._fresh)


class _Room(NamedTuple):
    """A block of states and the calls that work on it, which take each other's place together."""

    store: Array
    one: OneCall
    many: ManyCall


class CompiledMany:
    """States in slots, and room for more: the `Store` of streams in the compiled step."""

    def __init__(self, runtime: Runtime, size: int) -> None:
        self._runtime, self._program = runtime, _program_of(runtime)
        self._fresh = runtime.fresh(1)
        self._move(_block(size, np.zeros_like(self._program.row)))

    def _move(self, store: Array) -> None:
        self._room = _Room(store, OneCall(self._runtime, store), ManyCall(self._runtime, store))

    @property
    def size(self) -> int:
        """How many slots there are."""
        return len(self._room.store)

    def grow(self, size: int) -> None:
        """Makes room for `size` slots; complete before it is shown."""
        self._move(_block(size, self._room.store))

    def freshen(self, slots: Array) -> None:
        """Puts the state in which a sequence starts into `slots`, which nobody uses."""
        self._room.store[slots] = self._program.row

    def read(self, slots: Array) -> LayerStates:
        """Returns the states in `slots`, copied."""
        return self._program.read(self._room.store[slots], self._fresh)

    def write(self, slots: Array, states: LayerStates) -> None:
        """Puts states into `slots`, at once."""
        rows = np.zeros((len(slots), self._program.row.size), np.float32)
        self._program.write(rows, states)
        self._room.store[slots] = rows

    def step(self, slots: Array, x: Array) -> ManyCall:
        """Returns what takes the states in `slots` one step on, with x `[n, F]` or symbols `[n]`; answers `[n, V]`."""
        return self._room.many.aim(slots, x)

    def step_one(self, slot: int, x: object, key: object) -> OneCall:
        """Returns what takes one state a step on; x is checked here, and called that of `key`. Answers `[V]`."""
        return self._room.one.aim(slot, x, key)


def _block(rows: int, content: Array) -> Array:
    """Returns aligned rows that hold `content`, one row for all or the first ones."""
    size = content.shape[-1]
    block = at.aligned(rows * size).reshape(rows, size)
    block[: len(content) if content.ndim == 2 else rows] = content
    return block
