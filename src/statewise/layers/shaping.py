"""Layers that rearrange a row's numbers: Flatten, RepeatVector, Reshape and Permute."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Array, Shape, check_whole
from statewise.layers.base import Flags, MemorylessLayer, Params, check_layer
from statewise.operations import Step, Vector
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


def as_new_steps(reset: jax.Array | None, mask: jax.Array | None, shape: Shape) -> Flags:
    """Returns `reset` and `mask` for the steps, if it has any, that a layer makes of whole rows.

    A row with a reset anywhere starts fresh before the first of them, and one in which nothing counts is skipped.
    """
    if len(shape) < 2:
        return reset, mask
    import jax.numpy as jnp

    place = jnp.arange(shape[0] or 0)[None]
    return (
        None if reset is None else reset.any(axis=1, keepdims=True) & (place == 0),
        None if mask is None else mask.any(axis=1, keepdims=True) & (place >= 0),
    )


class Shaping(MemorylessLayer):
    """A layer whose output steps, if there are any, are not those of the input.

    A row with a reset anywhere starts fresh before the first of its new steps, and a row in which nothing counts is
    skipped entirely.
    """

    @property
    def keeps_steps(self) -> bool:
        return False

    @property
    def needs_steps(self) -> bool:
        return True

    def pass_on(self, reset: jax.Array | None, mask: jax.Array | None, shape: Shape) -> Flags:
        return as_new_steps(reset, mask, shape)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        raise self._unanswerable(
            f": {type(self).__name__} lays out whole rows, and a stream sees one step at a time; "
            "give whole sequences to model.predict(x)"
        )

    def _count(self, shape: Shape) -> int:
        """Returns how many numbers a row of `shape` has."""
        sizes = [size for size in shape if size is not None]
        if len(sizes) < len(shape):
            raise self._refuse("a known number of steps", shape, "write input_shape=(T, F) on the first layer")
        return math.prod(sizes)


@guard_making
@dataclass(frozen=True)
class Flatten(Shaping):
    """Concatenates all numbers of a row: `[B, T, F]` to `[B, T F]`. Its network reads a fixed number of steps.

    >>> Flatten().output_shape((10, 3))
    (30,)
    """

    def __post_init__(self) -> None:
        check_layer(self)

    def output_shape(self, shape: Shape) -> Shape:
        return (self._count(shape),)

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        return x.reshape(x.shape[0], -1)


@guard_making
@dataclass(frozen=True)
class RepeatVector(Shaping):
    """Repeats one row as `n` equal steps: `[B, F]` to `[B, n, F]`, between an encoder and a decoder.

    Args:
        n: how many steps.

    >>> RepeatVector(5).output_shape((32,))
    (5, 32)
    """

    n: int

    def __post_init__(self) -> None:
        check_layer(self)
        check_whole("RepeatVector n", self.n)

    @property
    def needs_steps(self) -> bool:
        return False

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise self._refuse("[B, F]", shape, "remove return_sequences=True from the layer before it")
        return (self.n, *shape)

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        import jax.numpy as jnp

        return jnp.repeat(x[:, None], self.n, axis=1)


@guard_making
@dataclass(frozen=True)
class Reshape(Shaping):
    """Gives a row's numbers, in their order, another shape: `[B, 12]` to `[B, 3, 4]`.

    Args:
        target_shape: the shape without batch axis; one size may be -1, which is inferred from the others.

    >>> Reshape((3, -1)).output_shape((12,))
    (3, 4)
    """

    target_shape: tuple[int, ...]

    def __post_init__(self) -> None:
        check_layer(self)
        shape = self.target_shape
        if not isinstance(shape, tuple | list) or not shape or list(shape).count(-1) > 1:
            raise ConfigurationError(f"Reshape target_shape: expected sizes such as (3, 4) or (3, -1), got {shape!r}")
        sizes = tuple(-1 if size == -1 else check_whole("Reshape target_shape", size) for size in shape)
        object.__setattr__(self, "target_shape", sizes)

    def output_shape(self, shape: Shape) -> Shape:
        count, known = self._count(shape), math.prod(size for size in self.target_shape if size != -1)
        if count % known or (-1 not in self.target_shape and count != known):
            what = f"rows of {known} numbers" if -1 not in self.target_shape else f"rows of n * {known} numbers"
            raise self._refuse(what, shape, f"each has {count}: make target_shape {self.target_shape} agree")
        return tuple(count // known if size == -1 else size for size in self.target_shape)

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        return x.reshape(x.shape[0], *self.target_shape)


@guard_making
@dataclass(frozen=True)
class Permute(Shaping):
    """Reorders the axes of a row: with `dims` (2, 1) `[B, T, F]` becomes `[B, F, T]`.

    Args:
        dims: the axes in their new order, counted from 1 without the batch axis, as in Keras.

    >>> Permute((2, 1)).output_shape((10, 3))
    (3, 10)
    """

    dims: tuple[int, ...]

    def __post_init__(self) -> None:
        check_layer(self)
        dims = tuple(self.dims) if isinstance(self.dims, tuple | list) else ()
        if not dims or any(dims.count(axis) != 1 for axis in range(1, len(dims) + 1)):
            raise ConfigurationError(f"Permute dims: expected each axis once, from 1, as in (2, 1), got {self.dims!r}")
        object.__setattr__(self, "dims", dims)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != len(self.dims):
            raise self._refuse(f"{len(self.dims) + 1} axes, rows and its dims", shape, "make them agree")
        self._count(shape)
        return tuple(shape[axis - 1] for axis in self.dims)

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        import jax.numpy as jnp

        return jnp.transpose(x, (0, *self.dims))
