"""Streams: a network that is pushed one step at a time, alone or many at once by key. Does without JAX."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import ConfigurationError, DataError, LifecycleError, StateError
from statewise.shapes import Array, check_more_than_zero, check_whole
from statewise.state import LayerStates, State, map_parts
from statewise.streaming.runtime import Runtime
from statewise.streaming.steps import read_step, read_steps


class Stream:
    """One sequence, answered as it comes: `y = stream.push(x)`.

    The answers and the state are those of `model(x)` on the whole sequence. `model.stream()` makes one, with the
    model's weights as they are then; `Stream.open` makes one of a model file, without JAX.

    A stream belongs to one thread at a time. Its runtime never changes: any number of streams may share it.

    Args:
        runtime: the network, `Runtime.of(config, params)`.
        state: where the stream starts, one row; None starts it afresh.

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
        self._runtime = runtime
        self._states, self._steps = runtime.fresh(1), 0
        if state is not None:
            self.restore(state)

    @classmethod
    def open(cls, path: str | Path) -> Stream:
        """Returns a fresh stream of the model in a file, read without JAX.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: a layer reads from both ends.
        """
        return cls(Runtime.open(path))

    @property
    def steps(self) -> int:
        """How many steps were pushed since the stream was made, reset or restored."""
        return self._steps

    @property
    def state(self) -> State:
        """Where the stream stands: one row, a value that later pushes leave as it is."""
        return self._runtime.state_of(self._states)

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
        y, self._states = self._runtime.step(read_step(self._runtime, x), self._states)
        self._steps += 1
        return y[0].copy()  # y may be the state's own h

    def snapshot(self) -> State:
        """Returns `stream.state`; `stream.restore` goes back to it, in this stream or another of the network."""
        return self.state

    def restore(self, state: State) -> None:
        """Goes on from `state`, which has one row.

        Raises:
            StateError: it belongs to another network, or has another number of rows.
        """
        self._states, self._steps = self._runtime.states_in(state, 1, "a stream"), 0

    def reset(self) -> None:
        """Starts afresh."""
        self._states, self._steps = self._runtime.fresh(1), 0


class Snapshot(NamedTuple):
    """Many streams: their keys, and a state with a row for each, in that order."""

    keys: list[Hashable]
    state: State


class Streams:
    """Many sequences by key, each with a state of its own: `answers = streams.push({key: x, ...})`.

    All that is pushed in one call advances in one batched step. A key that is new, or was evicted, starts afresh.
    Iterating gives the keys, the least recently pushed first. Equal to a `Stream` for each key, whatever is pushed
    together.

    Belongs to one thread at a time, as a `Stream` does.

    Args:
        runtime: the network, `Runtime.of(config, params)`.
        max_streams: how many are kept at most; the least recently pushed are evicted first. None keeps all.
        max_age: seconds without a push after which a stream is evicted, at the next push of any. None keeps all.
        on_evict: called as `on_evict(key, state)` with each stream before it goes, so that nothing is lost;
            `streams.resume(key, state)` brings it back. If it raises, the push fails and nothing is evicted.
        clock: tells the seconds.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
    >>> streams = Streams(Runtime.of(model.network.config(), model.params), max_streams=2)
    >>> sorted(streams.push({"pump": [0.1, 0.2], "fan": [0.3, 0.4]}))
    ['fan', 'pump']
    >>> streams.push({"pump": [0.5, 0.6]})["pump"].shape
    (1,)
    >>> answers = streams.push({"mill": [0.7, 0.8]})
    >>> list(streams)
    ['pump', 'mill']
    >>> streams.snapshot().state
    State(batch=2, lstm: h [2, 4], c [2, 4])
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        max_streams: int | None = None,
        max_age: float | None = None,
        on_evict: Callable[[Any, State], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_streams is not None:
            check_whole("max_streams", max_streams)
        if max_age is not None:
            check_more_than_zero("max_age", max_age)
        for name, function in (("on_evict", on_evict), ("clock", clock)):
            if function is not None and not callable(function):
                raise ConfigurationError(f"{name}: expected a function, got {function!r}")
        self._runtime, self._max_streams, self._max_age = runtime, max_streams, max_age
        self._on_evict, self._clock, self._evicting = on_evict, clock, False
        self._slots: OrderedDict[Any, int] = OrderedDict()  # the least recently pushed first
        self._free = [0]
        self._pushed = np.zeros(1)  # when, for each slot
        self._store = runtime.fresh(1)  # [slots, H]

    @classmethod
    def open(cls, path: str | Path, **options: Any) -> Streams:
        """Returns streams of the model in a file, read without JAX; `options` are those of `Streams`.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: a layer reads from both ends.
        """
        return cls(Runtime.open(path), **options)

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, key: object) -> bool:
        return key in self._slots

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._slots))

    # -- pushing -----------------------------------------------------------------------------------------------

    def push(self, xs: Mapping[Any, object]) -> dict[Any, Array]:
        """Returns the answer `[V]` to one more step of each stream in `xs`, by key.

        A push that fails changes nothing, for any key.

        Args:
            xs: one step for each key, as `Stream.push` takes it.

        Raises:
            ShapeError, DataError: a step does not fit; the message names its key.
            ConfigurationError: more keys than `max_streams`.
        """
        self._check_open()
        if not isinstance(xs, Mapping):
            raise DataError(f"push: expected a step for each key, such as {{'pump': [0.1, 0.2]}}, got {xs!r:.60}")
        self._check_count("push", len(xs))
        x = read_steps(self._runtime, xs) if xs else None
        now = self._clock()
        leaving = self._leaving(xs, now)
        known = [-1 if key in leaving else self._slots.get(key, -1) for key in xs]
        if x is None:
            self._evict(leaving)
            return {}
        y, after = self._runtime.step(x, self._gather(np.array(known)))
        self._evict(leaving)
        self._put(xs, after, now)
        return dict(zip(xs, y, strict=True))

    def _gather(self, slots: Array) -> LayerStates:
        """Returns the states in `slots`, fresh ones for -1."""
        states, new = self._in_slots(slots), slots < 0
        if not new.any():
            return states
        fresh = self._runtime.fresh(1)
        return {
            name: map_parts(lambda part, row: np.where(new[:, None], row, part), state, fresh[name])
            for name, state in states.items()
        }

    def _in_slots(self, slots: Any) -> LayerStates:
        return {name: map_parts(lambda part: part[slots], state) for name, state in self._store.items()}

    def _put(self, keys: Iterable[Hashable], states: LayerStates, now: float) -> None:
        """Stores the streams' states in the order of `keys`, the last as the most recently pushed."""
        slots = []
        for key in keys:
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = self._free.pop() if self._free else self._grow()
            self._slots.move_to_end(key)
            slots.append(slot)
        self._pushed[slots] = now
        for name, state in states.items():
            map_parts(lambda part, rows: part.__setitem__(slots, rows), self._store[name], state)

    def _grow(self) -> int:
        """Returns a slot in a store of twice the size."""
        size = len(self._pushed)
        self._pushed = np.concatenate([self._pushed, np.zeros_like(self._pushed)])
        self._store = {
            name: map_parts(lambda part: np.concatenate([part, np.zeros_like(part)]), state)
            for name, state in self._store.items()
        }
        self._free = list(range(2 * size - 1, size, -1))
        return size

    # -- evicting ----------------------------------------------------------------------------------------------

    def _leaving(self, staying: Mapping[Any, object], now: float) -> dict[Any, int]:
        """Returns the keys and slots to evict so that `staying` can be pushed: those too old, then those too many."""
        leaving = {}
        for key, slot in self._slots.items():
            if self._max_age is None or now - self._pushed[slot] <= self._max_age:
                break  # those after it were pushed later
            leaving[key] = slot
        if self._max_streams is None:
            return leaving
        new = sum(key not in self._slots or key in leaving for key in staying)
        surplus = len(self._slots) - len(leaving) + new - self._max_streams
        for key, slot in self._slots.items():
            if surplus <= 0:
                break
            if key not in leaving and key not in staying:
                leaving[key] = slot
                surplus -= 1
        return leaving

    def _evict(self, leaving: Mapping[Any, int]) -> None:
        if self._on_evict is not None:
            self._evicting = True
            try:
                for key in leaving:
                    self._on_evict(key, self.state(key))
            finally:
                self._evicting = False
        for key in leaving:
            self._free.append(self._slots.pop(key))

    def _check_open(self) -> None:
        if self._evicting:
            raise LifecycleError(
                "on_evict: expected a function that leaves the streams as they are; keep the state it is given, and "
                "push or resume once the push is over"
            )

    def _check_count(self, what: str, count: int) -> None:
        if self._max_streams is not None and count > self._max_streams:
            raise ConfigurationError(
                f"{what}: expected no more than max_streams={self._max_streams} keys at once, got {count}; raise "
                "max_streams, or push in parts"
            )

    # -- states ------------------------------------------------------------------------------------------------

    def state(self, key: Hashable) -> State:
        """Returns where a stream stands: one row, a value that later pushes leave as it is.

        Raises:
            StateError: there is no such stream.
        """
        return self._runtime.state_of(self._in_slots([self._slot(key)]))

    def _slot(self, key: Hashable) -> int:
        _check_key(key)
        if key not in self._slots:
            raise StateError(
                f"no stream {key!r} among {len(self)}; it was never pushed, or was evicted: `key in streams` says "
                "whether one is there"
            )
        return self._slots[key]

    def resume(self, key: Hashable, state: State) -> None:
        """Makes the stream `key`, there or not, go on from `state`, which has one row; counts as a push of it.

        Raises:
            StateError: the state belongs to another network, or has another number of rows.
        """
        self._check_open()
        _check_key(key)
        states, now = self._runtime.states_in(state, 1, f"stream {key!r}"), self._clock()
        self._evict(self._leaving({key: None}, now))
        self._put([key], states, now)

    def drop(self, key: Hashable) -> None:
        """Forgets a stream, without `on_evict`.

        Raises:
            StateError: there is no such stream.
        """
        self._check_open()
        slot = self._slot(key)
        del self._slots[key]
        self._free.append(slot)

    def clear(self) -> None:
        """Forgets all streams, without `on_evict`."""
        self._check_open()
        self._free += self._slots.values()
        self._slots.clear()

    def snapshot(self) -> Snapshot:
        """Returns all keys, the least recently pushed first, and one state with their rows; `restore` takes both."""
        return Snapshot(list(self._slots), self._runtime.state_of(self._in_slots(list(self._slots.values()))))

    def restore(self, snapshot: tuple[Iterable[Hashable], State]) -> None:
        """Becomes what `snapshot` returned, in this process or another: these streams, and no others.

        Their ages start anew. To add one stream to those there are, `resume(key, state)`.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 1)), sw.Dense(1)], seed=7)
        >>> streams = Streams(Runtime.of(model.network.config(), model.params))
        >>> kept = streams.push({"a": 1.0, "b": 2.0}) and streams.snapshot()
        >>> streams.restore(kept)
        >>> streams.snapshot() == kept
        True

        Raises:
            StateError: the state belongs to another network, or has not a row for each key.
            ConfigurationError: more keys than `max_streams`.
            DataError: a key twice, or one that cannot be a key.
        """
        self._check_open()
        keys, state = _read_snapshot(snapshot)
        self._check_count("restore", len(keys))
        states = self._runtime.states_in(state, len(keys), f"{len(keys)} stream(s)")
        self.clear()
        self._put(keys, states, self._clock())


def _read_snapshot(snapshot: Any) -> tuple[list[Hashable], State]:
    """Returns keys, each there once, and a state, if that is what `snapshot` is."""
    pair = isinstance(snapshot, tuple | list) and len(snapshot) == 2
    if not pair or isinstance(snapshot[0], str) or not isinstance(snapshot[0], Iterable):
        raise DataError(
            f"restore: expected (keys, state), as snapshot() returns them, got {snapshot!r:.60}; for one stream write "
            "streams.resume(key, state)"
        )
    keys, seen = list(snapshot[0]), set()
    for key in keys:
        _check_key(key)
        if key in seen:
            raise DataError(f"restore: key {key!r} is there twice; expected each once, with one row of the state")
        seen.add(key)
    return keys, snapshot[1]


def _check_key(key: object) -> None:
    try:
        hash(key)
    except TypeError:
        raise DataError(
            f"expected a key that a dict can hold, such as text or a tuple, got {key!r:.60}; a list that JSON made "
            "of a tuple becomes one by tuple(key)"
        ) from None
