"""Layers that training leaves as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statewise.errors import ConfigurationError
from statewise.models.layer_stack import matching
from statewise.network import Network


def freeze(model: Any, *patterns: str) -> None:
    """Excludes the weights of some layers from training, until `unfreeze`; a file keeps which.

    Training neither changes nor penalizes them, and does not compute their gradients. Everything else stays, the
    optimizer's state included. A layer may also be made with `trainable=False`.

    Args:
        patterns: names of layers, as in `summary`; `*` and `?` stand for any characters, so that "lstm*" means all
            LSTM layers.

    >>> import statewise as sw
    >>> model = sw.Sequential([sw.Embedding(9, 4), sw.LSTM(8), sw.Dense(9)])
    >>> model.freeze("embedding")
    >>> [layer.name for layer in model.layers if layer.trainable]
    ['lstm', 'dense']

    Raises:
        ConfigurationError: no layer has such a name.
    """
    _set_trainable(model, patterns, False)


def unfreeze(model: Any, *patterns: str) -> None:
    """Includes layers in training again: those of these names, as in `freeze`, or all."""
    _set_trainable(model, patterns or ("*",), True)


def check_trainable(network: Network) -> None:
    """Raises ConfigurationError if training would change nothing."""
    if network.weight_names and all(node.layer.frozen for node in network.owners if node.layer.weight_names):
        raise ConfigurationError(
            "fit: expected a layer to train, but all are frozen; model.unfreeze() includes them again"
        )


def _set_trainable(model: Any, patterns: Sequence[str], trainable: bool) -> None:
    names = matching([layer.name for layer in model.layers], patterns)
    model._stack, model._programs = model._stack.with_trainable(names, trainable), None
