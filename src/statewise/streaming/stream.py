"""A stream: a network advanced one step at a time, without JAX."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

from statewise.state import LayerStates, State, describe_sizes
from statewise.streaming.fork_safe_lock import ForkSafeLock
from statewise.streaming.native_states import NativeState
from statewise.streaming.numpy_states import NumpyState
from statewise.streaming.runtime import EngineInfo, Runtime
from statewise.streaming.weight_upgrade import Model, compatible_runtime


class Stream(EngineInfo, ForkSafeLock):
    """One sequence, answered step by step: `y = stream.push(x)`.

    The answers and the state equal those of `model(x)` on the whole sequence. `model.stream()` returns one, with a copy
    of the model's current weights; `Stream.open` returns one for a model file, without JAX.

    Several threads may share a stream, and any number of streams a runtime, which is immutable. An interrupted call
    leaves the state either as it was before the call or as it is after it.

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
        self.make_lock()
        self._state = _make_state(runtime, None if state is None else runtime.states_in(state, 1, "a stream"))

    @classmethod
    def open(cls, path: str | Path, *, engine: str = "auto") -> Stream:
        """Returns a fresh stream of the model in a file, read without JAX; `engine` as in `Runtime.of`.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: a layer reads from both ends.
        """
        return cls(Runtime.open(path, engine))

    def __copy__(self) -> Stream:
        """Returns an independent stream that continues from here."""
        other = Stream(self._runtime)
        with self._lock: other._state = _make_state(self._runtime, self._state.read(), self._state.steps)  # fmt: skip
        return other

    def __deepcopy__(self, _: Any) -> Stream:
        return copy(self)

    def __reduce__(self) -> Any:
        raise TypeError("a stream cannot be pickled: pickle stream.state, and restore it into a new stream")

    def __repr__(self) -> str:
        return f"Stream({describe_sizes(self._runtime.sizes)}, steps={self.steps:,}, engine={self.engine!r})"

    @property
    def _runtime(self) -> Runtime:
        return self._state.runtime

    @property
    def steps(self) -> int:
        """The number of steps pushed since the stream was created, reset or restored."""
        return self._state.steps

    @property
    def state(self) -> State:
        """The current state: one row, a value that later pushes do not change."""
        with self._lock: return self._runtime.state_of(self._state.read())  # fmt: skip

    def push(self, x: object) -> Any:
        """Returns the network's answer `[V]` to one more step.

        If the last recurrent layer has no `return_sequences`, it is the answer to all steps pushed so far. A failed
        push changes nothing. Several outputs are a dict by name, or a list, as the model was written.

        Args:
            x: one step: F numbers, a single number if F is 1, or the number of a symbol. For several inputs a dict of
                these by name, those without steps included; a list in their order; or one vector of all their numbers.

        >>> import statewise as sw
        >>> readings, pump = sw.Input((None, 2), name="readings"), sw.Input((3,), name="pump")
        >>> h = sw.LSTM(4, return_sequences=True)(sw.Concatenate()([readings, sw.RepeatLike()([pump, readings])]))
        >>> model = sw.Model([readings, pump], {"load": sw.Dense(1)(h), "alarm": sw.Dense(2)(h)}, seed=7)
        >>> answers = model.stream().push({"readings": [0.1, 0.2], "pump": [1.0, 0.0, 0.0]})
        >>> {name: y.shape for name, y in answers.items()}
        {'load': (1,), 'alarm': (2,)}

        Raises:
            ShapeError: another number of features, several steps, or an input that is missing or unknown.
            DataError: NaN, text, or a symbol that the network does not know.
        """
        with self._lock: return self._state.push(x)  # fmt: skip

    def snapshot(self) -> State:
        """Returns `stream.state`; `stream.restore` goes back to it, in this stream or another of the network."""
        return self.state

    def restore(self, state: State) -> None:
        """Continues from `state`, which has one row.

        Raises:
            StateError: it belongs to another network, has another number of rows, or holds NaN or infinity.
        """
        states = self._runtime.states_in(state, 1, "a stream")
        with self._lock: self._state = _make_state(self._runtime, states)  # fmt: skip

    def reset(self) -> None:
        """Starts a new sequence."""
        with self._lock: self._state = _make_state(self._runtime)  # fmt: skip

    def upgrade(self, model: Model) -> None:
        """Replaces the weights; the stream keeps its state. See `Streams.upgrade`.

        Raises:
            StateError: the model's states have other sizes, or its steps another shape; nothing has changed.
            FileError: the file holds no model.
        """
        runtime = compatible_runtime(self._runtime, model)
        with self._lock: self._state = _make_state(runtime, self._state.read(), self._state.steps)  # fmt: skip


class _NamedState(NamedTuple):
    """The state of a stream whose answers go by output, a dict or a list of arrays, as its runtime says."""

    state: NativeState | NumpyState

    @property
    def runtime(self) -> Runtime:
        return self.state.runtime

    @property
    def steps(self) -> int:
        return self.state.steps

    def push(self, x: object) -> Any:
        return self.runtime.in_form(self.state.push(x))

    def read(self) -> LayerStates:
        return self.state.read()


def _make_state(
    runtime: Runtime, states: LayerStates | None = None, steps: int = 0
) -> NativeState | NumpyState | _NamedState:
    state = (NativeState if runtime.engine.name == "native" else NumpyState)(runtime, states, steps)
    return state if runtime.form == "one" else _NamedState(state)
