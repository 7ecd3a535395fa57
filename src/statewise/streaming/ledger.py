"""A ledger: whose state lies in which slot, who was pushed last, and the change that is being made."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from statewise.foundation.shapes import Array
from statewise.state import LayerStates
from statewise.streaming.changes import NOTHING, Step, Store, Write
from statewise.streaming.in_numba import CompiledMany
from statewise.streaming.in_numpy import NumpyMany
from statewise.streaming.runtime import Runtime
from statewise.streaming.steps import read_step


class Push(NamedTuple):
    """Who was pushed together, and where their states lie."""

    keys: list[Any]
    slots: Array


_NOBODY = Push([], np.zeros(0, np.int64))


class Record(Protocol):
    """What is to be noted once a step is done, all known beforehand, so that noting it again changes nothing."""

    @property
    def step(self) -> Step:
        """The change of the states."""

    def note(self, ledger: Ledger) -> None:
        """Notes it."""


class SameAgain(NamedTuple):
    """A push of those who were pushed last: their order stays."""

    step: Step
    slots: Array
    now: float

    def note(self, ledger: Ledger) -> None:
        """Notes when."""
        ledger.pushed[self.slots] = self.now


class One(NamedTuple):
    """A push of one stream that is there."""

    step: Step
    key: Any
    slot: int
    now: float

    def note(self, ledger: Ledger) -> None:
        """Notes when, and that it was the last."""
        ledger.pushed[self.slot] = self.now
        ledger.slots.move_to_end(self.key)
        ledger.latest = _NOBODY


class Change(NamedTuple):
    """Streams that go, and others that come or were pushed, the last of them most recently."""

    step: Step
    gone: Sequence[Any]
    push: Push
    now: float
    free_before: int  # how many of the free slots stay free
    freed: list[int]
    used: int  # how many slots were ever used

    def note(self, ledger: Ledger) -> None:
        """Notes who went, who is there, and which slots are free."""
        for key in self.gone:
            ledger.slots.pop(key, None)
        for key, slot in zip(self.push.keys, self.push.slots.tolist(), strict=True):
            ledger.slots[key] = slot
            ledger.slots.move_to_end(key)
        ledger.free[self.free_before :] = self.freed
        ledger.used = self.used
        ledger.pushed[self.push.slots] = self.now
        ledger.latest = self.push


class Ledger:
    """States by key: a store of them, and whose they are.

    A change is written down in `pending` before anything of it is done. That one assignment, or for the compiled step
    the step itself, is the moment at which it counts. Whoever is interrupted before it has changed nothing; what is
    left to do after it, `settle` does.
    """

    def __init__(self, runtime: Runtime, keys: Iterable[Any] = (), states: LayerStates | None = None, now: float = 0.0):
        """Makes a ledger of streams in these states, a row for each key, the last the most recently pushed."""
        self.runtime = runtime
        self.slots: OrderedDict[Any, int] = OrderedDict((key, slot) for slot, key in enumerate(keys))
        self.used = len(self.slots)  # slots from here on were never used
        self.free: list[int] = []  # those that were, and are not
        self.pushed = np.full(max(self.used, 1), now)  # when, for each slot
        self.store = _store(runtime, len(self.pushed))
        if states is not None:
            self.store.write(np.arange(self.used), states)
        self.latest = _NOBODY
        self.pending: Record | None = None

    def with_weights_of(self, runtime: Runtime) -> Ledger:
        """Returns a ledger of the same streams in the same states, on another network whose states are alike."""
        other = Ledger(runtime)
        other.store = _store(runtime, self.store.size)
        everywhere = np.arange(self.store.size)
        other.store.write(everywhere, self.store.read(everywhere))
        other.slots, other.free, other.used = self.slots, self.free, self.used
        other.pushed, other.latest = self.pushed, self.latest
        return other

    def rows(self) -> LayerStates:
        """Returns the states of all streams in their order, copied."""
        return self.store.read(np.array(list(self.slots.values()), np.int64))

    # -- changing ----------------------------------------------------------------------------------------------

    def commit(self, record: Record) -> Any:
        """Makes a change, and returns what its step answers."""
        self.pending = record
        answers = record.step.run()
        self.settle()
        return answers

    def settle(self) -> None:
        """Completes the change that somebody was interrupted in, if it counts; the next may begin."""
        self.complete()
        self.pending = None

    def complete(self) -> None:
        """Completes that change for whoever only reads, a signal's handler in the midst of it among them."""
        if (pending := self.pending) is not None and pending.step.done():
            pending.step.finish()
            pending.note(self)

    def push(self, leaving: Mapping[Any, int], keys: list[Any], x: Array, now: float) -> Record:
        """Returns the record of a step of each of `keys`, those who are new or leaving from the start."""
        slots, new, used = self._places(leaving, keys)
        self.store.freshen(slots[new])
        return self._change(self.store.step(slots, x), leaving, Push(keys, slots), now, len(new), used)

    def push_one(self, leaving: Mapping[Any, int], key: Any, x: object, now: float) -> Record:
        """Returns the record of a step of `key`, from the start if it is new or leaving."""
        if leaving:  # the compiled step itself would notice what does not fit too late, when some are told to go
            read_step(self.runtime, x, key)
        slots, new, used = self._places(leaving, [key])
        if len(new):
            self.store.freshen(slots)
        step = self.store.step_one(int(slots[0]), x, key)
        return self._change(step, leaving, Push([key], slots), now, len(new), used)

    def put(self, leaving: Mapping[Any, int], key: Any, states: LayerStates, now: float) -> Record:
        """Returns the record of `key` coming to be in a state, or being put into it."""
        slots, new, used = self._places(leaving, [key])
        return self._change(Write(self.store, slots, states), leaving, Push([key], slots), now, len(new), used)

    def forget(self, leaving: Mapping[Any, int]) -> Record:
        """Returns the record of streams that go."""
        return self._change(NOTHING, leaving, _NOBODY, 0.0, 0, self.used)

    def _places(self, leaving: Mapping[Any, int], keys: list[Any]) -> tuple[Array, Array, int]:
        """Returns the keys' slots, which of the keys are new, and how many slots will have been used.

        Nobody's state lies in what new keys are given: not even that of those who leave, until they are gone.
        """
        slots = np.array([-1 if key in leaving else self.slots.get(key, -1) for key in keys], np.int64)
        new = np.flatnonzero(slots < 0)
        reused = self.free[: -len(new) - 1 : -1]
        used = self.used + len(new) - len(reused)
        if used > self.store.size:
            self._grow(max(used, 2 * self.store.size))
        slots[new] = [*reused, *range(self.used, used)]
        return slots, new, used

    def _change(self, step: Step, leaving: Mapping[Any, int], push: Push, now: float, new: int, used: int) -> Change:
        left = max(len(self.free) - new, 0)
        return Change(step, tuple(leaving), push, now, left, list(leaving.values()), used)

    def _grow(self, size: int) -> None:
        """Makes room for more; too much room in one of the two would do no harm."""
        self.pushed = np.concatenate([self.pushed[: self.store.size], np.zeros(size - self.store.size)])
        self.store.grow(size)

    # -- leaving -----------------------------------------------------------------------------------------------

    def leaving(
        self, staying: Mapping[Any, object], now: float, most: int | None, oldest: float | None
    ) -> dict[Any, int]:
        """Returns the keys and slots to evict so that `staying` can be pushed: those too old, then those too many."""
        leaving: dict[Any, int] = {}
        if oldest is not None:
            for key, slot in self.slots.items():
                if not now - self.pushed[slot] > oldest:
                    break  # those after it were pushed later
                leaving[key] = slot
        if most is None:
            return leaving
        new = sum(key not in self.slots or key in leaving for key in staying)
        surplus = len(self.slots) - len(leaving) + new - most
        for key, slot in self.slots.items():
            if surplus <= 0:
                break
            if key not in leaving and key not in staying:
                leaving[key] = slot
                surplus -= 1
        return leaving

    def nobody_is_older(self, now: float, oldest: float | None) -> bool:
        """Returns whether no stream was left alone for longer than `oldest`."""
        return oldest is None or not self.slots or not now - self.pushed[next(iter(self.slots.values()))] > oldest


def _store(runtime: Runtime, size: int) -> Store:
    return CompiledMany(runtime, size) if runtime.engine.name == "numba" else NumpyMany(runtime, size)
