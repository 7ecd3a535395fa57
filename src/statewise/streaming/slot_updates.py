"""Updates of the states of many streams, in two phases: the first may fail without effect, the second cannot fail.

An exception can occur at any line: Ctrl-C, out of memory. So an update is first described completely and then
performed; the next call finishes it again, which changes nothing if it was already complete.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from statewise.foundation.shapes import Array
from statewise.state import LayerStates


class Update(Protocol):
    """An update of the states in some slots."""

    def run(self) -> Array | None:
        """Performs the update, and returns the answers, if any."""

    def done(self) -> bool:
        """Returns whether the update is committed; if not, nothing has changed and nothing will."""

    def finish(self) -> None:
        """Performs what an interruption left undone of a committed update; may be repeated."""


class SlotStore(Protocol):
    """States in numbered slots, with room for more. Unused slots may hold anything."""

    @property
    def size(self) -> int:
        """The number of slots."""

    def grow(self, size: int) -> None:
        """Makes room for `size` slots; takes effect at once."""

    def reset(self, slots: Array) -> None:
        """Writes the initial state into `slots`, which must be unused."""

    def read(self, slots: Array) -> LayerStates:
        """Returns a copy of the states in `slots`."""

    def write(self, slots: Array, states: LayerStates) -> None:
        """Writes states into `slots`; may be repeated."""

    def step(self, slots: Array, x: Array) -> Update:
        """Returns the update for one step of `slots`, with x `[n, F]` or symbols `[n]`; answers `[n, V]`."""

    def step_one(self, slot: int, x: object, key: object) -> Update:
        """Returns the update for one step of one slot; errors about x name `key`. Answers `[V]`."""


class Write(NamedTuple):
    """An update whose result is already computed: states to write into slots."""

    store: SlotStore
    slots: Array
    states: LayerStates
    answers: Array | None = None

    def run(self) -> Array | None:
        """Writes the states, and returns the answers."""
        self.finish()
        return self.answers

    def done(self) -> bool:
        """Returns True: the result is known, so the update is committed."""
        return True

    def finish(self) -> None:
        """Writes the states."""
        self.store.write(self.slots, self.states)


class _NoUpdate:
    """An update of no state."""

    def run(self) -> None:
        """Does nothing."""

    def done(self) -> bool:
        """Returns True."""
        return True

    def finish(self) -> None:
        """Does nothing."""


NO_UPDATE = _NoUpdate()
