"""Activation functions by Keras 3's names.

`hard_sigmoid` was a different function in Keras 1 and 2, and in Theano before: that one is `hard_sigmoid_keras_2`.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from statewise.errors import unknown_name

ActivationFunction = Callable[[jax.Array], jax.Array]


def _linear(x: jax.Array) -> jax.Array:
    return x


ACTIVATIONS: dict[str, ActivationFunction] = {
    "elu": jax.nn.elu,
    "exponential": jnp.exp,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "hard_sigmoid_keras_2": lambda x: jnp.clip(0.2 * x + 0.5, 0.0, 1.0),
    "leaky_relu": lambda x: jax.nn.leaky_relu(x, negative_slope=0.2),
    "linear": _linear,
    "relu": jax.nn.relu,
    "selu": jax.nn.selu,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "softmax": jax.nn.softmax,
    "softplus": jax.nn.softplus,
    "softsign": jax.nn.soft_sign,
    "swish": jax.nn.silu,
    "tanh": jnp.tanh,
}


def check_activation(name: object) -> None:
    """Raises ConfigurationError, naming the nearest, unless `name` is an activation."""
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise unknown_name("activation", name, ACTIVATIONS)
