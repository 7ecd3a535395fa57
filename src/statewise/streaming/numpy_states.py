"""States of streams run in NumPy: one state, or many in numbered slots."""

from __future__ import annotations

import numpy as np

from statewise.foundation.shapes import Array
from statewise.state import LayerStates, map_parts
from statewise.streaming.runtime import Runtime
from statewise.streaming.slot_updates import Write
from statewise.streaming.step_input import read_step


class NumpyState:
    """The state of one stream, fresh or given."""

    def __init__(self, runtime: Runtime, states: LayerStates | None = None, steps: int = 0) -> None:
        self.runtime = runtime
        self._at = (runtime.fresh(1) if states is None else states, steps)  # one value, so that both change together

    @property
    def steps(self) -> int:
        """The number of pushed steps."""
        return self._at[1]

    def push(self, x: object) -> Array:
        """Checks one more step, and returns the answer `[V]`; a failure changes nothing."""
        states, steps = self._at
        y, after = self.runtime.step(read_step(self.runtime, x), states)
        answer = y[0].copy()  # y may be the state's own h
        self._at = (after, steps + 1)
        return answer

    def read(self) -> LayerStates:
        """Returns the state, one row."""
        return self._at[0]


class NumpyStates:
    """The `SlotStore` of the NumPy engine."""

    def __init__(self, runtime: Runtime, size: int) -> None:
        self._runtime = runtime
        self._fresh = runtime.fresh(1)
        self._store: tuple[LayerStates, int] = ({}, 0)
        self.grow(size)

    @property
    def size(self) -> int:
        """The number of slots."""
        return self._store[1]

    def grow(self, size: int) -> None:
        """Makes room for `size` slots; takes effect at once."""
        present, before = self._store

        def grown(fresh: Array, *existing: Array) -> Array:
            larger = np.zeros((size, fresh.shape[1]), np.float32)
            for part in existing:
                larger[:before] = part
            return larger

        states = {
            name: map_parts(grown, state, *([present[name]] if present else [])) for name, state in self._fresh.items()
        }
        self._store = (states, size)

    def reset(self, slots: Array) -> None:
        """Writes the initial state into `slots`, which must be unused."""
        self.write(slots, self._fresh)

    def read(self, slots: Array) -> LayerStates:
        """Returns a copy of the states in `slots`."""
        return {name: map_parts(lambda part: part[slots], state) for name, state in self._store[0].items()}

    def write(self, slots: Array, states: LayerStates) -> None:
        """Writes states, or one state for all, into `slots`."""
        for name, state in states.items():
            map_parts(lambda part, rows: part.__setitem__(slots, rows), self._store[0][name], state)

    def step(self, slots: Array, x: Array) -> Write:
        """Returns the update for one step of `slots`, with x `[n, F]` or symbols `[n]`; answers `[n, V]`."""
        y, after = self._runtime.step(x, self.read(slots))
        return Write(self, slots, after, y.copy() if np.may_share_memory(x, y) else y)

    def step_one(self, slot: int, x: object, key: object) -> Write:
        """Returns the update for one step of one slot; errors about x name `key`. Answers `[V]`."""
        where = np.array([slot])
        states = {name: map_parts(lambda part: part[slot : slot + 1], state) for name, state in self._store[0].items()}
        y, after = self._runtime.step(read_step(self._runtime, x, key), states)
        return Write(self, where, after, y[0].copy())
