"""Many streams by key: a network that is pushed one step at a time for each. Does without JAX."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from statewise.errors import ConfigurationError, DataError, LifecycleError, StateError
from statewise.shapes import Array, check_more_than_zero, check_whole
from statewise.state import LayerStates, State
from statewise.streaming.in_numba import CompiledMany
from statewise.streaming.in_numpy import NumpyMany
from statewise.streaming.runtime import RunsOn, Runtime
from statewise.streaming.snapshot import Snapshot, check_key, check_keys, read_snapshot
from statewise.streaming.steps import read_rows, read_steps


class _Push(NamedTuple):
    """Who was pushed together, and where their states lie."""

    keys: list[Any]
    slots: Array


_NOBODY = _Push([], np.zeros(0, np.int64))


class Streams(RunsOn):
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
        self._states = CompiledMany(runtime) if runtime.engine.name == "numba" else NumpyMany(runtime)
        self._latest = _NOBODY

    @classmethod
    def open(cls, path: str | Path, *, engine: str = "auto", **options: Any) -> Streams:
        """Returns streams of the model in a file, read without JAX.

        Args:
            path: the file.
            engine: as in `Runtime.of`.
            options: those of `Streams`.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: a layer reads from both ends.
        """
        return cls(Runtime.open(path, engine), **options)

    def __copy__(self) -> Streams:
        """Returns streams that go on from here by themselves; their ages start anew, as with `restore`."""
        other = Streams(
            self._runtime,
            max_streams=self._max_streams,
            max_age=self._max_age,
            on_evict=self._on_evict,
            clock=self._clock,
        )
        other.restore(self.snapshot())
        return other

    def __deepcopy__(self, _: Any) -> Streams:
        return copy(self)

    def __reduce__(self) -> Any:
        raise TypeError("streams cannot be pickled: pickle streams.snapshot(), and restore it into others of the model")

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
        if not xs:
            self._evict(self._leaving({}, self._clock()))
            return {}
        keys = list(xs)
        return dict(zip(keys, self._advance(keys, read_steps(self._runtime, xs)), strict=True))

    def push_rows(self, keys: Iterable[Any], x: object) -> Array:
        """Returns the answers `[n, V]` to one more step of each of n streams: `push` for those who have arrays.

        A push that fails changes nothing, for any key.

        Args:
            keys: whose step each row is, each key once.
            x: `[n, F]`, `[n]` if F is 1, or symbols `[n]`.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
        >>> streams = Streams(Runtime.of(model.network.config(), model.params))
        >>> streams.push_rows(["pump", "fan"], np.zeros((2, 2))).shape
        (2, 1)

        Raises:
            ShapeError, DataError: a row does not fit, or a key is there twice.
            ConfigurationError: more keys than `max_streams`.
        """
        self._check_open()
        listed = list(keys)
        if not listed:
            raise DataError("push_rows: expected at least one key, got none")
        if not self._is_latest(listed):
            check_keys("push_rows", listed)
            self._check_count("push_rows", len(listed))
        return self._advance(listed, read_rows(self._runtime, x, len(listed)))

    def _advance(self, keys: list[Any], x: Array) -> Array:
        now = self._clock()
        if self._is_latest(keys) and not self._too_old(next(iter(self._slots.values())), now):
            slots = self._latest.slots  # and the order stays as it is, too
            y = self._states.begin(slots, x)(slots)
            self._pushed[slots] = now
            return y
        leaving = self._leaving(dict.fromkeys(keys), now)
        known = [-1 if key in leaving else self._slots.get(key, -1) for key in keys]
        end = self._states.begin(np.array(known, np.int64), x)
        self._evict(leaving)
        slots = self._slots_for(keys)
        y = end(slots)
        self._note(keys, slots, now)
        return y

    def _is_latest(self, keys: list[Any]) -> bool:
        """Returns whether the latest push was of the same keys in the same order."""
        try:
            return self._latest.keys == keys
        except ValueError:  # arrays do not compare to True or False, and are no keys
            return False

    def _slots_for(self, keys: list[Any]) -> Array:
        """Returns where the keys' states are to lie: where they did, or in slots that are free."""
        slots = np.array([self._slots.get(key, -1) for key in keys], np.int64)
        new = np.flatnonzero(slots < 0)
        while len(self._free) < len(new):
            self._grow()
        slots[new] = self._free[: -len(new) - 1 : -1]
        return slots

    def _note(self, keys: list[Any], slots: Array, now: float) -> None:
        """Notes whose the slots are, the last key as the most recently pushed."""
        self._pushed[slots] = now
        before = len(self._slots)
        for key, slot in zip(keys, slots.tolist(), strict=True):
            self._slots[key] = slot
            self._slots.move_to_end(key)
        del self._free[len(self._free) - (len(self._slots) - before) :]
        self._latest = _Push(keys, slots)

    def _grow(self) -> None:
        """Makes room for twice as many."""
        size = len(self._pushed)
        self._pushed = np.concatenate([self._pushed, np.zeros_like(self._pushed)])
        self._states.grow()
        self._free = [*range(2 * size - 1, size - 1, -1), *self._free]

    # -- evicting ----------------------------------------------------------------------------------------------

    def _leaving(self, staying: Mapping[Any, object], now: float) -> dict[Any, int]:
        """Returns the keys and slots to evict so that `staying` can be pushed: those too old, then those too many."""
        leaving = {}
        for key, slot in self._slots.items():
            if not self._too_old(slot, now):
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

    def _too_old(self, slot: int, now: float) -> bool:
        return self._max_age is not None and bool(now - self._pushed[slot] > self._max_age)

    def _evict(self, leaving: Mapping[Any, int]) -> None:
        if self._on_evict is not None:
            self._evicting = True
            try:
                for key in leaving:
                    self._on_evict(key, self.state(key))
            finally:
                self._evicting = False
        for key in leaving:
            self._forget(key)

    def _forget(self, key: Hashable) -> None:
        self._free.append(self._slots.pop(key))
        self._latest = _NOBODY

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
        return self._runtime.state_of(self._states.read(np.array([self._slot(key)])))

    def _slot(self, key: Hashable) -> int:
        check_key(key)
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
        check_key(key)
        states, now = self._runtime.states_in(state, 1, f"stream {key!r}"), self._clock()
        self._evict(self._leaving({key: None}, now))
        self._put([key], states, now)

    def _put(self, keys: list[Any], states: LayerStates, now: float) -> None:
        """Stores the streams' states in the order of `keys`, the last as the most recently pushed."""
        self._latest = _NOBODY
        slots = self._slots_for(keys)
        self._states.write(slots, states)
        self._note(keys, slots, now)

    def drop(self, key: Hashable) -> None:
        """Forgets a stream, without `on_evict`.

        Raises:
            StateError: there is no such stream.
        """
        self._check_open()
        self._slot(key)
        self._forget(key)

    def clear(self) -> None:
        """Forgets all streams, without `on_evict`."""
        self._check_open()
        self._free += self._slots.values()
        self._slots.clear()
        self._latest = _NOBODY

    def snapshot(self) -> Snapshot:
        """Returns all keys, the least recently pushed first, and one state with their rows; `restore` takes both.

        `snapshot.save(path)` keeps them in a file.
        """
        slots = np.array(list(self._slots.values()), np.int64)
        return Snapshot(list(self._slots), self._runtime.state_of(self._states.read(slots)))

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
        keys, state = read_snapshot(snapshot)
        self._check_count("restore", len(keys))
        states = self._runtime.states_in(state, len(keys), f"{len(keys)} stream(s)")
        self.clear()
        self._put(keys, states, self._clock())
