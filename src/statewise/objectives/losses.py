"""Losses by name. Each returns one value per element; the caller weights, masks and reduces them.

The values match Keras 3, including its clipping of probabilities. If a network ends in the softmax or sigmoid that a
cross-entropy belongs to, the value is computed from the logits, which needs no clipping.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from statewise.errors import unknown_name
from statewise.foundation.words import known_name
from statewise.kernels.activations import ACTIVATIONS
from statewise.objectives.sampled_softmax import SampledSoftmax

EPSILON = 1e-7
"""Probabilities are kept this far from 0 and 1 where their logarithm is taken, as in Keras."""

Values = Callable[[jax.Array, jax.Array], jax.Array]
"""`(y_true, y_pred) -> values`: `[B]` for one output per row, `[B, T]` for one per step."""


def _mean_squared_error(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return jnp.mean((y_pred - y_true) ** 2, axis=-1)


def _mean_absolute_error(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return jnp.mean(jnp.abs(y_pred - y_true), axis=-1)


def _huber(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    error = jnp.abs(y_pred - y_true)
    return jnp.mean(jnp.where(error <= 1.0, 0.5 * error**2, error - 0.5), axis=-1)


def _mean_absolute_percentage_error(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return 100.0 * jnp.mean(jnp.abs(y_true - y_pred) / jnp.maximum(jnp.abs(y_true), EPSILON), axis=-1)


def _mean_squared_logarithmic_error(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    error = jnp.log1p(jnp.maximum(y_pred, EPSILON)) - jnp.log1p(jnp.maximum(y_true, EPSILON))
    return jnp.mean(error**2, axis=-1)


def _logcosh(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2.0 * error) - jnp.log(2.0), axis=-1)


def _poisson(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + EPSILON), axis=-1)


def _short_of_margin(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    sign = jnp.where(y_true == 0.0, -1.0, y_true)  # Keras checks whether a whole batch is 0 and 1, we each element
    return jnp.maximum(1.0 - sign * y_pred, 0.0)


def _hinge(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return jnp.mean(_short_of_margin(y_true, y_pred), axis=-1)


def _squared_hinge(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return jnp.mean(_short_of_margin(y_true, y_pred) ** 2, axis=-1)


def _categorical_hinge(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    right = jnp.sum(y_true * y_pred, axis=-1)
    best_wrong = jnp.max((1.0 - y_true) * y_pred, axis=-1)
    return jnp.maximum(best_wrong - right + 1.0, 0.0)


def _unit(vectors: jax.Array) -> jax.Array:
    return vectors * jax.lax.rsqrt(jnp.maximum(jnp.sum(vectors**2, axis=-1, keepdims=True), EPSILON**2))


def cosine(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    """Returns the cosine of the angle between two vectors `[..., F]`: 1 if they point the same way."""
    return jnp.sum(_unit(y_true) * _unit(y_pred), axis=-1)


def _cosine_similarity(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return -cosine(y_true, y_pred)


def _binary_crossentropy(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    p = jnp.clip(y_pred, EPSILON, 1.0 - EPSILON)
    return -jnp.mean(y_true * jnp.log(p) + (1.0 - y_true) * jnp.log(1.0 - p), axis=-1)


def _binary_crossentropy_of_logits(y_true: jax.Array, logits: jax.Array) -> jax.Array:
    log_p, log_not_p = jax.nn.log_sigmoid(logits), jax.nn.log_sigmoid(-logits)
    return -jnp.mean(y_true * log_p + (1.0 - y_true) * log_not_p, axis=-1)


def _log_probabilities(y_pred: jax.Array) -> jax.Array:
    p = y_pred / jnp.sum(y_pred, axis=-1, keepdims=True)
    return jnp.log(jnp.clip(p, EPSILON, 1.0 - EPSILON))


def _categorical_crossentropy(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return -jnp.sum(y_true * _log_probabilities(y_pred), axis=-1)


def _kullback_leibler_divergence(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    p, q = jnp.clip(y_true, EPSILON, 1.0), jnp.clip(y_pred, EPSILON, 1.0)
    return jnp.sum(p * jnp.log(p / q), axis=-1)


def _categorical_crossentropy_of_logits(y_true: jax.Array, logits: jax.Array) -> jax.Array:
    return -jnp.sum(y_true * jax.nn.log_softmax(logits), axis=-1)


def _pick(values: jax.Array, classes: jax.Array) -> jax.Array:
    return jnp.take_along_axis(values, classes[..., None], axis=-1)[..., 0]


def _sparse_categorical_crossentropy(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return -_pick(_log_probabilities(y_pred), y_true)


@jax.custom_vjp
def _sparse_categorical_crossentropy_of_logits(y_true: jax.Array, logits: jax.Array) -> jax.Array:
    return _sparse_forward(y_true, logits)[0]


def _sparse_forward(y_true: jax.Array, logits: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
    largest = jnp.max(logits, axis=-1)
    largest = jnp.where(jnp.isfinite(largest), largest, 0)
    powers = jnp.exp(logits - largest[..., None])
    total = jnp.sum(powers, axis=-1)
    return jnp.log(total) + largest - _pick(logits, y_true), (y_true, powers, total)


def _sparse_backward(saved: tuple[jax.Array, ...], d_loss: jax.Array) -> tuple[None, jax.Array]:
    """Returns the gradient: probabilities less one at the class, without the scatter that XLA would make of `_pick`."""
    y_true, powers, total = saved
    chosen = jnp.arange(powers.shape[-1]) == y_true[..., None]
    return None, (d_loss / total)[..., None] * powers - jnp.where(chosen, d_loss[..., None], 0)


_sparse_categorical_crossentropy_of_logits.defvjp(_sparse_forward, _sparse_backward)


@dataclass(frozen=True)
class Loss:
    """A loss: its values from the network's output, and from the logits before the activation it belongs to."""

    name: str
    values: Values
    target: str  # what y holds: "real", "binary", "onehot" or "classes"
    head: str | None = None
    of_logits: Values | None = None
    sampling: SampledSoftmax | None = None  # what training minimizes instead of the values

    def on(self, head: str) -> Values:
        """Returns the values as a function of the input of the activation `head` at the network's end."""
        if self.of_logits is not None and head == self.head:
            return self.of_logits
        activation = ACTIVATIONS[head]
        return lambda y_true, z: self.values(y_true, activation(z))

    def config(self) -> str | dict[str, Any]:
        """Returns the loss as JSON holds it."""
        return self.name if self.sampling is None else self.sampling.config()


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("mean_squared_error", _mean_squared_error, "real"),
        Loss("mean_absolute_error", _mean_absolute_error, "real"),
        Loss("huber", _huber, "real"),
        Loss("mean_absolute_percentage_error", _mean_absolute_percentage_error, "real"),
        Loss("mean_squared_logarithmic_error", _mean_squared_logarithmic_error, "real"),
        Loss("logcosh", _logcosh, "real"),
        Loss("poisson", _poisson, "real"),
        Loss("hinge", _hinge, "real"),
        Loss("squared_hinge", _squared_hinge, "real"),
        Loss("categorical_hinge", _categorical_hinge, "onehot"),
        Loss("cosine_similarity", _cosine_similarity, "real"),
        Loss("kullback_leibler_divergence", _kullback_leibler_divergence, "onehot"),
        Loss("binary_crossentropy", _binary_crossentropy, "binary", "sigmoid", _binary_crossentropy_of_logits),
        Loss(
            "categorical_crossentropy",
            _categorical_crossentropy,
            "onehot",
            "softmax",
            _categorical_crossentropy_of_logits,
        ),
        Loss(
            "sparse_categorical_crossentropy",
            _sparse_categorical_crossentropy,
            "classes",
            "softmax",
            _sparse_categorical_crossentropy_of_logits,
        ),
    )
}

ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "log_cosh": "logcosh",
    "kl_divergence": "kullback_leibler_divergence",
    "kld": "kullback_leibler_divergence",
    "cosine_proximity": "cosine_similarity",
}


def get_loss(name: object) -> Loss:
    """Returns the loss called `name`, in any case, also by its other names in `ALIASES`, or for a `SampledSoftmax`.

    Keras's names do not tell this: `cosine_similarity` is -1 if two vectors point the same way, since a loss decreases;
    the hinges take -1 and 1, and read 0 as -1.

    Raises:
        ConfigurationError: there is no such name; the message has the nearest one.
    """
    if isinstance(name, SampledSoftmax):
        return replace(LOSSES["sparse_categorical_crossentropy"], sampling=name)
    known = known_name(name, [*LOSSES, *ALIASES])
    if known is None:
        raise unknown_name("loss", name, [*LOSSES, *ALIASES])
    return LOSSES[ALIASES.get(known, known)]


def loss_from_config(config: str | dict[str, Any]) -> str | SampledSoftmax:
    """Returns the loss that `Loss.config` described, as `get_loss` takes it."""
    return config if isinstance(config, str) else SampledSoftmax(config["samples"], config["distribution"])
