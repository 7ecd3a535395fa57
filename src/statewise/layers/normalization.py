"""Layers that normalize: each step by itself, or each feature over all steps and rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from statewise.foundation.random import Key
from statewise.foundation.shapes import Array, Shape, check_more_than_zero, check_rate
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.operations import Constant, Normalize, Step, Vector
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax


@dataclass(frozen=True)
class _Normalization(MemorylessLayer):
    """What both kinds have in common: a factor and a term for each feature."""

    epsilon: float = field(default=1e-3, kw_only=True)
    center: bool = field(default=True, kw_only=True)
    scale: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        check_more_than_zero(f"{type(self).__name__} epsilon", self.epsilon)

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

    def _scaled(self, params: Params, y: jax.Array) -> jax.Array:
        y = y * params["gamma"] if self.scale else y
        return y + params["beta"] if self.center else y


@guard_making
@dataclass(frozen=True)
class LayerNormalization(_Normalization):
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

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        import jax

        centered = x - x.mean(axis=-1, keepdims=True)
        y = centered * jax.lax.rsqrt((centered**2).mean(axis=-1, keepdims=True) + self.epsilon)
        return self._scaled(params, y)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        y: Vector = Normalize(x, self.epsilon)
        y = y * Constant(weights["gamma"]) if self.scale else y
        return Step(y + Constant(weights["beta"]) if self.center else y)


@guard_making
@dataclass(frozen=True)
class BatchNormalization(_Normalization):
    """Scales each feature to mean 0 and variance 1 over a batch, then by weights (Ioffe and Szegedy 2015).

    In training, mean and variance are those of the batch's rows and steps, without those that are masked, and moving
    averages of them are kept; otherwise, and with `trainable=False`, it uses those averages, so that each step is
    normalized by itself. The averages are the model's `statistics`: neither weights nor state.

    Args:
        momentum: how much of the averages each update keeps.
        epsilon: what is added to the variance.
        center: whether there is a `beta [F]`, zero at first.
        scale: whether there is a `gamma [F]`, one at first.

    >>> BatchNormalization().output_shape((None, 3))
    (None, 3)
    """

    momentum: float = field(default=0.99, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rate("BatchNormalization momentum", self.momentum)

    def initial_statistics(self, shape: Shape) -> dict[str, Array]:
        size = shape[-1] or 0
        return {"moving_mean": np.zeros(size, np.float32), "moving_variance": np.ones(size, np.float32)}

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        return self._normalized(params, x, params["moving_mean"], params["moving_variance"])

    def apply_counting(
        self, params: Params, statistics: Params, x: jax.Array, real: jax.Array | None
    ) -> tuple[jax.Array, Params]:
        import jax
        import jax.numpy as jnp

        axes = tuple(range(x.ndim - 1))
        counts = jnp.broadcast_to(True if real is None else real, x.shape[:-1]).astype(x.dtype)
        number = jnp.maximum(counts.sum(), 1.0)
        mean = (x * counts[..., None]).sum(axis=axes) / number
        variance = ((x - mean) ** 2 * counts[..., None]).sum(axis=axes) / number
        y = self._normalized(params, x, mean, variance)
        found = {"moving_mean": mean, "moving_variance": variance}
        kept = jnp.where(counts.any(), self.momentum, 1.0)
        return y, {
            name: kept * statistics[name] + (1 - kept) * jax.lax.stop_gradient(new) for name, new in found.items()
        }

    def _normalized(self, params: Params, x: jax.Array, mean: jax.Array, variance: jax.Array) -> jax.Array:
        import jax

        return self._scaled(params, (x - mean) * jax.lax.rsqrt(variance + self.epsilon))

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        factor = 1 / np.sqrt(weights["moving_variance"] + np.float32(self.epsilon))
        y = (x - Constant(weights["moving_mean"])) * Constant(factor.astype(np.float32))
        y = y * Constant(weights["gamma"]) if self.scale else y
        return Step(y + Constant(weights["beta"]) if self.center else y)
