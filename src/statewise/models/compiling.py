"""compile: how a model is trained and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import optax

from statewise.errors import ConfigurationError
from statewise.layers.registry import warn_of_custom
from statewise.models.settings import Settings
from statewise.models.targets import Loss
from statewise.models.train_state import TrainState
from statewise.optimizers.optimizer import Optimizer


def compile_model(
    model: Any,
    optimizer: str | Optimizer | optax.GradientTransformation = "rmsprop",
    loss: Loss | Sequence[Loss | None] | Mapping[str, Loss] | None = None,
    metrics: str | Sequence[Any] | Mapping[str, Any] | None = (),
    loss_weights: Sequence[float] | Mapping[str, float] | None = None,
) -> None:
    """Sets the optimizer (a name, an optimizer, or an Optax transformation), the loss and the metrics.

    Names may be written in any case, as "MSE" or "CategoricalCrossentropy".

    For many classes, the loss may be a `SampledSoftmax`, which excludes metrics.

    With several outputs, losses, metrics and `loss_weights` are dicts by output, or lists in the outputs'
    order; one loss is for all of them. Training minimizes the weighted sum, and no output without a loss.

    Raises:
        ConfigurationError: a name does not exist; the message suggests the nearest.
    """
    if model._view is not None and model._view.parent.train_state.trained:
        raise model._view.refused
    if loss is None:
        raise ConfigurationError("compile needs a loss, such as loss='categorical_crossentropy' or loss='mse'")
    outputs = () if model._stack.network is None else tuple(output.name for output in model._stack.network.outputs)
    settings = Settings.of(optimizer, loss, metrics, loss_weights, outputs if len(outputs) > 1 else ())
    if model._view is not None:
        model._own(model._stack)
    before = model._settings
    if before is not None and before.losses != settings.losses:
        model.train_state = replace(model.train_state, logs=None)
    if before is None:  # loaded from a file that could not store its optimizer
        _adopt_settings(model, settings, replace(model.train_state, optimizer=None))
    else:
        _adopt_settings(model, settings, model.train_state.without_optimizer())
    model._warned = False
    warn_of_custom(model._stack.layers)


def recompile(model: Any, optimizer: object, loss: object, metrics: Sequence[str], *, continues: bool) -> None:
    """Compiles for further training; with `continues`, an unchanged optimizer keeps its state.

    An optimizer that a file cannot store counts as unchanged if the file could not store the previous one either.
    """
    settings = Settings.of(optimizer, loss, metrics)
    unnamed = model._settings is None and settings.config()["optimizer"] is None
    if continues and (unnamed or model._settings == settings):
        _adopt_settings(model, settings, model.train_state)
    else:
        _adopt_settings(model, settings, model.train_state.without_optimizer())
        model._warned = False


def _adopt_settings(model: Any, settings: Settings, train_state: TrainState) -> None:
    model._settings, model._programs = settings, None
    model.train_state = settings.taking_over(model._stack.network, train_state)
