"""Many streams by key: a network that is pushed one step at a time for each. Does without JAX."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError, DataError, LifecycleError, StateError
from statewise.foundation.shapes import Array, check_more_than_zero, check_whole, is_number
from statewise.state import State, describe_sizes
from statewise.streaming.ledger import Ledger, One, Record, SameAgain
from statewise.streaming.locked import Locked
from statewise.streaming.runtime import RunsOn, Runtime
from statewise.streaming.snapshot import Snapshot, check_key, check_keys, read_snapshot
from statewise.streaming.steps import read_rows, read_steps
from statewise.streaming.upgrading import Model, runtime_like

# A `with` and its body share a line here, so that not even a tracer's exception comes between the body and the release
# of the lock. No other can: Python looks for signals nowhere on that way.


class Streams(RunsOn, Locked):
    """Many sequences by key, each with a state of its own: `answers = streams.push({key: x, ...})`.

    All that is pushed in one call advances in one batched step. A key that is new, or was evicted, starts fresh.
    Iterating gives the keys, the least recently pushed first. Equal to a `Stream` for each key, whatever is pushed
    together.

    Any number of threads may share it: calls take turns, each whole. A call that is interrupted at whatever moment, by
    Ctrl-C or a full memory, leaves all keys as they were before it or all as they are after it.

    Args:
        runtime: the network, `Runtime.of(config, params)`.
        max_streams: how many are kept at most; the least recently pushed are evicted first. None keeps all.
        max_age: seconds without a push after which a stream is evicted, at the next push of any. None keeps all.
        on_evict: called as `on_evict(key, state)` with each stream before it goes, so that nothing is lost;
            `streams.resume(key, state)` brings it back. If it raises, the push fails and nothing is evicted. Other
            threads wait meanwhile; it may read the streams, not change them.
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
        self._max_streams, self._max_age, self._on_evict, self._clock = max_streams, max_age, on_evict, clock
        self.take_locks()
        self._ledger = Ledger(runtime)

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
        """Returns streams that continue from here by themselves; their ages start over, as with `restore`."""
        with self._lock: return self._copied(self._completed())  # fmt: skip

    def _copied(self, ledger: Ledger) -> Streams:
        other = Streams(
            ledger.runtime,
            max_streams=self._max_streams,
            max_age=self._max_age,
            on_evict=self._on_evict,
            clock=self._clock,
        )
        other._ledger = Ledger(ledger.runtime, ledger.slots, ledger.rows(), self._now())
        return other

    def __deepcopy__(self, _: Any) -> Streams:
        return copy(self)

    def __reduce__(self) -> Any:
        raise TypeError("streams cannot be pickled: pickle streams.snapshot(), and restore it into others of the model")

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
        return self._ledger.runtime

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
        with self._lock, self._change(): return self._push(xs)  # fmt: skip

    def push_one(self, key: Hashable, x: object) -> Array:
        """Returns the answer `[V]` to one more step of one stream: `push({key: x})[key]`, a little quicker.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 2)), sw.Dense(1)], seed=7)
        >>> streams = Streams(Runtime.of(model.network.config(), model.params))
        >>> streams.push_one("pump", [0.1, 0.2]).shape
        (1,)

        Raises:
            ShapeError, DataError: the step does not fit; the message names the key.
        """
        with self._lock, self._change(): return self._push_one(key, x)  # fmt: skip

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
        listed = list(keys)
        with self._lock, self._change(): return self._push_rows(listed, x)  # fmt: skip

    def _push(self, xs: Mapping[Any, object]) -> dict[Any, Array]:
        if not isinstance(xs, Mapping):
            raise DataError(f"push: expected a step for each key, such as {{'pump': [0.1, 0.2]}}, got {xs!r:.60}")
        if len(xs) == 1:
            return {key: self._push_one(key, x) for key, x in xs.items()}
        self._check_count("push", len(xs))
        ledger = self._ledger
        if not xs:
            leaving = self._leaving(ledger, {}, self._now())
            self._commit(ledger, leaving, ledger.forget(leaving))
            return {}
        keys = list(xs)
        return dict(zip(keys, self._advance(ledger, keys, read_steps(ledger.runtime, xs)), strict=True))

    def _push_one(self, key: Any, x: object) -> Array:
        check_key(key)
        ledger, now = self._ledger, self._now()
        slot = ledger.slots.get(key)
        answer: Array
        if slot is not None and ledger.nobody_is_older(now, self._max_age):
            answer = ledger.commit(One(ledger.store.step_one(slot, x, key), key, slot, now))
            return answer
        leaving = self._leaving(ledger, {key: None}, now)
        answer = self._commit(ledger, leaving, ledger.push_one(leaving, key, x, now))
        return answer

    def _push_rows(self, keys: list[Any], x: object) -> Array:
        ledger = self._ledger
        if not keys:
            raise DataError("push_rows: expected at least one key, got none")
        if not _is_latest(ledger, keys):
            check_keys("push_rows", keys)
            self._check_count("push_rows", len(keys))
        return self._advance(ledger, keys, read_rows(ledger.runtime, x, len(keys)))

    def _advance(self, ledger: Ledger, keys: list[Any], x: Array) -> Array:
        now = self._now()
        answers: Array
        if _is_latest(ledger, keys) and ledger.nobody_is_older(now, self._max_age):
            slots = ledger.latest.slots
            answers = ledger.commit(SameAgain(ledger.store.step(slots, x), slots, now))
            return answers
        leaving = self._leaving(ledger, dict.fromkeys(keys), now)
        answers = self._commit(ledger, leaving, ledger.push(leaving, keys, x, now))
        return answers

    def _change(self) -> threading.Lock:
        """Returns the lock to hold while changing the streams, which are as the last change left them."""
        if self._changing.locked():  # by this thread, which holds the other lock
            raise LifecycleError(
                "on_evict: expected a function that leaves the streams as they are, as must a signal's handler in the "
                "midst of a push; keep the state it is given, and push or resume once the push is over"
            )
        if self._ledger.pending is not None:
            self._ledger.settle()
        return self._changing

    def _completed(self) -> Ledger:
        """Returns the ledger, with the change that somebody was interrupted in."""
        self._ledger.complete()
        return self._ledger

    def _now(self) -> float:
        now = self._clock()
        if not is_number(now) or not math.isfinite(now):
            raise ConfigurationError(
                f"clock: expected a function that returns seconds, a finite number, got {now!r:.60}"
            )
        return now

    # -- evicting ----------------------------------------------------------------------------------------------

    def _leaving(self, ledger: Ledger, staying: Mapping[Any, object], now: float) -> dict[Any, int]:
        return ledger.leaving(staying, now, self._max_streams, self._max_age)

    def _commit(self, ledger: Ledger, leaving: Mapping[Any, int], record: Record) -> Any:
        """Makes a change, after `on_evict` took over those who leave."""
        if self._on_evict is not None:
            for key in leaving:
                self._on_evict(key, self._state(ledger, key))
        return ledger.commit(record)

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
        with self._lock: return self._state(self._completed(), key)  # fmt: skip

    def _state(self, ledger: Ledger, key: Hashable) -> State:
        return ledger.runtime.state_of(ledger.store.read(np.array([_slot(ledger, key)])))

    def resume(self, key: Hashable, state: State) -> None:
        """Makes the stream `key`, there or not, continue from `state`, which has one row; counts as a push of it.

        Raises:
            StateError: the state belongs to another network, has another number of rows, or holds NaN or infinity.
        """
        with self._lock, self._change(): self._resume(key, state)  # fmt: skip

    def _resume(self, key: Hashable, state: State) -> None:
        check_key(key)
        ledger = self._ledger
        states, now = ledger.runtime.states_in(state, 1, f"stream {key!r}"), self._now()
        leaving = self._leaving(ledger, {key: None}, now)
        self._commit(ledger, leaving, ledger.put(leaving, key, states, now))

    def drop(self, key: Hashable) -> None:
        """Forgets a stream, without `on_evict`.

        Raises:
            StateError: there is no such stream.
        """
        with self._lock, self._change(): self._drop(self._ledger, key)  # fmt: skip

    def _drop(self, ledger: Ledger, key: Hashable) -> None:
        ledger.commit(ledger.forget({key: _slot(ledger, key)}))

    def clear(self) -> None:
        """Forgets all streams, without `on_evict`."""
        with self._lock, self._change(): self._ledger = Ledger(self._runtime)  # fmt: skip

    def snapshot(self) -> Snapshot:
        """Returns all keys, the least recently pushed first, and one state with their rows; `restore` takes both.

        `snapshot.save(path)` keeps them in a file.
        """
        with self._lock: return self._snapshot(self._completed())  # fmt: skip

    def _snapshot(self, ledger: Ledger) -> Snapshot:
        return Snapshot(list(ledger.slots), ledger.runtime.state_of(ledger.rows()))

    def restore(self, snapshot: tuple[Iterable[Hashable], State]) -> None:
        """Becomes what `snapshot` returned, in this process or another: these streams, and no others.

        Their ages start over. To add one stream to those there are, `resume(key, state)`.

        >>> import statewise as sw
        >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 1)), sw.Dense(1)], seed=7)
        >>> streams = Streams(Runtime.of(model.network.config(), model.params))
        >>> kept = streams.push({"a": 1.0, "b": 2.0}) and streams.snapshot()
        >>> streams.restore(kept)
        >>> streams.snapshot() == kept
        True

        Raises:
            StateError: the state belongs to another network, has not a row for each key, or holds NaN or infinity.
            ConfigurationError: more keys than `max_streams`.
            DataError: a key twice, or one that cannot be a key.
        """
        with self._lock, self._change(): self._ledger = self._restored(snapshot)  # fmt: skip

    def _restored(self, snapshot: tuple[Iterable[Hashable], State]) -> Ledger:
        keys, state = read_snapshot(snapshot)
        self._check_count("restore", len(keys))
        states = self._runtime.states_in(state, len(keys), f"{len(keys)} stream(s)")
        return Ledger(self._runtime, keys, states, self._now())

    def upgrade(self, model: Model) -> None:
        """Puts new weights under the streams, which keep their keys, states and ages; the next push is with them.

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
            StateError: its states are of other sizes, or it reads other steps; nothing has changed.
            FileError: there is no model in the file.
        """
        runtime = runtime_like(self._runtime, model)
        with self._lock, self._change(): self._ledger = self._ledger.with_weights_of(runtime)  # fmt: skip


def _is_hashable(key: object) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _is_latest(ledger: Ledger, keys: list[Any]) -> bool:
    """Returns whether the latest push was of the same keys in the same order."""
    try:
        return ledger.latest.keys == keys
    except ValueError:  # arrays do not compare to True or False, and are no keys
        return False


def _slot(ledger: Ledger, key: Hashable) -> int:
    check_key(key)
    if key not in ledger.slots:
        raise StateError(
            f"no stream {key!r} among {len(ledger.slots)}; it was never pushed, or was evicted: `key in streams` says "
            "whether one is there"
        )
    return ledger.slots[key]
