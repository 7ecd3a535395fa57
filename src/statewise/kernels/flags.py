"""Resets and masks as kernels read them, and their effect on a state."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from statewise.kernels.states import GRUState, LSTMState, SimpleState

State = TypeVar("State", LSTMState, GRUState, SimpleState)


class Flags(NamedTuple):
    """Time-major `[T, B, 1]` marks; None if the caller has none, so that the plain pass pays nothing."""

    reset: jax.Array | None
    mask: jax.Array | None


def time_major(reset: jax.Array | None, mask: jax.Array | None) -> Flags:
    """Returns the marks `[T, B, 1]` of flags `[B, T]`."""
    return Flags(*(None if flag is None else flag.T[:, :, None] for flag in (reset, mask)))


def pick(marks: jax.Array, chosen: State, other: State) -> State:
    """Returns the state `chosen` in the rows marked in `[B, 1]`, `other` in the rest."""
    return jax.tree.map(lambda a, b: jnp.where(marks, a, b), chosen, other)


def back_over_reset(d_state: State, reset: jax.Array, initial: State | None) -> tuple[State, State | None]:
    """Returns the gradients of the state before a reset `[B, H]` and of the initial state, None without one.

    An initial state `[H]` is that of all rows; one `[B, H]` has each row's own.
    """
    d_initial = None
    if initial is not None:
        for_all = initial.h.ndim == 1
        marked = jax.tree.map(lambda d: jnp.where(reset, d, 0.0), d_state)
        d_initial = jax.tree.map(lambda d: d.sum(0), marked) if for_all else marked
    return jax.tree.map(lambda d: jnp.where(reset, 0.0, d), d_state), d_initial
