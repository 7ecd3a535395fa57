"""A stream: a network that is pushed one step at a time. Does without JAX."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any

from statewise.foundation.shapes import Array
from statewise.state import LayerStates, State, describe_sizes
from statewise.streaming.in_numba import CompiledOne
from statewise.streaming.in_numpy import NumpyOne
from statewise.streaming.locked import Locked
from statewise.streaming.runtime import RunsOn, Runtime
from statewise.streaming.upgrading import Model, runtime_like


class Stream(RunsOn, Locked):
    """One sequence, answered as it comes: `y = stream.push(x)`.

    The answers and the state are those of `model(x)` on the whole sequence. `model.stream()` makes one, with the
    model's weights as they are then; `Stream.open` makes one of a model file, without JAX.

    Several threads may share a stream, and any number of streams a runtime, which never changes. A call that is
    interrupted leaves the state as it was before it or as it is after it.

    Args:
        runtime: the network, `Runtime.of(config, params)`.
        state: where the stream starts, one row; None starts it fresh.

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
        self.take_locks()
        self._one = _one(runtime, None if state is None else runtime.states_in(state, 1, "a stream"))

    @classmethod
    def open(cls, path: str | Path, *, engine: str = "auto") -> Stream:
        """Returns a fresh stream of the model in a file, read without JAX; `engine` as in `Runtime.of`.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: a layer reads from both ends.
        """
        return cls(Runtime.open(path, engine))

    def __copy__(self) -> Stream:
        """Returns a stream that continues from here by itself."""
        other = Stream(self._runtime)
        with self._lock: other._one = _one(self._runtime, self._one.read(), self._one.steps)  # fmt: skip
        return other

    def __deepcopy__(self, _: Any) -> Stream:
        return copy(self)

    def __reduce__(self) -> Any:
        raise TypeError("a stream cannot be pickled: pickle stream.state, and restore it into another of the model")

    def __repr__(self) -> str:
        return f"Stream({describe_sizes(self._runtime.sizes)}, steps={self.steps:,}, engine={self.engine!r})"

    @property
    def _runtime(self) -> Runtime:
        return self._one.runtime

    @property
    def steps(self) -> int:
        """How many steps were pushed since the stream was made, reset or restored."""
        return self._one.steps

    @property
    def state(self) -> State:
        """Where the stream stands: one row, a value that later pushes leave as it is."""
        with self._lock: return self._runtime.state_of(self._one.read())  # fmt: skip

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
        with self._lock: return self._one.push(x)  # fmt: skip

    def snapshot(self) -> State:
        """Returns `stream.state`; `stream.restore` goes back to it, in this stream or another of the network."""
        return self.state

    def restore(self, state: State) -> None:
        """Continues from `state`, which has one row.

        Raises:
            StateError: it belongs to another network, has another number of rows, or holds NaN or infinity.
        """
        states = self._runtime.states_in(state, 1, "a stream")
        with self._lock: self._one = _one(self._runtime, states)  # fmt: skip

    def reset(self) -> None:
        """Starts fresh."""
        with self._lock: self._one = _one(self._runtime)  # fmt: skip

    def upgrade(self, model: Model) -> None:
        """Puts new weights under the stream, which keeps its state; as `Streams.upgrade`.

        Raises:
            StateError: the model's states are of other sizes, or it reads other steps; nothing has changed.
            FileError: there is no model in the file.
        """
        runtime = runtime_like(self._runtime, model)
        with self._lock: self._one = _one(runtime, self._one.read(), self._one.steps)  # fmt: skip


def _one(runtime: Runtime, states: LayerStates | None = None, steps: int = 0) -> CompiledOne | NumpyOne:
    return (CompiledOne if runtime.engine.name == "numba" else NumpyOne)(runtime, states, steps)
