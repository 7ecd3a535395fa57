"""Products of two values of a graph, summed over an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from statewise.errors import ConfigurationError, ShapeError
from statewise.foundation.shapes import Shape, describe
from statewise.kernels.states import LayerState
from statewise.layers.base import Flags, MemorylessLayer, Params, check_layer
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class Dot(MemorylessLayer):
    """The sum of products of two values over an axis of each, as Keras's older attention models are written.

    - `Dot(axes=1)` of `[B, F]` and `[B, F]` is `[B, 1]`.
    - `Dot(axes=2)` of `[B, T, F]` and `[B, S, F]` is `[B, T, S]`: how well each step fits each step of the other.
    - `Dot(axes=(2, 1))` of `[B, T, S]` and `[B, S, F]` is `[B, T, F]`: the other's steps, weighted.

    `Attention` does both at once, without the steps that a mask leaves out: here those are zeros.

    Args:
        axes: the axis of each value, or of both, counted as in Keras: 0 is the batch, -1 the last.
        normalize: whether vectors along that axis are divided by their lengths, so that the sum is their cosine.

    >>> Dot(axes=2).output_shape((None, 4), (7, 4)), Dot(axes=(2, 1)).output_shape((None, 7), (7, 4))
    ((None, 7), (None, 4))
    """

    axes: int | tuple[int, int]
    normalize: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        axes = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        whole = isinstance(axes, tuple | list) and all(isinstance(axis, int) for axis in axes)
        if not whole or len(axes) != 2 or isinstance(self.axes, bool):
            raise ConfigurationError(f"Dot axes: expected an axis such as 2, or two such as (2, 1), got {self.axes!r}")
        object.__setattr__(self, "axes", tuple(axes))

    @property
    def joins(self) -> bool:
        return True

    @property
    def steps_from(self) -> int | None:
        return 0

    @property
    def takes_padding(self) -> bool:
        return False  # the products have a column for each step

    def _resolved(self, shapes: Sequence[Shape]) -> tuple[int, ...]:
        axes = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        return tuple(axis if axis >= 0 else axis + len(shape) + 1 for axis, shape in zip(axes, shapes, strict=True))

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes) == 2:
            ranks, axes = tuple(map(len, shapes)), self._resolved(shapes)
            if ranks == (1, 1) and axes == (1, 1) and shapes[0] == shapes[1]:
                return (1,)
            if ranks == (2, 2) and axes == (2, 2) and shapes[0][1] == shapes[1][1]:
                return (shapes[0][0], shapes[1][0])
            between = {shapes[0][-1], shapes[1][0]} - {None}
            if ranks == (2, 2) and axes == (2, 1) and len(between) < 2:
                return (shapes[0][0], shapes[1][1])
        raise ShapeError(
            f"Dot(axes={self.axes!r}): expected [B, F] and [B, F] with axes=1, [B, T, F] and [B, S, F] with axes=2, or "
            f"[B, T, S] and [B, S, F] with axes=(2, 1), got {', '.join(map(describe, shapes))}"
        )

    def transform(self, params: Params, x: Any, rng: jax.Array | None) -> jax.Array:
        return self.apply_across(params, x, (), own=(None, None), others=[(None, None)], rng=rng)[0]

    def apply_across(
        self,
        params: Params,
        x: Sequence[jax.Array],
        state: LayerState,
        *,
        own: Flags,
        others: Sequence[Flags | None],
        rng: jax.Array | None = None,
    ) -> tuple[Any, LayerState]:
        import jax.numpy as jnp

        left, right = x
        first, second = self._resolved([left.shape[1:], right.shape[1:]])
        if self.normalize:
            left, right = _unit(left, first), _unit(right, second)
        if left.ndim == 2:
            return jnp.sum(left * right, axis=1, keepdims=True), state
        mask = own[1] if others[0] is None else others[0][1]
        if mask is not None:
            right = jnp.where(mask[..., None], right, 0)
        return jnp.einsum("btf,bsf->bts" if second == 2 else "bts,bsf->btf", left, right), state


def _unit(vectors: jax.Array, axis: int) -> jax.Array:
    import jax.numpy as jnp

    return vectors / jnp.sqrt(jnp.maximum(jnp.sum(vectors**2, axis=axis, keepdims=True), 1e-12))
