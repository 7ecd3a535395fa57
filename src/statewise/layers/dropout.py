"""Noise that acts in training only, and the layers that apply it: Dropout, SpatialDropout1D and GaussianNoise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from statewise.errors import ConfigurationError
from statewise.foundation.shapes import Array, Shape, check_not_negative, check_rate, check_sizes
from statewise.layers.base import MemorylessLayer, Params, check_layer
from statewise.operations import Step, Vector
from statewise.phrasebook.guard import guard_making

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp


def draw_noise(key: jax.Array, rate: float, shape: tuple[int, ...], dtype: jnp.dtype) -> jax.Array:
    """Returns the factors for training: 0 for a fraction `rate` of `shape`, 1 / (1 - rate) for the rest."""
    import jax
    import jax.numpy as jnp

    kept = jax.random.bernoulli(key, 1 - rate, shape)
    return jnp.where(kept, jnp.asarray(1 / (1 - rate), dtype), 0)


@guard_making
@dataclass(frozen=True)
class Dropout(MemorylessLayer):
    """In training, zeroes a fraction of its input and scales the rest by 1 / (1 - rate); otherwise does nothing.

    Args:
        rate: the fraction, 0 <= rate < 1.
        noise_shape: the shape of the noise where it differs from the input's, batch axis included, None standing
            for the input's size: `(None, 1, None)` drops the same features at every step of a row, as
            Gal and Ghahramani (2016) advise for recurrent networks.
    """

    rate: float
    noise_shape: tuple[int | None, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_layer(self)
        check_rate("Dropout rate", self.rate)
        if self.noise_shape is not None:
            shape = check_sizes("Dropout noise_shape", self.noise_shape)
            if any(size not in (None, 1) for size in shape):
                raise ConfigurationError(f"Dropout noise_shape: expected None or 1 for each axis, got {shape}")
            object.__setattr__(self, "noise_shape", shape)

    def output_shape(self, shape: Shape) -> Shape:
        if self.noise_shape is not None and len(self.noise_shape) != len(shape) + 1:
            raise self._refuse(f"{len(self.noise_shape)} axes, as its noise_shape", shape, "make them agree")
        return shape

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        if rng is None or self.rate == 0:
            return x
        import jax
        import jax.numpy as jnp

        noise = self.noise_shape or (None,) * x.ndim
        shape = [size or given for size, given in zip(noise, x.shape, strict=True)]
        kept = jax.random.bernoulli(rng, 1 - self.rate, shape)
        return jnp.where(kept, x / (1 - self.rate), 0.0)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        return Step(x)


@guard_making
@dataclass(frozen=True)
class SpatialDropout1D(MemorylessLayer):
    """In training, drops whole features of a row, `[B, T, F]`, at all steps together, and scales the rest.

    The same as `Dropout(rate, noise_shape=(None, 1, None))` (Tompson et al. 2015).

    Args:
        rate: the fraction, 0 <= rate < 1.
    """

    rate: float

    def __post_init__(self) -> None:
        check_layer(self)
        check_rate("SpatialDropout1D rate", self.rate)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2:
            raise self._refuse("[B, T, F]", shape, "use Dropout where there are no steps")
        return shape

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        if rng is None or self.rate == 0:
            return x
        return x * draw_noise(rng, self.rate, (x.shape[0], 1, x.shape[2]), x.dtype)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        return Step(x)


@guard_making
@dataclass(frozen=True)
class GaussianNoise(MemorylessLayer):
    """In training, adds normal noise to its input; otherwise does nothing.

    Args:
        stddev: the standard deviation of the noise.
    """

    stddev: float

    def __post_init__(self) -> None:
        check_layer(self)
        check_not_negative("GaussianNoise stddev", self.stddev)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def transform(self, params: Params, x: jax.Array, rng: jax.Array | None) -> jax.Array:
        if rng is None or self.stddev == 0:
            return x
        import jax

        return x + self.stddev * jax.random.normal(rng, x.shape, x.dtype)

    def step(self, x: Vector, weights: Mapping[str, Array]) -> Step:
        return Step(x)
