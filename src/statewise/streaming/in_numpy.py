"""States of streams that advance in NumPy: of one, and of many in numbered slots."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from statewise.shapes import Array
from statewise.state import LayerStates, map_parts
from statewise.streaming.runtime import Runtime
from statewise.streaming.steps import read_step


class NumpyOne:
    """The state of one stream."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._states = runtime.fresh(1)

    def push(self, x: object) -> Array:
        """Returns the answer `[V]` to one more step, checked here; what fails changes nothing."""
        y, self._states = self._runtime.step(read_step(self._runtime, x), self._states)
        return y[0].copy()  # y may be the state's own h

    def read(self) -> LayerStates:
        """Returns the state, one row."""
        return self._states

    def write(self, states: LayerStates) -> None:
        """Goes on from a state of one row."""
        self._states = states


class NumpyMany:
    """States in slots, and room for more."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._store = runtime.fresh(1)  # [slots, H]

    def begin(self, slots: Array, x: Array) -> Callable[[Array], Array]:
        """Returns what ends a step of x `[n, F]` on the states in `slots`, fresh ones for -1.

        All that may fail is done here, and changes nothing. The end is given the slots to write to, and returns the
        answers `[n, V]`.
        """
        y, after = self._runtime.step(x, self._gather(slots))

        def end(slots: Array) -> Array:
            self.write(slots, after)
            return y

        return end

    def _gather(self, slots: Array) -> LayerStates:
        states, new = self.read(slots), slots < 0
        if not new.any():
            return states
        fresh = self._runtime.fresh(1)
        return {
            name: map_parts(lambda part, row: np.where(new[:, None], row, part), state, fresh[name])
            for name, state in states.items()
        }

    def read(self, slots: Array) -> LayerStates:
        """Returns the states in `slots`, copied."""
        return {name: map_parts(lambda part: part[slots], state) for name, state in self._store.items()}

    def write(self, slots: Array, states: LayerStates) -> None:
        """Puts states into `slots`."""
        for name, state in states.items():
            map_parts(lambda part, rows: part.__setitem__(slots, rows), self._store[name], state)

    def grow(self) -> None:
        """Makes twice the room."""
        self._store = {
            name: map_parts(lambda part: np.concatenate([part, np.zeros_like(part)]), state)
            for name, state in self._store.items()
        }
