"""Losses, metrics and weights of losses as users give them for several outputs: by name, in order, or one for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statewise.errors import ConfigurationError, unknown_name
from statewise.foundation.shapes import is_number
from statewise.objectives.sampled_softmax import SampledSoftmax

Loss = str | SampledSoftmax
"""A loss as `compile` takes it."""


def read_targets(
    outputs: Sequence[str], loss: object, metrics: object, loss_weights: object
) -> list[tuple[str, Any, Any, float]]:
    """Returns the output, loss, metrics and weight of each loss, for the `outputs` that have one.

    An output without a loss is not trained, and needs no targets.

    >>> read_targets(["load", "alarm"], {"load": "mse", "alarm": "binary_crossentropy"}, None, {"alarm": 0.1})
    [('load', 'mse', None, 1.0), ('alarm', 'binary_crossentropy', None, 0.1)]

    Raises:
        ConfigurationError: a name is no output, or there are more or fewer than outputs.
    """
    losses = _by_output("loss", outputs, loss, "mse")
    measured = _by_output("metrics", outputs, _metrics_by_output(outputs, metrics), ["mae"])
    weights = _by_output("loss_weights", outputs, loss_weights, 0.5)
    for name, weight in weights.items():
        if weight is not None and not (is_number(weight) and 0 <= weight < float("inf")):
            raise ConfigurationError(f"loss_weights of {name!r}: expected a number >= 0, got {weight!r}")
    scored = [name for name in outputs if losses[name] is not None]
    if not scored:
        raise ConfigurationError("compile needs a loss for at least one output, such as loss={'load': 'mse'}")
    if unscored := [name for name in outputs if measured[name] and name not in scored]:
        raise ConfigurationError(f"metrics of {unscored[0]!r}: that output has no loss, and so no targets; give it one")
    if isinstance(loss_weights, Mapping) and (weightless := [name for name in loss_weights if name not in scored]):
        raise ConfigurationError(
            f"loss_weights of {weightless[0]!r}: that output has no loss to be weighted; give it one"
        )
    return [(name, losses[name], measured[name], 1.0 if (w := weights[name]) is None else float(w)) for name in scored]


def of_only_output(what: str, outputs: Sequence[str], given: Any) -> Any:
    """Returns the loss or metrics of the only one of `outputs`, which may be given by its name.

    >>> of_only_output("loss", ["load"], {"load": "mse"}), of_only_output("loss", ["load"], "mae")
    ('mse', 'mae')

    Raises:
        ConfigurationError: that is the name of no output.
    """
    if not outputs or not isinstance(given, Mapping):
        return given
    return _by_output(what, outputs, given, None)[outputs[0]]


def _metrics_by_output(outputs: Sequence[str], metrics: object) -> object:
    """Returns metrics by output or in order of the outputs; names alone are for all of them."""
    if isinstance(metrics, list | tuple) and all(isinstance(name, str) for name in metrics):
        return {name: list(metrics) for name in outputs} if metrics else None
    return metrics


def _by_output(what: str, outputs: Sequence[str], given: Any, example: object) -> dict[str, Any]:
    """Returns what is given for each output; None where nothing is."""
    if isinstance(given, Mapping):
        for name in given:
            if name not in outputs:
                raise unknown_name(f"output in {what}", name, outputs)
        return {name: given.get(name) for name in outputs}
    if isinstance(given, list | tuple):
        if len(given) != len(outputs):
            raise ConfigurationError(
                f"{what}: expected one for each of the outputs {', '.join(map(repr, outputs))}, got {len(given)}; a "
                f"dict such as {{{outputs[0]!r}: {example!r}}} says which is whose"
            )
        return dict(zip(outputs, given, strict=True))
    return dict.fromkeys(outputs, given)
