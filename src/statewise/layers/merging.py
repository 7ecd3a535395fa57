"""Layers that join several values of a graph: Concatenate, Add, Subtract, Multiply, Average, Maximum and Minimum."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from statewise import operations
from statewise.errors import ShapeError
from statewise.foundation.shapes import Array, Shape, describe
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.operations import Joined, Step, Vector
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


class Merge(MemorylessLayer):
    """A layer that joins two or more values with the same rows and, if they have any, the same steps."""

    def __post_init__(self) -> None:
        check_layer(self)

    @property
    def joins(self) -> bool:
        return True

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes) < 2:
            raise ShapeError(f"{self._kind}: expected two or more values to join, as in {self._kind}()([a, b])")
        if not self._fits(shapes):
            listed = ", ".join(map(describe, shapes))
            one_each = {len(shape) for shape in shapes} == {1, 2}
            repeat = "sw.RepeatLike()([row, steps]) repeats a row's value at each step"
            hint = repeat if one_each else "a Dense before it can change a size"
            raise ShapeError(f"{self._kind}: expected {self._expected}, got {listed}; {hint}")
        return self._merged(shapes)

    def transform(self, params: Params, x: Any, rng: jax.Array | None) -> jax.Array:
        return self.merge(x)

    def step(self, x: Any, weights: Mapping[str, Array]) -> Step:
        return Step(self.merge_vectors(x))

    @property
    def _kind(self) -> str:
        return type(self).__name__

    @property
    def _expected(self) -> str:
        return "values of the same shape"

    def _fits(self, shapes: Sequence[Shape]) -> bool:
        return len(set(shapes)) == 1

    def _merged(self, shapes: Sequence[Shape]) -> Shape:
        return shapes[0]

    @abstractmethod
    def merge(self, values: Sequence[jax.Array]) -> jax.Array:
        """Returns what the values are joined to."""

    @abstractmethod
    def merge_vectors(self, vectors: Sequence[Vector]) -> Vector:
        """Returns the same for one step, described as operations."""


@guard_making
@dataclass(frozen=True)
class Concatenate(Merge):
    """Puts the features of several values side by side: `[B, T, F]` and `[B, T, G]` to `[B, T, F + G]`.

    >>> Concatenate().output_shape((None, 3), (None, 4))
    (None, 7)
    """

    @property
    def _expected(self) -> str:
        return "values that differ in their last size only"

    def _fits(self, shapes: Sequence[Shape]) -> bool:
        return len({shape[:-1] for shape in shapes}) == 1 and all(shape and shape[-1] for shape in shapes)

    def _merged(self, shapes: Sequence[Shape]) -> Shape:
        return (*shapes[0][:-1], sum(shape[-1] or 0 for shape in shapes))

    def merge(self, values: Sequence[jax.Array]) -> jax.Array:
        import jax.numpy as jnp

        return jnp.concatenate(values, axis=-1)

    def merge_vectors(self, vectors: Sequence[Vector]) -> Vector:
        return Joined(vectors)


class _Elementwise(Merge):
    """A merge of values of the same shape, number by number: the pair's result with the next, and so on."""

    @abstractmethod
    def pair(self, left: Any, right: Any) -> Any:
        """Returns what two arrays become."""

    @abstractmethod
    def pair_of_vectors(self, left: Vector, right: Vector) -> Vector:
        """Returns what two vectors of a step become."""

    def merge(self, values: Sequence[jax.Array]) -> jax.Array:
        return reduce(self.pair, values)

    def merge_vectors(self, vectors: Sequence[Vector]) -> Vector:
        return reduce(self.pair_of_vectors, vectors)


@guard_making
@dataclass(frozen=True)
class Add(_Elementwise):
    """The sum of several values of the same shape: `Add()([x, h])` is a skip connection (He et al. 2016).

    >>> Add().output_shape((None, 3), (None, 3))
    (None, 3)
    """

    def pair(self, left: Any, right: Any) -> Any:
        return left + right

    def pair_of_vectors(self, left: Vector, right: Vector) -> Vector:
        return left + right


@guard_making
@dataclass(frozen=True)
class Subtract(_Elementwise):
    """The first of two values of the same shape, less the second."""

    @property
    def _expected(self) -> str:
        return "two values of the same shape"

    def _fits(self, shapes: Sequence[Shape]) -> bool:
        return len(shapes) == 2 and super()._fits(shapes)

    def pair(self, left: Any, right: Any) -> Any:
        return left - right

    def pair_of_vectors(self, left: Vector, right: Vector) -> Vector:
        return left - right


@guard_making
@dataclass(frozen=True)
class Multiply(_Elementwise):
    """The product of several values of the same shape, number by number, as a gate multiplies."""

    def pair(self, left: Any, right: Any) -> Any:
        return left * right

    def pair_of_vectors(self, left: Vector, right: Vector) -> Vector:
        return left * right


@guard_making
@dataclass(frozen=True)
class Average(Add):
    """The mean of several values of the same shape."""

    def merge(self, values: Sequence[jax.Array]) -> jax.Array:
        return super().merge(values) / len(values)

    def merge_vectors(self, vectors: Sequence[Vector]) -> Vector:
        size = vectors[0].size or 0
        share = operations.Constant(np.full(size, 1 / len(vectors), np.float32))
        return super().merge_vectors(vectors) * share


@guard_making
@dataclass(frozen=True)
class Maximum(_Elementwise):
    """The largest of several values of the same shape, number by number."""

    def pair(self, left: Any, right: Any) -> Any:
        import jax.numpy as jnp

        return jnp.maximum(left, right)

    def pair_of_vectors(self, left: Vector, right: Vector) -> Vector:
        return operations.Maximum(left, right)


@guard_making
@dataclass(frozen=True)
class Minimum(_Elementwise):
    """The smallest of several values of the same shape, number by number."""

    def pair(self, left: Any, right: Any) -> Any:
        import jax.numpy as jnp

        return jnp.minimum(left, right)

    def pair_of_vectors(self, left: Vector, right: Vector) -> Vector:
        return operations.Minimum(left, right)
