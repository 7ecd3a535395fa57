"""Metrics by name: one value per element, averaged by the caller over all that count, then finished."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from statewise.errors import ConfigurationError, unknown_name
from statewise.foundation.words import known_name
from statewise.kernels.activations import ACTIVATIONS
from statewise.objectives.losses import ALIASES, LOSSES, Loss, Values, cosine


def _identity(mean: float) -> float:
    return mean


def _perplexity(mean: float) -> float:
    return math.exp(min(mean, 700.0))  # a float overflows beyond that


def _binary_accuracy(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return jnp.mean((y_pred > 0.5) == y_true, axis=-1)  # a y other than 0 and 1 never matches, as in Keras


def _categorical_accuracy(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return (jnp.argmax(y_true, axis=-1) == jnp.argmax(y_pred, axis=-1)).astype(y_pred.dtype)


def _sparse_categorical_accuracy(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return (y_true == jnp.argmax(y_pred, axis=-1)).astype(y_pred.dtype)


def _sparse_top_5(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    of_true = jnp.take_along_axis(y_pred, y_true[..., None], axis=-1)
    return (jnp.sum(y_pred > of_true, axis=-1) < 5).astype(y_pred.dtype)  # a tie with the fifth counts


def _top_5(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    return _sparse_top_5(jnp.argmax(y_true, axis=-1), y_pred)


@dataclass(frozen=True)
class Metric:
    """A metric under its name in `History`: values per element, and what is done to their mean."""

    name: str
    values: Values
    targets: tuple[str, ...]  # the kinds of y that it can be computed on, as in losses.Loss.target
    finish: Callable[[float], float] = _identity
    loss: Loss | None = None  # for a loss used as a metric, which is exact where the loss is
    rises: bool = False  # whether higher is better

    def on(self, head: str) -> Values:
        """Returns the values as a function of the input of the activation `head` at the network's end."""
        if self.loss is not None:
            return self.loss.on(head)
        return lambda y_true, z: self.values(y_true, ACTIVATIONS[head](z))


_DENSE = ("real", "binary", "onehot")


def _from_loss(name: str) -> Metric:
    loss = LOSSES[ALIASES.get(name, name)]
    if loss.name == "cosine_similarity":  # the loss falls with similarity, the metric of that name rises, as in Keras
        return Metric(name, cosine, _DENSE, rises=True)
    return Metric(name, loss.values, _DENSE if loss.target == "real" else (loss.target,), loss=loss)


def _root_mean_squared_error(name: str) -> Metric:
    loss = LOSSES["mean_squared_error"]
    return Metric(name, loss.values, _DENSE, math.sqrt, loss)  # the root of the overall mean


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("binary_accuracy", _binary_accuracy, _DENSE, rises=True),
        Metric("categorical_accuracy", _categorical_accuracy, _DENSE, rises=True),
        Metric("sparse_categorical_accuracy", _sparse_categorical_accuracy, ("classes",), rises=True),
        Metric("top_k_categorical_accuracy", _top_5, _DENSE, rises=True),
        Metric("sparse_top_k_categorical_accuracy", _sparse_top_5, ("classes",), rises=True),
        *(_root_mean_squared_error(name) for name in ("root_mean_squared_error", "rmse")),
        *(_from_loss(name) for name in (*LOSSES, *ALIASES)),
    )
}

ACCURACY = ("accuracy", "acc")
NAMES = (*METRICS, *ACCURACY, "perplexity")
LOGS = ("loss", *NAMES)
"""Logs that a training without custom functions may have, each also with the prefix `val_`."""


def metric_name(name: object) -> str:
    """Returns what the metric `name`, written in any case, is called here and in logs.

    Raises:
        ConfigurationError: there is none of that name; the message has the nearest.
    """
    known = known_name(name, NAMES)
    if known is None:
        raise unknown_name("metric", name, NAMES)
    return known


def better(log: str) -> str | None:
    """Returns whether "min" or "max" is better for a log such as `val_accuracy`; None if that is unknown.

    >>> better("val_loss"), better("cosine_similarity"), better("alarm_mae"), better("val_profit")
    ('min', 'max', 'min', None)
    """
    parts = log.removeprefix("val_").split("_")
    for first in range(len(parts)):  # behind the name of an output, if there is one
        name = "_".join(parts[first:])
        if name in ("loss", "perplexity"):
            return "min"
        if name in ACCURACY:
            return "max"
        if name in METRICS:
            return "max" if METRICS[name].rises else "min"
    return None


def get_metric(name: str, target: str, outputs: int) -> Metric:
    """Returns the metric called `name` for targets of kind `target` and a network with `outputs` features.

    `accuracy` and `acc` mean, as in Keras, sparse categorical accuracy for classes, binary for a single output and
    categorical otherwise. `perplexity` is the exponential of the mean cross-entropy; the k of `top_k` is 5.

    Raises:
        ConfigurationError: there is no such name, or it cannot be computed on such targets.
    """
    name = metric_name(name)
    if name == "perplexity":
        return _perplexity_on(target)
    if name not in ACCURACY:
        metric = METRICS[name]
    elif target == "classes":
        metric = Metric(name, _sparse_categorical_accuracy, ("classes",), rises=True)
    else:
        metric = Metric(name, _binary_accuracy if outputs == 1 else _categorical_accuracy, _DENSE, rises=True)
    if target not in metric.targets:
        raise ConfigurationError(
            f"metric {name!r} expects y to be {' or '.join(metric.targets)}, but the loss takes {target}; "
            "'accuracy' works with every loss"
        )
    return metric


def _perplexity_on(target: str) -> Metric:
    losses = {"classes": "sparse_categorical_crossentropy", "onehot": "categorical_crossentropy"}
    if target not in losses:
        raise ConfigurationError("metric 'perplexity' needs classes to predict: use a categorical cross-entropy")
    loss = LOSSES[losses[target]]
    return Metric("perplexity", loss.values, (target,), _perplexity, loss)
