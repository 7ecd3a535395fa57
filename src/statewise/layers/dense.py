"""Layers that act on each step separately: Dense and Activation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from statewise.foundation.random import Key, glorot_uniform
from statewise.foundation.shapes import Array, Shape, check_whole
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.layers.kernel import KernelLayer
from statewise.layers.regularizers import L1L2
from statewise.operations import Affine, Step, Vector, apply, settle_function
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class Dense(KernelLayer, MemorylessLayer):
    """`activation(x kernel + bias)` on the last axis: `[B, F]` to `[B, N]`, `[B, T, F]` to `[B, T, N]`.

    Weights as in Keras: `kernel [F, N]` glorot-uniform, `bias [N]` zero.

    Args:
        units: N, the size of the output.
        activation: name of the function applied to the sum.
        use_bias: whether there is a `bias`.
        kernel_regularizer: an `L1L2` for `kernel`.
        bias_regularizer: an `L1L2` for `bias`.

    >>> Dense(26, activation="softmax").output_shape((10, 32))
    (10, 26)
    """

    units: int
    activation: str = field(default="linear", kw_only=True)
    use_bias: bool = field(default=True, kw_only=True)
    kernel_regularizer: L1L2 | None = field(default=None, kw_only=True)
    bias_regularizer: L1L2 | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        check_whole("Dense units", self.units)
        self._check_options()

    def output_shape(self, shape: Shape) -> Shape:
        self._check_features(shape)
        return (*shape[:-1], self.units)

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        shapes = {"kernel": (shape[-1] or 0, self.units), "bias": (self.units,)}
        return {name: shapes[name] for name in self.weight_names}

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        params = {"kernel": glorot_uniform(key, (shape[-1] or 0, self.units))}
        if self.use_bias:
            params["bias"] = np.zeros(self.units, np.float32)
        return params

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        from statewise.kernels.activations import ACTIVATIONS
        from statewise.kernels.dense import dense

        z = dense(x, params["kernel"])
        if self.use_bias:
            z = z + params["bias"]
        return ACTIVATIONS[self.activation](z)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        bias = weights.get("bias", np.zeros(self.units, np.float32))
        return Step(apply(self.activation, Affine((x,), weights["kernel"], bias)))


@guard_making
@dataclass(frozen=True)
class Activation(MemorylessLayer):
    """An activation function as a separate layer; input of any shape, output of the same.

    Args:
        activation: name of the function.
    """

    activation: str

    def __post_init__(self) -> None:
        check_layer(self)
        settle_function(self)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        from statewise.kernels.activations import ACTIVATIONS

        return ACTIVATIONS[self.activation](x)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        return Step(apply(self.activation, x))
