"""The last state of a layer as a value of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from statewise.foundation.shapes import Shape
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class FinalState(MemorylessLayer):
    """A part of the state in which the layer before it ends, `[B, H]`, as `return_state=True` returns it.

    Args:
        part: which one: "h", or "c" of an LSTM.

    >>> FinalState("c").output_shape((None, 32))
    (32,)
    """

    part: str

    def __post_init__(self) -> None:
        check_layer(self)

    def output_shape(self, shape: Shape) -> Shape:
        return shape[-1:]

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        return x
