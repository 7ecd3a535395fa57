"""How the next symbol is drawn from a network's probabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import check_whole, is_number


@dataclass(frozen=True)
class Sampling:
    """How the next symbol is sampled from the network's probabilities.

    Args:
        temperature: 0 is greedy; 1 samples from the network's probabilities; < 1 sharpens them, > 1 flattens them.
        top_k: sample from the k most likely symbols only.
        top_p: sample from the most likely symbols whose probabilities add up to this (nucleus; Holtzman et al. 2020).
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        if not is_number(self.temperature) or not 0 <= self.temperature < math.inf:
            raise ConfigurationError(f"temperature: expected a number >= 0, got {self.temperature!r}")
        if self.top_k is not None:
            check_whole("top_k", self.top_k)
        if self.top_p is not None and (not is_number(self.top_p) or not 0 < self.top_p <= 1):
            raise ConfigurationError(f"top_p: expected 0 < top_p <= 1, got {self.top_p!r}")


def draw(logits: jax.Array, noise: jax.Array, sampling: dict[str, jax.Array]) -> jax.Array:
    """Returns a symbol sampled from `logits [V]` with `sampling` options; `noise [V]` is Gumbel noise (Gumbel 1954).

    The argmax of logits plus Gumbel noise is a sample from their softmax.
    """
    temperature = sampling["temperature"]
    scaled = logits / jnp.where(temperature == 0, 1.0, temperature)
    if "top_k" in sampling or "top_p" in sampling:
        scaled = jnp.where(_kept(scaled, sampling), scaled, -jnp.inf)
    return jnp.argmax(scaled + jnp.where(temperature == 0, 0.0, noise))


def _kept(logits: jax.Array, sampling: dict[str, jax.Array]) -> jax.Array:
    order = jnp.argsort(-logits)
    kept = jnp.ones(logits.shape, bool)
    if "top_k" in sampling:
        kept &= jnp.arange(logits.shape[0]) < sampling["top_k"]
    if "top_p" in sampling:
        probabilities = jax.nn.softmax(logits)[order]
        # A symbol is kept while those before it add up to less than top_p, so the most likely one is always kept.
        kept &= jnp.cumsum(probabilities) - probabilities < sampling["top_p"]
    return jnp.zeros(logits.shape, bool).at[order].set(kept)
