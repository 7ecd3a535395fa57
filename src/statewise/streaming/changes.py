"""Steps of many streams, taken in two parts: what may fail comes first and shows nowhere, the rest cannot go wrong.

An exception may come at any line: Ctrl-C, a full memory. So whoever changes streams writes down what is to be done,
all of it, and then does it; who comes next does it again, which changes nothing if it was done already.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from statewise.foundation.shapes import Array
from statewise.state import LayerStates


class Step(Protocol):
    """A change of the states in some slots."""

    def run(self) -> Array | None:
        """Carries it out as far as that takes one call, and returns the answers, if there are any."""

    def done(self) -> bool:
        """Returns whether the change counts: if not, nothing has changed yet, and nothing will."""

    def finish(self) -> None:
        """Carries out the rest; may be called again."""


class Store(Protocol):
    """States in slots, and room for more. A slot that nobody uses may hold anything."""

    @property
    def size(self) -> int:
        """How many slots there are."""

    def grow(self, size: int) -> None:
        """Makes room for `size` slots; complete before it is shown."""

    def freshen(self, slots: Array) -> None:
        """Puts the state in which a sequence starts into `slots`, which nobody uses."""

    def read(self, slots: Array) -> LayerStates:
        """Returns the states in `slots`, copied."""

    def write(self, slots: Array, states: LayerStates) -> None:
        """Puts states into `slots`; may be called again."""

    def step(self, slots: Array, x: Array) -> Step:
        """Returns what takes the states in `slots` one step on, with x `[n, F]` or symbols `[n]`; answers `[n, V]`."""

    def step_one(self, slot: int, x: object, key: object) -> Step:
        """Returns what takes one state a step on; x is checked here, and called that of `key`. Answers `[V]`."""


class Write(NamedTuple):
    """A change whose outcome is known: states to be put into slots."""

    store: Store
    slots: Array
    states: LayerStates
    answers: Array | None = None

    def run(self) -> Array | None:
        """Returns the answers."""
        return self.answers

    def done(self) -> bool:
        """Returns True: to know the outcome is enough."""
        return True

    def finish(self) -> None:
        """Puts the states where they belong."""
        self.store.write(self.slots, self.states)


class _Nothing:
    """No change of any state."""

    def run(self) -> None:
        """Does nothing."""

    def done(self) -> bool:
        """Returns True."""
        return True

    def finish(self) -> None:
        """Does nothing."""


NOTHING = _Nothing()
