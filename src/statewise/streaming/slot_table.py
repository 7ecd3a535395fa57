"""The slot table: which key's state is in which slot, the order of pushes, and the pending transaction."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from statewise.foundation.shapes import Array
from statewise.state import LayerStates
from statewise.streaming.native_states import NativeStates
from statewise.streaming.numpy_states import NumpyStates
from statewise.streaming.runtime import Runtime
from statewise.streaming.slot_updates import NO_UPDATE, SlotStore, Update, Write
from statewise.streaming.step_input import read_step


class KeySlots(NamedTuple):
    """Keys pushed together, and the slots of their states."""

    keys: list[Any]
    slots: Array


_NO_KEYS = KeySlots([], np.zeros(0, np.int64))


class Transaction(Protocol):
    """Changes of the table to apply once an update is done; applying them again changes nothing."""

    @property
    def step(self) -> Update:
        """The update of the states."""

    def apply(self, table: SlotTable) -> None:
        """Applies the changes to the table."""


class RepeatPush(NamedTuple):
    """A push of the same keys as the last push, whose order stays."""

    step: Update
    slots: Array
    now: float

    def apply(self, table: SlotTable) -> None:
        """Records the time."""
        np.asarray(table.pushed)[self.slots] = self.now


class SinglePush:
    """A push of one existing stream; a table has one, since making another takes as long as a small step."""

    __slots__ = ("key", "now", "slot", "step")

    def __init__(self) -> None:
        self.step: Update = NO_UPDATE
        self.key: Any = None
        self.slot, self.now = 0, 0.0

    def apply(self, table: SlotTable) -> None:
        """Records the time, and moves the key to the end."""
        table.pushed[self.slot] = self.now
        table.slots.move_to_end(self.key)
        table.latest = _NO_KEYS


class SlotChange(NamedTuple):
    """Streams removed, and others added or pushed, the most recent last."""

    step: Update
    removed: Sequence[Any]
    push: KeySlots
    now: float
    free_before: int  # number of free slots that stay free
    freed: list[int]
    used: int  # number of slots ever used

    def apply(self, table: SlotTable) -> None:
        """Updates the keys, their slots, and the free slots."""
        for key in self.removed:
            table.slots.pop(key, None)
        for key, slot in zip(self.push.keys, self.push.slots.tolist(), strict=True):
            table.slots[key] = slot
            table.slots.move_to_end(key)
        table.free[self.free_before :] = self.freed
        table.used = self.used
        np.asarray(table.pushed)[self.push.slots] = self.now
        table.latest = self.push


class SlotTable:
    """States by key: a store of states, and the key of each slot.

    A transaction is assigned to `pending` before any of it is executed. That assignment, or the native step itself,
    commits it. An interruption before that changes nothing; after it, `finish_pending` does the rest.
    """

    by_row: Callable[[Any], Iterable[Any]] = staticmethod(iter)
    """Returns the answers of a step of several streams, one after the other."""

    def __init__(self, runtime: Runtime, keys: Iterable[Any] = (), states: LayerStates | None = None, now: float = 0.0):
        """Makes a table of streams with these states, one row per key, the most recently pushed last."""
        self.runtime = runtime
        self.slots: OrderedDict[Any, int] = OrderedDict((key, slot) for slot, key in enumerate(keys))
        self.used = len(self.slots)  # slots >= used were never used
        self.free: list[int] = []  # slots that were used and are free now
        # The time of the last push, by slot; to write one number, a memoryview takes a third of an array's time.
        self.pushed: memoryview[Any] = np.full(max(self.used, 1), now).data
        self.store = _store(runtime, len(self.pushed))
        if states is not None:
            self.store.write(np.arange(self.used), states)
        self.latest = _NO_KEYS
        self.pending: Transaction | None = None
        self.changing = False  # whether a call has begun to change it and did not say that it has finished
        self._single = SinglePush()

    def with_weights_of(self, runtime: Runtime) -> SlotTable:
        """Returns a table of the same streams and states on another network with states of the same sizes."""
        other = slot_table(runtime)
        other.store = _store(runtime, self.store.size)
        everywhere = np.arange(self.store.size)
        other.store.write(everywhere, self.store.read(everywhere))
        other.slots, other.free, other.used = self.slots, self.free, self.used
        other.pushed, other.latest = self.pushed, self.latest
        return other

    def is_latest(self, keys: list[Any]) -> bool:
        """Returns whether the latest push had the same keys in the same order."""
        try:
            return self.latest.keys == keys
        except ValueError:  # arrays, which are not keys, do not compare to True or False
            return False

    def rows(self) -> LayerStates:
        """Returns a copy of the states of all streams, in their order."""
        return self.store.read(np.array(list(self.slots.values()), np.int64))

    # -- transactions ------------------------------------------------------------------------------------------

    def commit(self, transaction: Transaction) -> Any:
        """Executes a transaction, and returns the answers of its step."""
        self.pending = transaction
        answers = transaction.step.run()
        transaction.apply(self)
        self.pending = None
        return answers

    def finish_pending(self) -> None:
        """Completes an interrupted transaction if it is committed, and clears it."""
        self.complete_pending()
        self.pending = None

    def complete_pending(self) -> None:
        """Completes a committed transaction before a read, which may come from a signal handler in the middle of it."""
        if (pending := self.pending) is not None and pending.step.done():
            pending.step.finish()
            pending.apply(self)

    def push(self, evicted: Mapping[Any, int], keys: list[Any], x: Array, now: float) -> Transaction:
        """Returns the transaction of one step for each of `keys`; new and evicted keys start fresh."""
        slots, new, used = self._assign_slots(evicted, keys)
        self.store.reset(slots[new])
        return self._change(self.store.step(slots, x), evicted, KeySlots(keys, slots), now, len(new), used)

    def push_known(self, key: Any, slot: int, x: object, now: float) -> Any:
        """Executes one step of `key`, whose state is in `slot`, and returns its answer."""
        single = self._single  # free, since no transaction is pending
        step = self.store.step_one(slot, x, key)
        single.step, single.key, single.slot, single.now = step, key, slot, now
        self.pending = single
        answer = step.run()
        single.apply(self)
        self.pending = None
        return answer

    def push_one(self, evicted: Mapping[Any, int], key: Any, x: object, now: float) -> Transaction:
        """Returns the transaction of one step of `key`; a new or evicted key starts fresh."""
        if evicted:  # the native step would detect invalid input too late, after evictions
            read_step(self.runtime, x, key)
        slots, new, used = self._assign_slots(evicted, [key])
        if len(new):
            self.store.reset(slots)
        step = self.store.step_one(int(slots[0]), x, key)
        return self._change(step, evicted, KeySlots([key], slots), now, len(new), used)

    def put(self, evicted: Mapping[Any, int], key: Any, states: LayerStates, now: float) -> Transaction:
        """Returns the transaction that adds `key` with a state, or replaces its state."""
        slots, new, used = self._assign_slots(evicted, [key])
        return self._change(Write(self.store, slots, states), evicted, KeySlots([key], slots), now, len(new), used)

    def remove(self, evicted: Mapping[Any, int]) -> Transaction:
        """Returns the transaction that removes streams."""
        return self._change(NO_UPDATE, evicted, _NO_KEYS, 0.0, 0, self.used)

    def _assign_slots(self, evicted: Mapping[Any, int], keys: list[Any]) -> tuple[Array, Array, int]:
        """Returns the keys' slots, the indices of the new keys, and the number of slots used afterwards.

        New keys get unused slots, never those of evicted keys, whose states stay until the transaction is done.
        """
        slots = np.array([-1 if key in evicted else self.slots.get(key, -1) for key in keys], np.int64)
        new = np.flatnonzero(slots < 0)
        reused = self.free[: -len(new) - 1 : -1]
        used = self.used + len(new) - len(reused)
        if used > self.store.size:
            self._grow(max(used, 2 * self.store.size))
        slots[new] = [*reused, *range(self.used, used)]
        return slots, new, used

    def _change(
        self, step: Update, evicted: Mapping[Any, int], push: KeySlots, now: float, new: int, used: int
    ) -> SlotChange:
        left = max(len(self.free) - new, 0)
        return SlotChange(step, tuple(evicted), push, now, left, list(evicted.values()), used)

    def _grow(self, size: int) -> None:
        """Makes room for more slots; an interruption between the lines is harmless."""
        self._single.step = NO_UPDATE  # which belongs to the store that is outgrown
        self.pushed = np.concatenate([self.pushed[: self.store.size], np.zeros(size - self.store.size)]).data
        self.store.grow(size)

    # -- eviction ----------------------------------------------------------------------------------------------

    def evicted(
        self, pushed: Mapping[Any, object], now: float, most: int | None, oldest: float | None
    ) -> dict[Any, int]:
        """Returns the keys and slots to evict for a push of `pushed`: first expired streams, then surplus ones."""
        evicted: dict[Any, int] = {}
        if oldest is not None:
            for key, slot in self.slots.items():
                if not now - self.pushed[slot] > oldest:
                    break  # those after it were pushed later
                evicted[key] = slot
        if most is None:
            return evicted
        new = sum(key not in self.slots or key in evicted for key in pushed)
        surplus = len(self.slots) - len(evicted) + new - most
        for key, slot in self.slots.items():
            if surplus <= 0:
                break
            if key not in evicted and key not in pushed:
                evicted[key] = slot
                surplus -= 1
        return evicted

    def none_expired(self, now: float, oldest: float | None) -> bool:
        """Returns whether no stream was idle for longer than `oldest`."""
        return oldest is None or not self.slots or not now - self.pushed[next(iter(self.slots.values()))] > oldest


class NamedSlotTable(SlotTable):
    """A table of a network whose answers go by output, a dict or a list of arrays, as its runtime says."""

    def commit(self, transaction: Transaction) -> Any:
        """Executes a transaction, and returns the answers of its step, if it has any."""
        answers = super().commit(transaction)
        return None if answers is None else self.runtime.in_form(answers)

    def push_known(self, key: Any, slot: int, x: object, now: float) -> Any:
        """Executes one step of `key`, whose state is in `slot`, and returns its answers."""
        return self.runtime.in_form(super().push_known(key, slot, x, now))

    @staticmethod
    def by_row(answers: Any) -> Iterable[Any]:
        """Returns the answers of a step of several streams, one after the other."""
        if isinstance(answers, list):
            return map(list, zip(*answers, strict=True))
        return (dict(zip(answers, row, strict=True)) for row in zip(*answers.values(), strict=True))


def slot_table(
    runtime: Runtime, keys: Iterable[Any] = (), states: LayerStates | None = None, now: float = 0.0
) -> SlotTable:
    """Returns the table for a network, of streams with these states."""
    return (SlotTable if runtime.form == "one" else NamedSlotTable)(runtime, keys, states, now)


def _store(runtime: Runtime, size: int) -> SlotStore:
    return NativeStates(runtime, size) if runtime.engine.name == "native" else NumpyStates(runtime, size)
