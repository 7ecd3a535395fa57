"""Many streams by key: a network advanced one step at a time for each key, without JAX."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from copy import copy
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError, DataError, LifecycleError, StateError
from statewise.foundation.shapes import Array, check_more_than_zero, check_whole, is_number
from statewise.state import State, describe_sizes
from statewise.streaming.calls_on_stack import calls_on_stack
from statewise.streaming.fork_safe_lock import ForkSafeLock
from statewise.streaming.runtime import EngineInfo, Runtime
from statewise.streaming.slot_table import RepeatPush, SlotTable, Transaction, slot_table
from statewise.streaming.snapshot import Snapshot, check_key, check_keys, read_snapshot
from statewise.streaming.step_input import read_rows, read_steps
from statewise.streaming.weight_upgrade import Model, compatible_runtime

# A `with` and its body share a line, so that not even a tracer's exception can occur between the body and the release
# of the lock. No other can: Python does not check for signals there.


class Streams(EngineInfo, ForkSafeLock):
    """Many sequences by key, each with its own state: `answers = streams.push({key: x, ...})`.

    All keys in one push advance in one batched step. A key that is new or was evicted starts fresh. Iteration yields
    the keys, the least recently pushed first. The answers equal those of a separate `Stream` for each key.

    Any number of threads may share it: calls run one after another. If a call is interrupted at any moment, by Ctrl-C
    or lack of memory, either all of its changes are made or none.

    Args:
        runtime: the network, `Runtime.of(config, params)`.
        max_streams: maximum number of streams; the least recently pushed are evicted first. None keeps all.
        max_age: seconds without a push after which a stream is evicted, at the next push of any key. None keeps all.
        on_evict: called as `on_evict(key, state)` before an eviction, so that `streams.resume` can restore it. If
            it raises, the push fails and nothing is evicted. Other threads wait; it may only read the streams.
        clock: returns the time in seconds; it is read only if there is a `max_age`.

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
        self._max_streams, self._max_age, self._on_evict, self._clock = max_streams, max_age, on_evict, clock
        self.make_lock()
        self._table = slot_table(runtime)

    @classmethod
    def open(cls, path: str | Path, *, engine: str = "auto", **options: Any) -> Streams:
        """Returns streams of the model in a file, read without JAX.

        Args:
            path: the file.
            engine: as in `Runtime.of`.
            options: as in `Streams`.

        Raises:
            FileError: the file is missing, damaged, or holds something else.
            StateError: a layer reads from both ends.
        """
        return cls(Runtime.open(path, engine), **options)

    def __copy__(self) -> Streams:
        """Returns independent streams that continue from here; their ages start over, as with `restore`."""
        with self._lock: return self._copied(self._completed())  # fmt: skip

    def _copied(self, table: SlotTable) -> Streams:
        limits: dict[str, Any] = {"max_streams": self._max_streams, "max_age": self._max_age}
        other = Streams(table.runtime, on_evict=self._on_evict, clock=self._clock, **limits)
        other._table = slot_table(table.runtime, table.slots, table.rows(), self._now())
        return other

    def __deepcopy__(self, _: Any) -> Streams:
        return copy(self)

    def __reduce__(self) -> Any:
        raise TypeError(
            "streams cannot be pickled: pickle streams.snapshot(), and restore it into new streams of the model"
        )

    def __repr__(self) -> str:
        most = "" if self._max_streams is None else f", max_streams={self._max_streams:,}"
        return f"Streams({len(self):,} keys, {describe_sizes(self._runtime.sizes)}, engine={self.engine!r}{most})"

    def __len__(self) -> int:
        with self._lock: return len(self._completed().slots)  # fmt: skip

    def __contains__(self, key: object) -> bool:
        with self._lock: return _is_hashable(key) and key in self._completed().slots  # fmt: skip

    def __iter__(self) -> Iterator[Any]:
        with self._lock: return iter(list(self._completed().slots))  # fmt: skip

    @property
    def _runtime(self) -> Runtime:
        return self._table.runtime

    # -- push --------------------------------------------------------------------------------------------------

    def push(self, xs: Mapping[Any, object]) -> dict[Any, Any]:
        """Returns the answer `[V]` to one more step of each stream in `xs`, by key.

        A failed push changes nothing for any key. Answers of a network with several outputs are as of `Stream.push`.

        Args:
            xs: one step for each key, as `Stream.push` takes it.

        Raises:
            ShapeError, DataError: a step does not fit; the message names its key.
            ConfigurationError: more keys than `max_streams`.
        """
        with self._lock: return self._push(xs)  # fmt: skip

    def push_one(self, key: Hashable, x: object) -> Any:
        """Returns the answer `[V]` to one more step of one stream: `push({key: x})[key]`, slightly faster.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
        >>> streams = Streams(Runtime.of(model.network.config(), model.params))
        >>> streams.push_one("pump", [0.1, 0.2]).shape
        (1,)

        Raises:
            ShapeError, DataError: the step does not fit; the message names the key.
        """
        with self._lock: return self._push_one(key, x)  # fmt: skip

    def push_rows(self, keys: Iterable[Any], x: object) -> Any:
        """Returns the answers `[n, V]` to one more step of each of n streams; like `push`, but with arrays.

        A failed push changes nothing for any key. Several outputs are as many arrays, as of `Stream.push`.

        Args:
            keys: the key of each row, each key once.
            x: `[n, F]`, `[n]` if F is 1, or symbols `[n]`; a dict of these by name if there are several inputs.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
        >>> streams = Streams(Runtime.of(model.network.config(), model.params))
        >>> streams.push_rows(["pump", "fan"], np.zeros((2, 2))).shape
        (2, 1)

        Raises:
            ShapeError, DataError: a row does not fit, or a key is repeated.
            ConfigurationError: more keys than `max_streams`.
        """
        listed = list(keys)
        with self._lock: return self._push_rows(listed, x)  # fmt: skip

    def _push(self, xs: Mapping[Any, object]) -> dict[Any, Any]:
        if not isinstance(xs, Mapping):
            raise DataError(f"push: expected a step for each key, such as {{'pump': [0.1, 0.2]}}, got {xs!r:.60}")
        if len(xs) == 1:
            return {key: self._push_one(key, x) for key, x in xs.items()}
        table = self._begin()
        self._check_count("push", len(xs))
        if not xs:
            evicted = self._evicted(table, {}, self._now())
            self._commit(table, evicted, table.remove(evicted))
            return {}
        keys = list(xs)
        return dict(zip(keys, table.by_row(self._advance(table, keys, read_steps(table.runtime, xs))), strict=True))

    def _push_one(self, key: Any, x: object) -> Any:
        table = self._begin()
        now = 0.0 if self._max_age is None else self._now()  # a call would take a tenth of a small step
        try:
            slot = table.slots.get(key)
        except TypeError:
            check_key(key)
            raise
        if slot is not None and (self._max_age is None or table.none_expired(now, self._max_age)):
            answer = table.push_known(key, slot, x, now)
            table.changing = False
            return answer
        evicted = self._evicted(table, {key: None}, now)
        return self._commit(table, evicted, table.push_one(evicted, key, x, now))

    def _push_rows(self, keys: list[Any], x: object) -> Any:
        table = self._begin()
        if not keys:
            raise DataError("push_rows: expected at least one key, got none")
        if not table.is_latest(keys):
            check_keys("push_rows", keys)
            self._check_count("push_rows", len(keys))
        return self._advance(table, keys, read_rows(table.runtime, x, len(keys)))

    def _advance(self, table: SlotTable, keys: list[Any], x: Array) -> Any:
        now = self._now()
        if table.is_latest(keys) and table.none_expired(now, self._max_age):
            slots = table.latest.slots
            return self._commit(table, {}, RepeatPush(table.store.step(slots, x), slots, now))
        evicted = self._evicted(table, dict.fromkeys(keys), now)
        return self._commit(table, evicted, table.push(evicted, keys, x, now))

    def _begin(self) -> SlotTable:
        """Returns the table to change, after completing an interrupted change."""
        table = self._table
        if table.changing:
            if calls_on_stack(self, CHANGES) > 1:
                raise LifecycleError(
                    "on_evict: expected a function that does not change the streams (nor may a signal handler during "
                    "a push); save the state it is given, and push or resume after the push"
                )
            table.finish_pending()
        table.changing = True
        return table

    def _completed(self) -> SlotTable:
        """Returns the table, after completing an interrupted change."""
        self._table.complete_pending()
        return self._table

    def _now(self) -> float:
        """Returns the time, or 0 if it is of no use, since streams have no age."""
        if self._max_age is None:
            return 0.0
        now = self._clock()
        if (type(now) is not float and not is_number(now)) or not isfinite(now):
            raise ConfigurationError(f"clock: expected a function that returns finite seconds, got {now!r:.60}")
        return now

    # -- eviction ----------------------------------------------------------------------------------------------

    def _evicted(self, table: SlotTable, pushed: Mapping[Any, object], now: float) -> dict[Any, int]:
        return table.evicted(pushed, now, self._max_streams, self._max_age)

    def _commit(self, table: SlotTable, evicted: Mapping[Any, int], transaction: Transaction) -> Any:
        """Executes the transaction that finishes a change, after calling `on_evict` for the evicted streams."""
        if self._on_evict is not None:
            for key in evicted:
                self._on_evict(key, self._state(table, key))
        answers = table.commit(transaction)
        table.changing = False
        return answers

    def _check_count(self, what: str, count: int) -> None:
        if self._max_streams is not None and count > self._max_streams:
            raise ConfigurationError(
                f"{what}: expected no more than max_streams={self._max_streams} keys at once, got {count}; "
                "increase max_streams, or push in parts"
            )

    # -- states ------------------------------------------------------------------------------------------------

    def state(self, key: Hashable) -> State:
        """Returns the state of a stream: one row, a value that later pushes do not change.

        Raises:
            StateError: there is no such stream.
        """
        with self._lock: return self._state(self._completed(), key)  # fmt: skip

    def _state(self, table: SlotTable, key: Hashable) -> State:
        return table.runtime.state_of(table.store.read(np.array([_slot(table, key)])))

    def resume(self, key: Hashable, state: State) -> None:
        """Makes the stream `key`, new or existing, continue from `state`, which has one row; counts as a push.

        Raises:
            StateError: the state belongs to another network, has another number of rows, or holds NaN or infinity.
        """
        with self._lock: self._resume(key, state)  # fmt: skip

    def _resume(self, key: Hashable, state: State) -> None:
        check_key(key)
        table = self._begin()
        states, now = table.runtime.states_in(state, 1, f"stream {key!r}"), self._now()
        evicted = self._evicted(table, {key: None}, now)
        self._commit(table, evicted, table.put(evicted, key, states, now))

    def drop(self, key: Hashable) -> None:
        """Removes a stream, without calling `on_evict`.

        Raises:
            StateError: there is no such stream.
        """
        with self._lock: self._drop(self._begin(), key)  # fmt: skip

    def _drop(self, table: SlotTable, key: Hashable) -> None:
        self._commit(table, {}, table.remove({key: _slot(table, key)}))

    def clear(self) -> None:
        """Removes all streams, without calling `on_evict`."""
        with self._lock: self._table = slot_table(self._begin().runtime)  # fmt: skip

    def snapshot(self) -> Snapshot:
        """Returns all keys, the least recently pushed first, and a state with their rows; `restore` takes both.

        `snapshot.save(path)` saves them to a file.
        """
        with self._lock: return self._snapshot(self._completed())  # fmt: skip

    def _snapshot(self, table: SlotTable) -> Snapshot:
        return Snapshot(list(table.slots), table.runtime.state_of(table.rows()))

    def restore(self, snapshot: tuple[Iterable[Hashable], State]) -> None:
        """Replaces all streams by those of a snapshot, taken in this process or another.

        Their ages start over. `resume(key, state)` adds a single stream to the existing ones.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 1)), sw.Dense(1)], seed=7)
        >>> streams = Streams(Runtime.of(model.network.config(), model.params))
        >>> kept = streams.push({"a": 1.0, "b": 2.0}) and streams.snapshot()
        >>> streams.restore(kept)
        >>> streams.snapshot() == kept
        True

        Raises:
            StateError: the state belongs to another network, does not have one row per key, or holds NaN or infinity.
            ConfigurationError: more keys than `max_streams`.
            DataError: a key is repeated or not hashable.
        """
        with self._lock: self._table = self._restored(self._begin(), snapshot)  # fmt: skip

    def _restored(self, table: SlotTable, snapshot: tuple[Iterable[Hashable], State]) -> SlotTable:
        keys, state = read_snapshot(snapshot)
        self._check_count("restore", len(keys))
        states = table.runtime.states_in(state, len(keys), f"{len(keys)} stream(s)")
        return slot_table(table.runtime, keys, states, self._now())

    def upgrade(self, model: Model) -> None:
        """Replaces the weights; the streams keep their keys, states and ages.

        Args:
            model: a `Sequential`, a `TextModel`, a `Runtime`, or the path of a model file, which is read without JAX.

        >>> import statewise as sw
        >>> old, new = (sw.Sequential([sw.LSTM(4, input_shape=(None, 1)), sw.Dense(1)], seed=s) for s in (7, 8))
        >>> streams = old.streams()
        >>> answers = streams.push({"a": 1.0, "b": 2.0})
        >>> streams.upgrade(new)
        >>> len(streams)
        2

        Raises:
            StateError: its states have other sizes, or its steps another shape; nothing has changed.
            FileError: the file holds no model.
        """
        runtime = compatible_runtime(self._runtime, model)
        with self._lock: self._table = self._begin().with_weights_of(runtime)  # fmt: skip


def _is_hashable(key: object) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _slot(table: SlotTable, key: Hashable) -> int:
    check_key(key)
    if key not in table.slots:
        raise StateError(
            f"no stream {key!r} among {len(table.slots)}: it was never pushed, or was evicted; `key in streams` says "
            "whether it exists"
        )
    return table.slots[key]


CHANGES = frozenset(
    getattr(Streams, name).__code__
    for name in ("push", "push_one", "push_rows", "resume", "drop", "clear", "restore", "upgrade")
)
"""The methods that change streams."""
