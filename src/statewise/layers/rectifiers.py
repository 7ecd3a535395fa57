"""Activations with a number or weights of their own: ELU, LeakyReLU and PReLU."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from statewise.foundation.random import Key
from statewise.foundation.shapes import Array, Shape, check_not_negative
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.operations import Constant, Maximum, Minimum, Step, Vector, apply
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


class Rectifier(MemorylessLayer):
    """A layer that leaves numbers above 0 as they are, and changes those below."""

    def __post_init__(self) -> None:
        check_layer(self)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        import jax.numpy as jnp

        return jnp.where(x > 0, x, self.below(jnp.minimum(x, 0), params))

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        zero = Constant(np.zeros(x.size or 0, np.float32))
        return Step(Maximum(x, zero) + self.below_in_steps(Minimum(x, zero), weights))

    @abstractmethod
    def below(self, x: jax.Array, params: Params) -> jax.Array:
        """Returns what numbers of at most 0 become; 0 stays 0."""

    @abstractmethod
    def below_in_steps(self, x: Vector, weights: Mapping[str, Any]) -> Vector:
        """Returns the same for one step, described as operations."""


def _constant(x: Vector, number: float) -> Constant:
    return Constant(np.full(x.size or 0, number, np.float32))


@guard_making
@dataclass(frozen=True)
class LeakyReLU(Rectifier):
    """`x` above 0, `negative_slope x` below (Maas, Hannun and Ng 2013).

    Args:
        negative_slope: the slope below 0.

    >>> LeakyReLU(0.1).output_shape((None, 3))
    (None, 3)
    """

    negative_slope: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative("LeakyReLU negative_slope", self.negative_slope)

    def below(self, x: jax.Array, params: Params) -> jax.Array:
        return self.negative_slope * x

    def below_in_steps(self, x: Vector, weights: Mapping[str, Any]) -> Vector:
        return x * _constant(x, self.negative_slope)


@guard_making
@dataclass(frozen=True)
class ELU(Rectifier):
    """`x` above 0, `alpha (exp(x) - 1)` below (Clevert, Unterthiner and Hochreiter 2016).

    Args:
        alpha: what the output comes to, times -1, far below 0.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative("ELU alpha", self.alpha)

    def below(self, x: jax.Array, params: Params) -> jax.Array:
        import jax.numpy as jnp

        return self.alpha * jnp.expm1(x)

    def below_in_steps(self, x: Vector, weights: Mapping[str, Any]) -> Vector:
        return apply("elu", x) * _constant(x, self.alpha)


@guard_making
@dataclass(frozen=True)
class PReLU(Rectifier):
    """`x` above 0, `alpha x` below, with a learned `alpha [F]` for each feature, zero at first (He et al. 2015).

    All steps share it, as with `shared_axes=[1]` in Keras: a sequence may have any number of steps.
    """

    @property
    def weight_names(self) -> tuple[str, ...]:
        return ("alpha",)

    def output_shape(self, shape: Shape) -> Shape:
        self._check_features(shape)
        return shape

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return {"alpha": (shape[-1] or 0,)}

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        return {"alpha": np.zeros(shape[-1] or 0, np.float32)}

    def below(self, x: jax.Array, params: Params) -> jax.Array:
        return params["alpha"] * x

    def below_in_steps(self, x: Vector, weights: Mapping[str, Any]) -> Vector:
        return x * Constant(weights["alpha"])
