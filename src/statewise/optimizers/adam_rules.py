"""The update rules of Adam and its relatives by Keras's formulas, which add epsilon elsewhere than Optax's do."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from statewise.foundation.engine import zeros
from statewise.optimizers.native_adam import native_adam, serves


class AdamMoments(NamedTuple):
    """State of Adam: number of updates, running mean and mean square of the gradient."""

    updates: jax.Array
    mean: Any
    square: Any


def scale_by_adam(beta_1: float, beta_2: float, epsilon: float) -> optax.GradientTransformation:
    """Returns the running mean divided by the running root mean square; `epsilon` is added to the uncorrected root."""

    def init(params: Any) -> AdamMoments:
        return AdamMoments(jax.device_put(np.int32(0)), _zeros(params), _zeros(params))

    def update(gradients: Any, moments: AdamMoments, _: Any = None) -> tuple[Any, AdamMoments]:
        count = moments.updates + 1
        correction = jnp.sqrt(1 - beta_2**count) / (1 - beta_1**count)
        if serves(gradients):
            given = gradients, moments.mean, moments.square
            updates, mean, square = native_adam(*given, correction, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
            return updates, AdamMoments(count, mean, square)
        mean, square = _running_moments(moments, gradients, beta_1, beta_2)
        updates = jax.tree.map(lambda m, v: correction * m / (jnp.sqrt(v) + epsilon), mean, square)
        return updates, AdamMoments(count, mean, square)

    return optax.GradientTransformation(init, update)


class AdamaxMoments(NamedTuple):
    """State of Adamax: number of updates, running mean of the gradient and its largest recent size."""

    updates: jax.Array
    mean: Any
    largest: Any


def scale_by_adamax(beta_1: float, beta_2: float, epsilon: float) -> optax.GradientTransformation:
    """Returns the running mean divided by the largest size, which decays by `beta_2` at each update, plus `epsilon`."""

    def init(params: Any) -> AdamaxMoments:
        return AdamaxMoments(jax.device_put(np.int32(0)), _zeros(params), _zeros(params))

    def update(gradients: Any, moments: AdamaxMoments, _: Any = None) -> tuple[Any, AdamaxMoments]:
        count = moments.updates + 1
        mean = _running_mean(moments.mean, gradients, beta_1)
        largest = jax.tree.map(lambda u, g: jnp.maximum(beta_2 * u, jnp.abs(g)), moments.largest, gradients)
        correction = 1 - beta_1**count
        updates = jax.tree.map(lambda m, u: m / (correction * (u + epsilon)), mean, largest)
        return updates, AdamaxMoments(count, mean, largest)

    return optax.GradientTransformation(init, update)


class NadamMoments(NamedTuple):
    """State of Nadam: that of Adam, and the product of all momenta so far."""

    updates: jax.Array
    mean: Any
    square: Any
    momenta: jax.Array


def scale_by_nadam(beta_1: float, beta_2: float, epsilon: float, schedule_decay: float) -> optax.GradientTransformation:
    """Returns Adam's quotient with `epsilon` added to the corrected root and the mean looking one update ahead.

    The momentum grows from half of `beta_1`, by 4 % of the remainder every `1 / schedule_decay` updates.
    """

    log_beta_2 = math.log(beta_2) if beta_2 else -math.inf

    def momentum(count: jax.Array) -> jax.Array:
        return beta_1 * (1 - 0.5 * 0.96 ** (schedule_decay * count))

    def init(params: Any) -> NadamMoments:
        return NadamMoments(jax.device_put(np.int32(0)), _zeros(params), _zeros(params), jax.device_put(np.float32(1)))

    def update(gradients: Any, moments: NadamMoments, _: Any = None) -> tuple[Any, NadamMoments]:
        count = moments.updates + 1
        mean, square = _running_moments(moments, gradients, beta_1, beta_2)
        now, ahead = momentum(count), momentum(count + 1)
        momenta = moments.momenta * now
        of_mean, of_gradient = ahead / (1 - momenta * ahead), (1 - now) / (1 - momenta)
        of_square = -jnp.expm1(count * log_beta_2)  # 1 - beta_2**count, without the digits that float32 loses near 1

        def scaled(m: jax.Array, v: jax.Array, g: jax.Array) -> jax.Array:
            return (of_mean * m + of_gradient * g) / (jnp.sqrt(v / of_square) + epsilon)

        updates = jax.tree.map(scaled, mean, square, gradients)
        return updates, NadamMoments(count, mean, square, momenta)

    return optax.GradientTransformation(init, update)


def _zeros(params: Any) -> Any:
    return jax.tree.map(lambda weight: zeros(*weight.shape), params)


def _running_mean(before: Any, values: Any, kept: float) -> Any:
    return jax.tree.map(lambda mean, value: mean + (1 - kept) * (value - mean), before, values)


def _running_moments(
    before: AdamMoments | NadamMoments, gradients: Any, beta_1: float, beta_2: float
) -> tuple[Any, Any]:
    squares = jax.tree.map(jnp.square, gradients)
    return _running_mean(before.mean, gradients, beta_1), _running_mean(before.square, squares, beta_2)
