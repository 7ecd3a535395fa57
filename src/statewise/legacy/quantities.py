"""Losses and metrics by Keras's names, as its functions, or as its classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from statewise.errors import ConfigurationError, unknown_name
from statewise.foundation.shapes import Array
from statewise.legacy.arrays import Tensor
from statewise.legacy.errors import unsupported
from statewise.legacy.options import in_keras_2_words, refuse
from statewise.objectives.losses import LOSSES
from statewise.objectives.metrics import METRICS

KERAS = {
    "MSE": "mean_squared_error",
    "MAE": "mean_absolute_error",
    "MAPE": "mean_absolute_percentage_error",
    "MSLE": "mean_squared_logarithmic_error",
    "KLD": "kullback_leibler_divergence",
    "cosine": "cosine_similarity",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "kld": "kullback_leibler_divergence",
    "kl_divergence": "kullback_leibler_divergence",
    "cosine_proximity": "cosine_similarity",
    "log_cosh": "logcosh",
    "huber_loss": "huber",
    "rmse": "root_mean_squared_error",
}
"""Keras's names for what statewise names differently, or with a longer name."""


_SUCH_AS = {"loss": "'mse'", "metric": "'mse' or 'rmse'"}


class Quantity:
    """A statewise loss or metric under its name in the logs."""

    def __init__(self, core: str, name: str) -> None:
        self.core, self.name = core, name
        self.__name__ = name

    def __call__(self, y_true: Any, y_pred: Any) -> Array:
        """Returns the values of `y_pred` against `y_true`, one for each answer."""
        values = (LOSSES[self.core] if self.core in LOSSES else METRICS[self.core]).values
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, np.float32)
        return np.asarray(values(y_true, y_pred)).view(Tensor)


def quantities(names: str) -> dict[str, Quantity]:
    """Returns Keras's functions of these names, separated by spaces."""
    return {name: Quantity(KERAS.get(name, name), name) for name in names.split()}


def makers(**names: str) -> dict[str, Callable[..., Quantity]]:
    """Returns Keras's classes by their names, for what statewise calls `names[class]`."""
    return {kind: _maker(kind, core) for kind, core in names.items()}


def _maker(kind: str, core: str) -> Callable[..., Quantity]:
    @in_keras_2_words(kind)
    def make(*, name: str | None = None, dtype: object = None, from_logits: bool = False, **common: object) -> Quantity:
        refuse(kind, "it has Keras's default here; leave it out", **common)
        if from_logits:
            raise unsupported(
                f"{kind}(from_logits=True)", "leave it out and give the last layer activation='softmax' or 'sigmoid'"
            )
        return Quantity(core, name or core)

    make.__name__ = kind
    make.__doc__ = f"Returns Keras's `{kind}`."
    return make


def read(what: str, identifier: object) -> Quantity:
    """Returns the loss or metric that a name, function or object of Keras stands for.

    >>> read("loss", "mse").core
    'mean_squared_error'

    Raises:
        ConfigurationError: there is none of that name.
        UnsupportedError: a custom function.
    """
    if isinstance(identifier, Quantity):
        return identifier
    if callable(identifier):
        name = getattr(identifier, "__name__", repr(identifier))
        if isinstance(identifier, type) or name[:1].isupper():
            raise ConfigurationError(f"{what}: expected an object, got the class; write {name}()")
        raise unsupported(
            f"the {what} function {name}",
            f"a {what} cannot be used here; name one of Keras's, such as {_SUCH_AS[what]}",
        )
    if not isinstance(identifier, str):
        raise unknown_name(what, identifier, [*LOSSES, *KERAS])
    return Quantity(KERAS.get(identifier, identifier), identifier)
