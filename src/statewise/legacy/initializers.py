"""keras.initializers: the weights that a layer starts from, drawn by JAX."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import initializers

from statewise.errors import ConfigurationError, unknown_name
from statewise.foundation.shapes import Array
from statewise.legacy.errors import lacking, unsupported

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Initializer(ABC):
    """Weights of any shape: `initializer(shape)`; others at each call unless it has a seed."""

    def __call__(self, shape: Any, dtype: object = None) -> Array:
        """Returns weights float32 of `shape`."""
        return self.weights(tuple(shape), np.random.randint(2**31 - 1))

    def weights(self, shape: Shape, seed: int) -> Array:
        """Returns weights float32 of `shape`, from the initializer's own seed if it has one."""
        own = getattr(self, "seed", None)
        return np.array(self.draw(jax.random.key(seed if own is None else own), shape), np.float32)

    @abstractmethod
    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        """Returns weights of `shape`."""

    def get_config(self) -> dict[str, Any]:
        """Returns the options, as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Returns the initializer that `get_config` described."""
        return cls(**config)


@dataclass(frozen=True)
class Zeros(Initializer):
    """Zeros."""

    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        return jnp.zeros(shape)


@dataclass(frozen=True)
class Ones(Initializer):
    """Ones."""

    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        return jnp.ones(shape)


@dataclass(frozen=True)
class Constant(Initializer):
    """The same number everywhere."""

    value: float = 0.0

    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        return jnp.full(shape, self.value)


@dataclass(frozen=True)
class Identity(Initializer):
    """`gain` on the diagonal."""

    gain: float = 1.0

    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        return self.gain * jnp.eye(shape[0], shape[-1])


@dataclass(frozen=True)
class RandomNormal(Initializer):
    """A normal distribution."""

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        return self.mean + self.stddev * jax.random.normal(key, shape)


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """A normal distribution without what lies beyond two deviations."""

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        return self.mean + self.stddev * jax.random.truncated_normal(key, -2.0, 2.0, shape)


@dataclass(frozen=True)
class RandomUniform(Initializer):
    """A uniform distribution."""

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        return jax.random.uniform(key, shape, minval=self.minval, maxval=self.maxval)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """A matrix whose columns, or rows, are orthogonal and of length `gain`."""

    gain: float = 1.0
    seed: int | None = None

    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        if len(shape) < 2:
            raise ConfigurationError(f"orthogonal initializer: expected a matrix, got shape {list(shape)}")
        return initializers.orthogonal(self.gain)(key, shape)


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """A distribution whose variance is `scale` over the number of inputs, of outputs, or of both on average."""

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None

    def draw(self, key: jax.Array, shape: Shape) -> jax.Array:
        names: dict[str, Any] = {"normal": "truncated_normal", "untruncated_normal": "normal"}
        distribution = names.get(self.distribution, self.distribution)
        draw = initializers.variance_scaling(self.scale, self.mode, distribution)  # type: ignore[arg-type]
        return draw(key, shape * 2)[0] if len(shape) == 1 else draw(key, shape)  # a bias has as many inputs as outputs


def _scaled(scale: float, mode: str, distribution: str) -> Callable[..., VarianceScaling]:
    return lambda seed=None: VarianceScaling(scale, mode, distribution, seed)


GlorotUniform = glorot_uniform = _scaled(1.0, "fan_avg", "uniform")
GlorotNormal = glorot_normal = _scaled(1.0, "fan_avg", "truncated_normal")
HeUniform = he_uniform = _scaled(2.0, "fan_in", "uniform")
HeNormal = he_normal = _scaled(2.0, "fan_in", "truncated_normal")
LecunUniform = lecun_uniform = _scaled(1.0, "fan_in", "uniform")
LecunNormal = lecun_normal = _scaled(1.0, "fan_in", "truncated_normal")

BY_NAME: dict[str, Callable[..., Initializer]] = {
    **dict.fromkeys(["zeros", "zero", "Zeros"], Zeros),
    **dict.fromkeys(["ones", "one", "Ones"], Ones),
    **dict.fromkeys(["constant", "Constant"], Constant),
    **dict.fromkeys(["identity", "Identity"], Identity),
    **dict.fromkeys(["normal", "random_normal", "RandomNormal"], RandomNormal),
    **dict.fromkeys(["truncated_normal", "TruncatedNormal"], TruncatedNormal),
    **dict.fromkeys(["uniform", "random_uniform", "RandomUniform"], RandomUniform),
    **dict.fromkeys(["orthogonal", "Orthogonal"], Orthogonal),
    **dict.fromkeys(["variance_scaling", "VarianceScaling"], VarianceScaling),
    **dict.fromkeys(["glorot_uniform", "GlorotUniform"], glorot_uniform),
    **dict.fromkeys(["glorot_normal", "GlorotNormal"], glorot_normal),
    **dict.fromkeys(["he_uniform", "HeUniform"], he_uniform),
    **dict.fromkeys(["he_normal", "HeNormal"], he_normal),
    **dict.fromkeys(["lecun_uniform", "LecunUniform"], lecun_uniform),
    **dict.fromkeys(["lecun_normal", "LecunNormal"], lecun_normal),
}
"""Initializers by the names of Keras 1 and 2."""

random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
variance_scaling = VarianceScaling
normal, uniform, zero, one = RandomNormal, RandomUniform, Zeros, Ones


def get(identifier: object) -> Initializer | None:
    """Returns the initializer with that name or description, or the object if it already is one.

    >>> get("glorot_uniform")
    VarianceScaling(scale=1.0, mode='fan_avg', distribution='uniform', seed=None)

    Raises:
        ConfigurationError: there is none of that name.
        UnsupportedError: a custom function.
    """
    if identifier is None or isinstance(identifier, Initializer):
        return identifier
    if isinstance(identifier, dict):
        return BY_NAME[identifier["class_name"]](**identifier["config"])
    if callable(identifier):
        if identifier in BY_NAME.values():
            return get(identifier())
        raise unsupported("a custom initializer", "draw the weights with NumPy and call model.set_weights")
    if not isinstance(identifier, str) or identifier not in BY_NAME:
        raise unknown_name("initializer", identifier, BY_NAME)
    return BY_NAME[identifier]()


__all__ = [  # noqa: PLE0604 - all of them text
    "Initializer",
    "get",
    "VarianceScaling",
    *(name for name in BY_NAME),
]

__getattr__ = lacking("keras.initializers", __all__)
