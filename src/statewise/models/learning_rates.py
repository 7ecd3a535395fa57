"""The learning rate of a model, between its updates."""

from __future__ import annotations

from dataclasses import replace

from statewise.models.interface import AnyModel
from statewise.optimizers.optimizer import learning_rate_of, with_learning_rate


def learning_rate(model: AnyModel) -> float:
    """The learning rate of the next update. Setting it changes nothing else in the optimizer, and compiles nothing.

    A schedule continues, scaled by the ratio of the new to the old rate.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.LSTM(4, input_shape=(None, 1)), sw.Dense(1)])
    >>> model.compile(sw.Adam(0.01), "mse")
    >>> model.learning_rate /= 2
    >>> round(model.learning_rate, 6)
    0.005

    Raises:
        ConfigurationError: the rate is not a number >= 0, or the optimizer is an Optax transformation.
    """
    model.programs  # noqa: B018 - creates the optimizer's state
    return learning_rate_of(model.settings.optimizer, model.train_state.optimizer)


def set_learning_rate(model: AnyModel, rate: float) -> None:
    """Sets the learning rate of the next update."""
    model.programs  # noqa: B018 - creates the optimizer's state
    changed = with_learning_rate(model.settings.optimizer, model.train_state.optimizer, rate)
    model.train_state = replace(model.train_state, optimizer=changed)
