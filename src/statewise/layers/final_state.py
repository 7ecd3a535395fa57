"""What a layer gives besides its output, as values of a graph: parts of its last state, or of its output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statewise.foundation.shapes import Array, Shape, check_whole
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.operations import Slice, Step, Vector
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class FinalState(MemorylessLayer):
    """A part of the state in which the layer before it ends, `[B, H]`, as `return_state=True` returns it.

    Args:
        part: which one: "h", or "c" of an LSTM; "forward.h", ... of a Bidirectional.

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


@guard_making
@dataclass(frozen=True)
class Features(MemorylessLayer):
    """Some of the features of the layer before it, as `merge_mode=None` divides the output of a Bidirectional.

    Args:
        first: the first of them, counted from 0.
        size: how many.

    >>> Features(8, 4).output_shape((None, 12))
    (None, 4)
    """

    first: int
    size: int

    def __post_init__(self) -> None:
        check_layer(self)
        check_whole("Features first", self.first, least=0)
        check_whole("Features size", self.size)

    def output_shape(self, shape: Shape) -> Shape:
        self._check_features(shape)
        if self.first + self.size > (shape[-1] or 0):
            raise self._refuse(f"at least {self.first + self.size} features", shape, "make first and size smaller")
        return (*shape[:-1], self.size)

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        return x[..., self.first : self.first + self.size]

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        return Step(Slice(x, self.first, self.size))
