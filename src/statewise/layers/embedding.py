"""A learned vector for each symbol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from statewise.errors import ConfigurationError
from statewise.foundation.random import Key, uniform
from statewise.foundation.shapes import Array, Shape, check_whole
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.layers.regularizers import L1L2, check_regularizer
from statewise.operations import Differs, LookUp, Step, Symbol, Vector
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class Embedding(MemorylessLayer):
    """A learned vector for each symbol: integers `[B, T]` in, `[B, T, N]` out.

    Its only weight, `embeddings [V, N]`, starts uniform in -0.05 .. 0.05, as in Keras.

    Args:
        input_dim: V; symbols are 0 .. V-1.
        output_dim: N, the size of a vector.
        mask_zero: whether symbol 0 means no symbol: such steps are skipped by all layers that follow.
        embeddings_regularizer: an `L1L2` for `embeddings`.

    >>> Embedding(1000, 16).output_shape((10,))
    (10, 16)
    """

    input_dim: int
    output_dim: int
    mask_zero: bool = field(default=False, kw_only=True)
    embeddings_regularizer: L1L2 | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        check_whole("Embedding input_dim", self.input_dim)
        check_whole("Embedding output_dim", self.output_dim)
        check_regularizer("Embedding embeddings_regularizer", self.embeddings_regularizer)

    @property
    def weight_names(self) -> tuple[str, ...]:
        return ("embeddings",)

    @property
    def symbols(self) -> int | None:
        return self.input_dim

    @property
    def regularizers(self) -> dict[str, L1L2 | None]:
        return {"embeddings": self.embeddings_regularizer}

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise self._refuse("integers [B, T]", shape, "write x[..., 0] if the last axis has one feature")
        return (*shape, self.output_dim)

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return {"embeddings": (self.input_dim, self.output_dim)}

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        return {"embeddings": uniform(key, (self.input_dim, self.output_dim), -0.05, 0.05)}

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        return params["embeddings"][x]

    def mask_of(self, x: jax.Array) -> jax.Array | None:
        return x != 0 if self.mask_zero else None

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        if not isinstance(x, Symbol):
            raise ConfigurationError(
                f"layer {self.name!r}: an Embedding reads numbers of symbols; expected it by itself, as the first layer"
            )
        return Step(LookUp(x, weights["embeddings"]), counts=Differs(x, 0) if self.mask_zero else None)
