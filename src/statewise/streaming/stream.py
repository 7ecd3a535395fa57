"""A stream: a network that is pushed one step at a time. Does without JAX."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any

from statewise.shapes import Array
from statewise.state import State
from statewise.streaming.in_numba import CompiledOne
from statewise.streaming.in_numpy import NumpyOne
from statewise.streaming.runtime import RunsOn, Runtime


class Stream(RunsOn):
    """One sequence, answered as it comes: `y = stream.push(x)`.

    The answers and the state are those of `model(x)` on the whole sequence. `model.stream()` makes one, with the
    model's weights as they are then; `Stream.open` makes one of a model file, without JAX.

    A stream belongs to one thread at a time. Its runtime never changes: any number of streams may share it.

    Args:
        runtime: the network, `Runtime.of(config, params)`.
        state: where the stream starts, one row; None starts it afresh.

    >>> import numpy as np
    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> stream = Stream(Runtime.of(model.network.config(), model.params))
    >>> x = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], "float32")
    >>> answers = [stream.push(step) for step in x]
    >>> whole, state = model(x[None])
    >>> bool(np.allclose(answers[-1], whole[0], atol=1e-5)), stream.state
    (True, State(batch=1, lstm: h [1, 4], c [1, 4]))
    """

    def __init__(self, runtime: Runtime, state: State | None = None) -> None:
        self._runtime, self._steps = runtime, 0
        self._one = CompiledOne(runtime) if runtime.engine.name == "numba" else NumpyOne(runtime)
        if state is not None:
            self.restore(state)

    @classmethod
    def open(cls, path: str | Path, *, engine: str = "auto") -> Stream:
        """Returns a fresh stream of the model in a file, read without JAX; `engine` as in `Runtime.of`.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: a layer reads from both ends.
        """
        return cls(Runtime.open(path, engine))

    def __copy__(self) -> Stream:
        """Returns a stream that goes on from here by itself."""
        other = Stream(self._runtime, self.state)
        other._steps = self._steps
        return other

    def __deepcopy__(self, _: Any) -> Stream:
        return copy(self)

    def __reduce__(self) -> Any:
        raise TypeError("a stream cannot be pickled: pickle stream.state, and restore it into another of the model")

    @property
    def steps(self) -> int:
        """How many steps were pushed since the stream was made, reset or restored."""
        return self._steps

    @property
    def state(self) -> State:
        """Where the stream stands: one row, a value that later pushes leave as it is."""
        return self._runtime.state_of(self._one.read())

    def push(self, x: object) -> Array:
        """Returns the network's answer `[V]` to one more step.

        Where the last recurrent layer has no `return_sequences`, it is the answer to all that was pushed so far. A
        push that fails changes nothing.

        Args:
            x: one step: F numbers, just the number if F is 1, or the number of a symbol.

        Raises:
            ShapeError: another number of features, or several steps.
            DataError: NaN, text, or a symbol that the network does not know.
        """
        y = self._one.push(x)
        self._steps += 1
        return y

    def snapshot(self) -> State:
        """Returns `stream.state`; `stream.restore` goes back to it, in this stream or another of the network."""
        return self.state

    def restore(self, state: State) -> None:
        """Goes on from `state`, which has one row.

        Raises:
            StateError: it belongs to another network, or has another number of rows.
        """
        self._one.write(self._runtime.states_in(state, 1, "a stream"))
        self._steps = 0

    def reset(self) -> None:
        """Starts afresh."""
        self._one.write(self._runtime.fresh(1))
        self._steps = 0
