"""Where the rows of a run start: `state="fresh" | "carry" | "continue" | "warmup:n" | <State>`, the same everywhere."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TypeVar

import jax
import numpy as np

from statewise.data.batches import Samples
from statewise.data.ragged_rows import RaggedRows
from statewise.errors import ConfigurationError, StateError, nearest, warn
from statewise.network import Network
from statewise.state import LayerStates, State

Held = TypeVar("Held", Samples, RaggedRows)


@dataclass(frozen=True)
class Start:
    """Where rows start, and whether a batch continues from the one before it."""

    carry: bool = False  # whether row r of batch k+1 continues from row r of batch k
    warmup: int = 0  # how many steps of each row only warm up the state
    batch: LayerStates | None = None  # with carry: where the first batch starts; None starts it fresh
    rows: LayerStates | None = None  # where each of the N rows starts; None starts them fresh
    keep: bool = False  # whether the final state becomes `model.state`
    across_epochs: bool = False  # with carry: whether an epoch continues from the one before it

    def describe(self) -> list[object]:
        """Returns what identifies this start, as JSON holds it."""
        numbers = [np.asarray(part).tobytes() for part in jax.tree.leaves((self.batch, self.rows))]
        return [self._word, self.warmup, zlib.crc32(b"".join(numbers))]

    @property
    def after(self) -> Start:
        """Where the validation rows start of a training that starts here."""
        return Start(carry=self.carry, warmup=self.warmup)

    @property
    def _word(self) -> str:
        return "continue" if self.across_epochs else "carry" if self.carry else "fresh"

    def on(self, samples: Held) -> Held:
        """Returns the samples with the state each row starts in, if rows have such states."""
        if self.rows is None:
            return samples
        return samples.starting_in(tuple(np.asarray(part) for part in jax.tree.leaves(self.rows)))


def read_start(state: object, network: Network, rows: int | None, batch_size: int, kept: State | None) -> Start:
    """Returns the start that `state` means for N `rows` in batches of `batch_size`; "continue" uses `kept`, if any.

    `rows` is None if batches come one at a time and their number is unknown.

    Raises:
        ConfigurationError: an unknown word.
        StateError: a state of another network or with another number of rows, or nothing can be carried here.
    """
    if isinstance(state, State):
        network.check_carriable("state=<State>")
        if state.batch == rows:
            return Start(rows=network.check_state(state, rows))
        return Start(carry=True, batch=_states_of_a_batch("state", state, network, rows, batch_size))
    if state == "fresh":
        return Start()
    if state in ("carry", "continue"):
        network.check_carriable(f"state={state!r}")
        return Start(
            carry=True,
            batch=None
            if kept is None or state == "carry"
            else _states_of_a_batch("model.state", kept, network, rows, batch_size),
            keep=True,
            across_epochs=state == "continue",
        )
    start = Start(warmup=_warmup(state))
    if start.warmup:
        network.only_axis(f"state={state!r}")
        network.check_continuable(f"state={state!r}")
    return start


def warn_unused(start: Start, kept: State | None) -> None:
    """Warns if "carry" starts fresh although there is a state that "continue" would start from."""
    if start.carry and start.keep and not start.across_epochs and kept is not None:
        warn(
            "state='carry' starts fresh and ignores the model's current state: write state='continue' to start "
            "from it, or call reset_state() first"
        )


def check_warmup(start: Start, *steps: int) -> None:
    """Raises ConfigurationError unless rows of `steps` steps have some left after warming up."""
    if start.warmup >= min(steps):
        raise ConfigurationError(
            f"state='warmup:{start.warmup}': expected fewer steps than the {min(steps)} of x, so that some are left to "
            "score"
        )


def _states_of_a_batch(what: str, state: State, network: Network, rows: int | None, batch_size: int) -> LayerStates:
    states = network.check_state(state)
    if network.memory and state.batch != batch_size:
        either = f"{batch_size}, one for each row of a batch"
        if rows not in (None, batch_size):
            either += f", or {rows}, one for each row of x"
        fresh = "model.reset_state()" if what == "model.state" else f"model.initial_state({batch_size})"
        ways = [f"choose rows with {what}.rows(...)", f"or start fresh with {fresh}"]
        if rows is not None and state.batch <= rows:
            ways = [f"write batch_size={state.batch}", ways[0], f"copy them with {what}.fork(n)", ways[1]]
        raise StateError(f"{what} has {state.batch} row(s): expected {either}; {', '.join(ways)}")
    return states


def _warmup(state: object) -> int:
    word, _, number = state.partition(":") if isinstance(state, str) else ("", "", "")
    if word == "warmup" and number.isdecimal():
        return int(number)
    close = [] if word == "warmup" else nearest(word, ["fresh", "carry", "continue", "warmup:n"], count=1)
    hint = f"did you mean {close[0]!r}? Known:" if close else "expected one of"
    raise ConfigurationError(
        f"unknown state {state!r}: {hint} 'fresh', 'carry', 'continue', 'warmup:n' (n steps), or a State"
    )
