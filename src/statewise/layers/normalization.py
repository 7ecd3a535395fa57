"""Layers that normalize each step by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from statewise.foundation.random import Key
from statewise.foundation.shapes import Array, Shape, check_more_than_zero
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.operations import Constant, Normalize, Step, Vector
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@guard_making
@dataclass(frozen=True)
class LayerNormalization(MemorylessLayer):
    """Scales the features of each step to mean 0 and variance 1, then by weights (Ba, Kiros and Hinton 2016).

    `gamma (x - mean) / sqrt(variance + epsilon) + beta` on the last axis, of input of any shape. A step is
    normalized by itself, so that nothing depends on other rows or steps.

    Args:
        epsilon: what is added to the variance.
        center: whether there is a `beta [F]`, zero at first.
        scale: whether there is a `gamma [F]`, one at first.

    >>> LayerNormalization().output_shape((None, 3))
    (None, 3)
    """

    epsilon: float = field(default=1e-3, kw_only=True)
    center: bool = field(default=True, kw_only=True)
    scale: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        check_more_than_zero("LayerNormalization epsilon", self.epsilon)

    @property
    def weight_names(self) -> tuple[str, ...]:
        return (("gamma",) if self.scale else ()) + (("beta",) if self.center else ())

    def output_shape(self, shape: Shape) -> Shape:
        self._check_features(shape)
        return shape

    def weight_shapes(self, shape: Shape) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(self.weight_names, (shape[-1] or 0,))

    def init(self, key: Key, shape: Shape) -> dict[str, Array]:
        first = {"gamma": np.ones(shape[-1] or 0, np.float32), "beta": np.zeros(shape[-1] or 0, np.float32)}
        return {name: first[name] for name in self.weight_names}

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        import jax

        centered = x - x.mean(axis=-1, keepdims=True)
        y = centered * jax.lax.rsqrt((centered**2).mean(axis=-1, keepdims=True) + self.epsilon)
        y = y * params["gamma"] if self.scale else y
        return y + params["beta"] if self.center else y

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        y: Vector = Normalize(x, self.epsilon)
        y = y * Constant(weights["gamma"]) if self.scale else y
        return Step(y + Constant(weights["beta"]) if self.center else y)
