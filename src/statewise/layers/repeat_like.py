"""A value of a row at each step of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from statewise.errors import ShapeError
from statewise.foundation.shapes import Array, Shape, describe
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.operations import Step
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class RepeatLike(MemorylessLayer):
    """Repeats the first of two values, `[B, F]`, at each step that the second has, `[B, T, ...]`: `[B, T, F]`.

    `RepeatLike()([plant, readings])` gives static features to every step. If the first value is itself known at the end
    of those steps only, such as the last output of an LSTM that reads them, the network looks ahead.

    >>> RepeatLike().output_shape((3,), (None, 8))
    (None, 3)
    """

    def __post_init__(self) -> None:
        check_layer(self)

    @property
    def joins(self) -> bool:
        return True

    @property
    def steps_from(self) -> int | None:
        return 1

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes) != 2 or len(shapes[0]) != 1 or len(shapes[1]) < 2:
            found = ", ".join(map(describe, shapes))
            raise ShapeError(
                f"RepeatLike: expected a value [B, F] and one with steps, [B, T, ...], got {found}; write "
                "RepeatLike()([row, steps])"
            )
        return (shapes[1][0], *shapes[0])

    def transform(self, params: Params, x: Any, rng: jax.Array | None) -> jax.Array:
        import jax.numpy as jnp

        row, like = x
        return jnp.broadcast_to(row[:, None], (row.shape[0], like.shape[1], row.shape[1]))

    def step(self, x: Any, weights: Mapping[str, Array]) -> Step:
        return Step(x[0])
