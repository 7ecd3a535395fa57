"""Skips steps that have a certain value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Array, Shape, is_number
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.operations import Differs, Step, Vector, Where
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class Masking(MemorylessLayer):
    """Skips steps whose features all equal `mask_value`; the network's first layer, `[B, T, F]` in and out.

    A skipped step changes no state and counts in no loss, wherever it is in its row.

    Args:
        mask_value: the value that means "nothing here".

    >>> import jax.numpy as jnp
    >>> Masking(-1.0).mask_of(jnp.array([[[3.0, -1.0], [-1.0, -1.0]]])).tolist()
    [[True, False]]
    """

    mask_value: float = 0.0

    def __post_init__(self) -> None:
        check_layer(self)
        if not is_number(self.mask_value) or not math.isfinite(self.mask_value):
            raise ConfigurationError(f"Masking mask_value: expected a finite number, got {self.mask_value!r}")

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2:
            raise self._refuse("[B, T, F]", shape, "for symbols write Embedding(..., mask_zero=True)")
        return shape

    def mask_of(self, x: jax.Array) -> jax.Array | None:
        return (x != self.mask_value).any(axis=-1)

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        import jax.numpy as jnp

        return jnp.where(jnp.any(x != self.mask_value, axis=-1, keepdims=True), x, 0.0)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        counts = Differs(x, float(self.mask_value))
        return Step(Where(counts, x), counts=counts)
