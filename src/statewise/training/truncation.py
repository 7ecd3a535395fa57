"""Truncated backpropagation through time: how a batch of many steps is split into several updates.

Each update takes the next `forward` steps, and its gradients reach back through at most `backward` (Williams and Peng
1990). The memory that it needs is bounded by these, not by the length of the sequence.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import check_whole
from statewise.network import Network

SPREAD = 5
"""Standard deviation of random lengths, in steps (Merity et al. 2018, section 5)."""

HALVED = 0.05
"""How often a random length is drawn around half the mean (ibid.)."""


@dataclass(frozen=True)
class Truncation:
    """`forward` steps (k1) per update, gradients through `backward` (k2); with `random`, lengths around `forward`."""

    forward: int
    backward: int
    random: bool = False

    @property
    def longest(self) -> int:
        """The maximum number of its own steps that an update may have."""
        return self.forward + 4 * SPREAD if self.random else self.forward

    @property
    def window(self) -> int:
        """How many steps an update reads."""
        return max(self.longest, self.backward)

    @property
    def lookback(self) -> int:
        """How many steps before its own an update reads, since gradients reach that far."""
        return self.window - self.longest

    @property
    def settling(self) -> int:
        """How many of its own steps only warm up the state, since gradients do not reach that far."""
        return 0 if self.random else self.window - self.backward

    def divides(self, steps: int) -> bool:
        """Returns whether updates divide `steps` steps evenly, so that a window holds only its update's own steps."""
        return not self.random and self.forward == self.backward and steps % self.forward == 0

    def length(self, key: jax.Array) -> jax.Array:
        """Returns the number of steps that the next update takes."""
        if not self.random:
            return jnp.int32(self.forward)
        choose, draw = jax.random.split(key)
        mean = jnp.where(jax.random.uniform(choose) < HALVED, self.forward / 2, self.forward)
        drawn = jnp.round(mean + SPREAD * jax.random.normal(draw))
        return jnp.clip(drawn, min(SPREAD, self.forward), self.longest).astype(jnp.int32)

    def pad(self, steps: jax.Array) -> jax.Array:
        """Returns `[B, T, ...]` padded for windows that begin before the first step or end after the last."""
        room = [(0, 0), (self.lookback, self.window)] + [(0, 0)] * (steps.ndim - 2)
        return jnp.pad(steps, room)

    def cut(self, padded: jax.Array, cursor: jax.Array) -> jax.Array:
        """Returns the window `[B, W, ...]` of the update whose own steps begin at `cursor`."""
        return jax.lax.dynamic_slice_in_dim(padded, cursor, self.window, axis=1)

    def own(self, length: jax.Array) -> jax.Array:
        """Returns bool `[W]`: the steps of a window that are the update's own."""
        place = jnp.arange(self.window) - self.lookback
        return (place >= 0) & (place < length)


def read_truncation(tbptt: object) -> Truncation | None:
    """Returns the truncation that `fit`'s `tbptt` means: `k`, `(k1, k2)` or `"random:k"`.

    >>> read_truncation((5, 20))
    Truncation(forward=5, backward=20, random=False)
    >>> read_truncation("random:70")
    Truncation(forward=70, backward=70, random=True)

    Raises:
        ConfigurationError: it is none of these.
    """
    if tbptt is None:
        return None
    if isinstance(tbptt, tuple | list) and len(tbptt) == 2:
        forward, backward = (check_whole("tbptt", length) for length in tbptt)
        return Truncation(forward, backward)
    if isinstance(tbptt, str):
        word, _, number = tbptt.partition(":")
        if word == "random" and number.isdecimal() and int(number) > 0:
            return Truncation(int(number), int(number), random=True)
    if isinstance(tbptt, str | tuple | list | dict | float):
        raise ConfigurationError(
            f"tbptt: expected a number of steps k, (k1, k2) or 'random:k' such as 'random:70', got {tbptt!r}"
        )
    steps = check_whole("tbptt", tbptt)
    return Truncation(steps, steps)


def check_truncation(truncation: Truncation | None, network: Network, steps: int) -> None:
    """Raises an error unless a batch of `steps` steps can be split into several updates.

    Raises:
        ConfigurationError: the network has one output per row, so there is one update per row.
        StateError: the network reads from both ends.
    """
    if truncation is None:
        return
    network.check_continuable("tbptt")
    if not network.reads_steps:
        raise ConfigurationError("tbptt: expected an x with a time axis, [N, T, F]; this network reads [N, F]")
    network.only_axis("tbptt")
    by_output = [network.toward(output.name).answers_each_step for output in network.outputs]
    if len(set(by_output)) > 1:
        raise ConfigurationError(
            "tbptt: expected outputs that all have steps, or none of which has, got both; leave tbptt out"
        )
    if not network.answers_each_step and (truncation.random or truncation.forward != truncation.backward):
        raise ConfigurationError(
            "tbptt: expected one number, since this network has one output per row, at its end: gradients reach that "
            "many steps back; for an update every few steps give the last LSTM return_sequences=True, and y as many "
            "steps"
        )
    if truncation.forward > steps:
        raise ConfigurationError(f"tbptt: expected at most the {steps} steps of x, got {truncation.forward}")
