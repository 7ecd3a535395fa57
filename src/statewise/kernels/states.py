"""What a recurrent layer remembers between two steps. Holds arrays of any kind and imports no array library."""

from __future__ import annotations

from typing import Any, NamedTuple


class LSTMState(NamedTuple):
    """State of one LSTM layer: output `h [B, H]` and cell `c [B, H]`."""

    h: Any
    c: Any


class GRUState(NamedTuple):
    """State of one GRU layer: output `h [B, H]`."""

    h: Any


class SimpleState(NamedTuple):
    """State of one SimpleRNN layer: output `h [B, H]`."""

    h: Any


class WindowState(NamedTuple):
    """State of a causal convolution: the last steps that it read, side by side, `past [B, N F]`."""

    past: Any


RecurrentState = LSTMState | GRUState | SimpleState
"""State of one layer that reads in one direction."""


class BidirectionalState(NamedTuple):
    """States of the two directions of a Bidirectional layer: from the start, and from the end."""

    forward: Any
    backward: Any


class AttentionState(NamedTuple):
    """State of attention with a window: the last steps that it read, side by side, and which of them are there.

    `past [B, N F]` has zeros for those that are not, which come first; `real [B, N]` is 0 for them, 1 for the others.
    """

    past: Any
    real: Any


class WiredState(NamedTuple):
    """State of a layer that starts in values of its graph: whether a row has started `[B, 1]`, and where it then is.

    A row that has not started is at the values that it starts in, and has zeros here.
    """

    started: Any
    reached: Any


LayerState = RecurrentState | BidirectionalState | WindowState | AttentionState | WiredState | tuple[()]
"""State of one layer; a layer without memory carries an empty one, so that every network is one state machine."""
